"""Consensus on location, measured: what is kept, how right it is, and how much of that is only keeping what is easy.

Two sources that agree say the same of every solution that is kept, so on those their F1 is one number, and
comparing it with their F1 on all solutions mixes two things. A third source tells them apart: Monte Carlo by
rollouts that neither of the two has seen. Its F1 on what was kept, less its F1 on all, is **selection**: the solutions
that stay are those where anybody is right more often. What the agreed labels have over the third source's, on
the same solutions, is **agreement**: errors that were filtered out of the labels themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from quality_parts.completers import Completer
from quality_parts.found import Counts, Replays, first_errors, labelled
from quality_parts.scoring import f1_among, f1_of
from steplabel.annotators.steps.math_shepherd import MathShepherd
from steplabel.annotators.steps.omegaprm_locate import OmegaPRMLocate
from steplabel.labels.counting import RolloutCounts
from steplabel.labels.curation.consensus import AgreementRule, AllAgree, Majority, agree_on_location
from steplabel.labels.metrics import F1Difference, F1Report, first_error_difference
from steplabel.labels.policies import POLICIES
from steplabel.pipelines.bank import Bank
from steplabel.schemas import NO_ERROR, ConfigError
from steplabel.schemas.bank import SolutionKind

K: Final = 8
AGREEMENT_NEEDS: Final = 3 * K
"""Rollouts of a prefix that a bank must hold."""
HARD: Final = POLICIES["math_shepherd_hard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source on all solutions; `what` says which. `rollouts` and `tokens` are for each solution."""

    name: str
    what: str
    said: tuple[int | None, ...]
    report: F1Report
    rollouts: float
    tokens: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one consensus keeps, and how right it is.

    Attributes:
        sources: by name. rule: who must agree. tokens: of all of them together, for each solution of the bank.
        share, share_erroneous, share_clean, share_lucky: kept, of all and of each kind of solution.
        agreed: F1 of the agreed labels on what is kept: that of each source there too, where all must agree.
        on_all, on_kept: F1 of each source on all solutions and on what is kept.
        fresh_on_all, fresh_on_kept: F1 of the third source.
        agreement: F1 of the agreed labels less that of the third source, on what is kept, paired.
    """

    sources: tuple[str, ...]
    rule: str
    tokens: float
    share: float
    share_erroneous: float
    share_clean: float
    share_lucky: float
    agreed: F1Report
    on_all: tuple[float, ...]
    on_kept: tuple[float, ...]
    fresh_on_all: float
    fresh_on_kept: float
    agreement: F1Difference

    @property
    def selection(self) -> float:
        """What keeping easy solutions is worth: the third source's gain."""
        return self.fresh_on_kept - self.fresh_on_all


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementReport:
    """The completers (two, or one), sources on all solutions, and consensus among these."""

    completers: tuple[Completer, ...]
    sources: tuple[Source, ...]
    kept: tuple[Kept, ...]


def measure_agreement(bank: Bank, second: Bank | None) -> AgreementReport:
    """Measure consensus within a bank, and with a second completer's where there is one.

    Raises:
        ConfigError: a bank holds too few rollouts, or the two do not hold the same solutions.
    """
    first = Replays(bank)
    other = None if second is None else Replays(_checked(bank, second))
    sources = {one.name: one for one in _sources(first, other)}
    return AgreementReport(
        completers=tuple(Completer.of(one) for one in (bank, second) if one is not None),
        sources=tuple(sources.values()),
        kept=tuple(
            _kept([sources[name] for name in names], sources[FRESH], bank, rule) for names, rule in _pairs(other)
        ),
    )


def _checked(bank: Bank, second: Bank) -> Bank:
    mine, theirs = ([case.solution.node_keys for case in one.cases] for one in (bank, second))
    if mine != theirs:
        raise ConfigError(
            f"the second bank holds {len(theirs)} solutions that are not the first one's {len(mine)}: "
            "build it with `outcome_bank.py --of` this very bank"
        )
    return second


ONE, TWO, FRESH, SEARCHED, RATIO, HALVES, OTHER, BOTH = "A1", "A2", "A3", "L2", "R2", "A1&A2", "B", "A1&B"
WHAT: Final = {
    ONE: "Monte Carlo",
    TWO: "Monte Carlo, rollouts of its own",
    FRESH: "Monte Carlo, rollouts of its own: the third source",
    SEARCHED: "binary search over the rollouts of A2",
    RATIO: "genprm, ratio, over the rollouts of A2",
    HALVES: "the rollouts of A1 and A2 pooled",
    OTHER: "Monte Carlo by the second completer",
    BOTH: "the rollouts of A1 and B pooled",
}
"""What the sources are, by their short names."""


