"""Keep a solution only if independent sources agree on *where* its first error is.

Zhang et al. 2025, "The Lessons of Developing Process Reward Models", arXiv:2501.07301 (consensus filtering):
Monte-Carlo labels are noisy, so a solution stays only if a judge names the same first error; about 40 % did,
and training on those beat training on all of either source. Here the sources are any: Monte Carlo under two
completers, a verifier, later judges.

What a source says is the 0-based index of the first wrong step, -1 for none, None for not known. Agreeing
that there *is* an error is not agreeing on its location: 2 and 5 disagree, as 2 and -1 do.

Deviations: the paper has two sources, and both must agree: `AllAgree()`. Majorities and quorums of more
sources are ours. The paper's judge always answers; a source that does not know is silent here, and what
silence means is the rule's `silence`: by default neither agreement nor disagreement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from steplabel.schemas import NO_ERROR, ConfigError, DataError, LabelRow, StepLabels

CONSENSUS = "_consensus"
"""What the label policy's name gains."""


class Silence(StrEnum):
    """What a source that does not know (None) counts as."""

    ABSTAINS = "abstains"
    """It is not counted at all."""
    DISSENTS = "dissents"
    """It is counted and agrees with nobody, not even with another that does not know."""


class NoConsensus(StrEnum):
    """Why a solution was dropped."""

    NOBODY_SPOKE = "nobody_spoke"
    TOO_FEW_SPOKE = "too_few_spoke"
    DISAGREEMENT = "disagreement"
    TIE = "tie"


class AgreementRule(Protocol):
    """How many sources must name one location."""

    @property
    def silence(self) -> Silence:
        """What a source that does not know counts as."""
        ...

    @property
    def at_least(self) -> int:
        """So many must name the location, however few spoke."""
        ...

    def needed(self, counted: int) -> int:
        """How many of the `counted` sources must name one location (`at_least` comes on top)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AllAgree:
    """Every source that is counted names the same location (the paper's rule).

    Attributes:
        at_least: sources that must have spoken; with 1, a single source agrees with itself.
        silence: what not knowing counts as.

    Raises:
        ConfigError: `at_least` below 1.
    """

    at_least: int = 2
    silence: Silence = Silence.ABSTAINS

    def __post_init__(self) -> None:
        _check_at_least(self.at_least)

    def needed(self, counted: int) -> int:
        """All of them."""
        return counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """More than half of the sources that are counted name the same location. Attributes as in `AllAgree`."""

    at_least: int = 2
    silence: Silence = Silence.ABSTAINS

    def __post_init__(self) -> None:
        _check_at_least(self.at_least)

    def needed(self, counted: int) -> int:
        """The smallest number above the half."""
        return counted // 2 + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """`at_least` sources name the same location, and no other location has as many, whatever the rest says.

    Silence makes no difference to this rule: what is counted is agreement alone.
    """

    at_least: int
    silence: Silence = Silence.ABSTAINS

    def __post_init__(self) -> None:
        _check_at_least(self.at_least)

    def needed(self, counted: int) -> int:  # noqa: ARG002 - the port gives it
        """No share of those that spoke."""
        return 0


def _check_at_least(at_least: int) -> None:
    if at_least < 1:
        raise ConfigError(f"at_least={at_least!r}: at least one source must have spoken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """What the sources say together about one solution.

    Attributes:
        first_error: where they agree that it is (0-based; -1 none); None if the solution was dropped.
        dropped: why, None if it is kept.
        agreeing, dissenting, silent: names of the sources, sorted. Without a location that won, all that
            spoke are dissenting.
    """

    first_error: int | None
    dropped: NoConsensus | None
    agreeing: tuple[str, ...] = ()
    dissenting: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether the solution stays."""
        return self.dropped is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusReport:
    """What consensus did to a set of solutions.

    Attributes:
        solutions, kept: how many there were and how many stay.
        share_kept: kept / solutions; None of no solutions.
        dropped: how many for which reason, by reason's name; reasons that did not occur are left out.
        kept_clean: those of `kept` that are agreed to hold no error: filtering shifts this balance.
    """

    solutions: int
    kept: int
    share_kept: float | None
    dropped: tuple[tuple[NoConsensus, int], ...]
    kept_clean: int


def agree_on_location(first_errors: Mapping[str, int | None], rule: AgreementRule) -> Consensus:
    """Ask whether the sources agree on the first error of one solution.

    Args:
        first_errors: by source, 0-based index of the first wrong step, -1 for none, None for not known.
        rule: how many must agree and what silence counts as.

    Raises:
        DataError: an index below -1.
    """
    spoken = {name: said for name, said in first_errors.items() if said is not None}
    _check_locations(spoken)
    silent = tuple(sorted(first_errors.keys() - spoken.keys()))
    counted = len(first_errors) if rule.silence is Silence.DISSENTS else len(spoken)
    votes = Counter(spoken.values()).most_common(2)
    dropped = _objection(votes, spoken=len(spoken), needed=rule.needed(counted), at_least=rule.at_least)
    winner = votes[0][0] if votes and dropped is None else None
    return Consensus(
        first_error=winner,
        dropped=dropped,
        agreeing=tuple(sorted(name for name, said in spoken.items() if said == winner)),
        dissenting=tuple(sorted(name for name, said in spoken.items() if said != winner)),
        silent=silent,
    )


def _check_locations(spoken: Mapping[str, int]) -> None:
    for name, said in spoken.items():
        if said < NO_ERROR:
            raise DataError(f"source {name} says first error {said}: 0-based, -1 for none, None if not known")


def _objection(votes: list[tuple[int, int]], *, spoken: int, needed: int, at_least: int) -> NoConsensus | None:
    """Why the location with most votes is not agreed on; `votes` holds the two best."""
    if not votes:
        return NoConsensus.NOBODY_SPOKE
    if spoken < at_least:
        return NoConsensus.TOO_FEW_SPOKE
    best = votes[0][1]
    if best < max(needed, at_least):
        return NoConsensus.DISAGREEMENT
    return NoConsensus.TIE if len(votes) > 1 and votes[1][1] == best else None


def agreed_labels(labels: StepLabels, consensus: Consensus) -> StepLabels | None:
    """The labels of one source as labels of all that agree with it; None if they are not to be kept.

    They are not where the solution was dropped, and where the agreement is on another location than the one
    these labels name. Policy and sources say who agreed; marks and values stay those of the one source.
    """
    if not consensus.kept or labels.first_error != consensus.first_error:
        return None
    return replace(
        labels,
        policy=f"{labels.policy}{CONSENSUS}",
        sources=tuple(dict.fromkeys((*labels.sources, *consensus.agreeing))),
    )


def agreed_row(row: LabelRow, consensus: Consensus) -> LabelRow | None:
    """As `agreed_labels`, of a labelled row."""
    if not consensus.kept or row.first_error != consensus.first_error:
        return None
    return replace(
        row,
        label_policy=f"{row.label_policy}{CONSENSUS}",
        label_sources=tuple(dict.fromkeys((*row.label_sources, *consensus.agreeing))),
    )


def consensus_report(results: Iterable[Consensus]) -> ConsensusReport:
    """Count what was kept and why the rest was not."""
    seen = list(results)
    kept = [result for result in seen if result.kept]
    reasons = Counter(result.dropped for result in seen if result.dropped is not None)
    return ConsensusReport(
        solutions=len(seen),
        kept=len(kept),
        share_kept=len(kept) / len(seen) if seen else None,
        dropped=tuple((reason, reasons[reason]) for reason in NoConsensus if reasons[reason]),
        kept_clean=sum(result.first_error == NO_ERROR for result in kept),
    )
