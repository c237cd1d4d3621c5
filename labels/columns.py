"""Records to codes: evidence as integers while it grows, problem by problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from steplabel.labels.claims import claims_by_subject
from steplabel.labels.coded import CORRECT, UNANSWERED, UNKNOWN, WRONG, CodedEvidence
from steplabel.labels.outcomes import is_unanswered, outcome_code
from steplabel.schemas import CheckedOutcome, Evidence, Outcome, SolutionSource
from steplabel.schemas.batches import OUTCOME_CORRECT, FloatArray, IntArray

T = TypeVar("T")

_ELSEWHERE = -1
"""The code of a state in which no step of the problem's solutions ends."""


class Ends(NamedTuple):
    """What began in some states and came out in some way, as three lists of one length."""

    states: list[str]
    outcomes: list[CheckedOutcome | None]
    tokens: list[int]


@dataclass(slots=True)
class Columns:
    """The columns of `CodedEvidence` as lists."""

    states: list[int] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    root_asked: list[bool] = field(default_factory=list)
    labelable: list[bool] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])
    solutions: list[tuple[int, int, int, int]] = field(default_factory=list)
    end_states: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    end_tokens: list[int] = field(default_factory=list)
    verdicts: dict[str, dict[int, int]] = field(default_factory=dict)
    scores: dict[str, dict[int, float]] = field(default_factory=dict)
    root_scores: dict[str, dict[int, float]] = field(default_factory=dict)
    used: int = 0

    def add(
        self,
        record: Evidence,
        outcomes: Mapping[str, CheckedOutcome],
        *,
        root: str,
        states: Sequence[Sequence[str]],
        ends: Ends,
        costs: Sequence[int],
        samples_stand_in: bool,
    ) -> None:
        """Add all solutions of a record.

        Args:
            record: the problem.
            outcomes: by subject, as `newest_outcomes` gives them.
            root: the state before the first step.
            states: for each solution the state that each step ends in.
            ends: what began in a state of this problem; those in no state of its solutions are left out.
            costs: one a solution: tokens that the ends do not hold.
            samples_stand_in: whether the sampled solutions are counted at the root where no end is.
        """
        codes = _numbered(root, states, first=self.used)
        self.used += len(codes)
        began = [codes.get(state, _ELSEWHERE) for state in ends.states]
        asked = codes[root] in began
        self._add_ends(began, ends.outcomes, ends.tokens)
        if samples_stand_in and not asked:
            drawn = _drawn(record)
            self._add_ends([codes[root]] * len(drawn), [outcomes.get(key) for key in drawn], [0] * len(drawn))
        for passed in states:
            self.states += [codes[state] for state in passed]
            self.offsets.append(len(self.states))
        self.roots += [codes[root]] * len(states)
        self.root_asked += [asked] * len(states)
        self._add_solutions(record, outcomes, costs)
        self._add_claims(record)

    def _add_ends(
        self, states: Sequence[int], outcomes: Sequence[CheckedOutcome | None], tokens: Sequence[int]
    ) -> None:
        self.end_states += states
        self.ends += [_how(checked) for checked in outcomes]
        self.end_tokens += tokens

    def _add_solutions(self, record: Evidence, outcomes: Mapping[str, CheckedOutcome], costs: Sequence[int]) -> None:
        ends = {s.id: outcome_code(outcomes.get(s.id)) for s in record.solutions}
        drawn = _drawn(record)
        correct = sum(ends[key] == OUTCOME_CORRECT for key in drawn)
        for solution, cost in zip(record.solutions, costs, strict=True):
            self.solutions.append((ends[solution.id], cost, correct, len(drawn)))

    def _add_claims(self, record: Evidence) -> None:
        claims = claims_by_subject(record.observations)
        of_root = claims.get(record.problem.root_key, {})
        first = len(self.solutions) - len(record.solutions)
        for i, solution in enumerate(record.solutions, start=first):
            at = len(self.labelable)
            self.labelable += [step.labelable for step in solution.steps]
            for source, claim in of_root.items():
                _keep(self.root_scores, source, i, claim.score)
            if claims:
                for j, key in enumerate(solution.node_keys, start=at):
                    for source, claim in claims.get(key, {}).items():
                        _keep(self.verdicts, source, j, claim.verdict)
                        _keep(self.scores, source, j, claim.score)

    def coded(self) -> CodedEvidence:
        """The columns as arrays."""
        end_states = np.array(self.end_states, dtype=np.int64)
        here = end_states != _ELSEWHERE
        solutions = np.array(self.solutions, dtype=np.int64).reshape(len(self.solutions), 4)
        n, steps = len(self.solutions), len(self.labelable)
        return CodedEvidence(
            offsets=np.array(self.offsets, dtype=np.int64),
            labelable=np.array(self.labelable, dtype=np.bool_),
            states=np.array(self.states, dtype=np.int64),
            roots=np.array(self.roots, dtype=np.int64),
            root_asked=np.array(self.root_asked, dtype=np.bool_),
            outcome=solutions[:, 0].copy(),
            costs=solutions[:, 1].copy(),
            siblings_correct=solutions[:, 2].copy(),
            siblings_total=solutions[:, 3].copy(),
            end_states=end_states[here],
            ends=np.array(self.ends, dtype=np.int8)[here],
            end_tokens=np.array(self.end_tokens, dtype=np.int64)[here],
            verdicts={source: _verdicts(said, steps) for source, said in sorted(self.verdicts.items())},
            scores={source: _scores(said, steps) for source, said in sorted(self.scores.items())},
            root_scores={source: _scores(said, n) for source, said in sorted(self.root_scores.items())},
        )


def _drawn(record: Evidence) -> set[str]:
    """The distinct solutions that were drawn from the bare problem.

    Branches of a search tree are left out: they were grown where earlier ones went wrong.
    """
    return {s.id for s in record.solutions if s.source is not SolutionSource.TREE}


def _numbered(root: str, states: Sequence[Sequence[str]], *, first: int) -> dict[str, int]:
    codes = {root: first}
    for passed in states:
        for state in passed:
            codes.setdefault(state, first + len(codes))
    return codes


def _how(checked: CheckedOutcome | None) -> int:
    if checked is None:
        return UNKNOWN
    if checked.outcome is Outcome.CORRECT:
        return CORRECT
    if checked.outcome is Outcome.WRONG:
        return WRONG
    return UNANSWERED if is_unanswered(checked) else UNKNOWN


def _keep(columns: dict[str, dict[int, T]], source: str, i: int, said: T | None) -> None:
    if said is not None:
        columns.setdefault(source, {})[i] = said


def _verdicts(said: Mapping[int, int], steps: int) -> IntArray:
    column = np.zeros(steps, dtype=np.int64)
    column[list(said.keys())] = list(said.values())
    return column


def _scores(said: Mapping[int, float], length: int) -> FloatArray:
    column = np.full(length, np.nan)
    column[list(said.keys())] = list(said.values())
    return column