def _pairs(other: Replays | None) -> Iterator[tuple[tuple[str, ...], AgreementRule]]:
    yield (ONE, TWO), AllAgree()
    yield (ONE, SEARCHED), AllAgree()
    yield (ONE, RATIO), AllAgree()
    if other is not None:
        yield (ONE, OTHER), AllAgree()
        yield (HALVES, OTHER), AllAgree()
        yield (ONE, TWO, OTHER), AllAgree()
        yield (ONE, TWO, OTHER), Majority()


def _sources(first: Replays, other: Replays | None) -> Iterator[Source]:
    every, rooted = MathShepherd(k=K), MathShepherd(k=K, ask_root=True)
    counts = RolloutCounts()
    one, two, fresh = (first.counts(every, counts, offset) for offset in (0, K, 2 * K))
    yield _source(ONE, one, first.bank)
    yield _source(TWO, two, first.bank)
    yield _source(FRESH, fresh, first.bank)
    yield _source(SEARCHED, first.counts(OmegaPRMLocate(k=K), counts, K), first.bank, policy="locate")
    yield _source(RATIO, first.counts(rooted, counts, K), first.bank, policy="genprm")
    yield _source(HALVES, _pooled(one, two), first.bank)
    if other is not None:
        # The second completer's own sampling: the solutions say only how they were drawn.
        theirs = other.counts(replace(every, sampling=other.bank.sampling), counts)
        yield _source(OTHER, theirs, first.bank)
        yield _source(BOTH, _pooled(one, theirs), first.bank)


def _source(name: str, counts: Counts, bank: Bank, *, policy: str = HARD.name) -> Source:
    said = first_errors(labelled(counts.batch, POLICIES[policy]))
    return Source(
        name=name,
        what=WHAT[name],
        said=tuple(said),
        report=f1_of(said, bank),
        rollouts=counts.rollouts,
        tokens=counts.tokens,
    )


def _pooled(left: Counts, right: Counts) -> Counts:
    """The rollouts of both at every step; those of the bare problem are the left one's."""
    one, two = left.batch.at_steps, right.batch.at_steps
    batch = replace(
        left.batch,
        correct=one.correct + two.correct,
        wrong=one.wrong + two.wrong,
        unknown=one.unknown + two.unknown,
        unanswered=one.unanswered + two.unanswered,
        tokens=left.batch.tokens + right.batch.tokens,
    )
    return Counts(batch=batch, rollouts=left.rollouts + right.rollouts, seconds=left.seconds + right.seconds)


def _kept(sources: Sequence[Source], fresh: Source, bank: Bank, rule: AgreementRule) -> Kept:
    told: Sequence[Mapping[str, int | None]] = [
        dict(zip((source.name for source in sources), firsts, strict=True))
        for firsts in zip(*(source.said for source in sources), strict=True)
    ]
    agreed = [agree_on_location(one, rule).first_error for one in told]
    here = [i for i, first in enumerate(agreed) if first is not None]
    truth, groups = bank.truth(), bank.groups()
    lucky = [i for i, case in enumerate(bank.cases) if case.banked.kind is SolutionKind.LUCKY]

    def share(wanted: Sequence[int]) -> float:
        return len(set(here) & set(wanted)) / len(wanted) if wanted else 0.0

    return Kept(
        sources=tuple(source.name for source in sources),
        rule="all" if isinstance(rule, AllAgree) else "majority",
        tokens=sum(source.tokens for source in sources),
        share=share(range(len(truth))),
        share_erroneous=share([i for i, first in enumerate(truth) if first != NO_ERROR]),
        share_clean=share([i for i, first in enumerate(truth) if first == NO_ERROR]),
        share_lucky=share(lucky),
        agreed=f1_among(agreed, bank, here),
        on_all=tuple(source.report.f1 for source in sources),
        on_kept=tuple(f1_among(source.said, bank, here).f1 for source in sources),
        fresh_on_all=fresh.report.f1,
        fresh_on_kept=f1_among(fresh.said, bank, here).f1,
        agreement=first_error_difference(
            [agreed[i] for i in here],
            [fresh.said[i] for i in here],
            [truth[i] for i in here],
            groups=[groups[i] for i in here],
        ),
    )
