"""Counts from evidence in columns: what `labels/counts.py` and `labels/siblings.py` count from records.

Not every way of counting goes this way. A user's own way, or own result of steps, knows records only: it is
refused, and its chunk is labelled from records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from steplabel.labels.coded import CodedEvidence, EndArray
from steplabel.labels.counting import Counting, ObservedScores, ObservedVerdicts, RolloutCounts, SiblingCounts
from steplabel.labels.step_results import LastNumber
from steplabel.schemas import SolutionSource
from steplabel.schemas.batches import OUTCOME_CORRECT, BoolArray, IntArray
from steplabel.schemas.columns import NotColumnarError, coded_words, field_of, numbers_in
from steplabel.transforms.columnar.claims import claims_of, paid_once
from steplabel.transforms.columnar.completers import behind_rollouts, behind_scores
from steplabel.transforms.columnar.evidence import EvidenceColumns, Rows, check_distinct, numbers_of
from steplabel.transforms.columnar.numbering import firsts, run_heads
from steplabel.transforms.columnar.outcomes import choose_outcomes
from steplabel.transforms.columnar.states import ELSEWHERE, States, locate
from steplabel.transforms.columnar.step_results import states_by_number


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedColumns:
    """What was counted, and whose rollouts and outcomes it was.

    Attributes:
        coded: for `labels.coded.count_coded`.
        outcome_rows: [n], the row in the outcomes of what was said of each solution, -1 where nobody spoke.
        completers: ids of completers that were heard together, joined with ", ".
        heard: [n], which of these each solution has at its steps.
    """

    coded: CodedEvidence
    outcome_rows: IntArray
    completers: Sequence[str]
    heard: IntArray


ColumnarCounting = RolloutCounts | SiblingCounts | ObservedScores | ObservedVerdicts


def columnar(counting: Counting) -> ColumnarCounting:
    """The way of counting, if it goes by columns.

    Raises:
        NotColumnarError: it knows records only.
    """
    # By type, not by kind: a subclass may count anything.
    if type(counting) is RolloutCounts or type(counting) is ObservedScores or type(counting) is ObservedVerdicts:
        return counting
    if type(counting) is SiblingCounts and type(counting.result) in (LastNumber, type(None)):
        return counting
    raise NotColumnarError(f"{type(counting).__name__} counts records")


def count_columns(evidence: EvidenceColumns, counting: ColumnarCounting, *, voice: str) -> CountedColumns:
    """Count.

    Args:
        evidence: of a chunk; at least one solution.
        counting: as `columnar` gives it.
        voice: the checker that is heard before all others.

    Raises:
        NotColumnarError: two solutions of a problem share an id, or as `choose_outcomes` does.
    """
    if isinstance(counting, SiblingCounts):
        return _Counter(evidence, voice).siblings(by_number=counting.result is not None)
    if isinstance(counting, ObservedScores):
        return _Counter(evidence, voice).rollouts(source=counting.source)
    if isinstance(counting, ObservedVerdicts):
        counted = _Counter(evidence, voice).rollouts()
        return replace(counted, completers=("",), heard=np.zeros_like(counted.heard))
    return _Counter(evidence, voice, probe=counting.probe).rollouts()


class _Counter:
    """Evidence whose outcomes were chosen: what all ways of counting share."""

    def __init__(self, evidence: EvidenceColumns, voice: str, *, probe: str = "") -> None:
        """`probe`: only its rollouts count; "": only those of none."""
        self.evidence, self.probe = evidence, probe
        # Most rollouts are of no probe: then it costs less to pass over the others than to copy these.
        self.asked = evidence.rollouts.where(_of_probe(evidence.rollouts, probe)) if probe else evidence.rollouts
        solutions, outcomes = evidence.solutions, evidence.outcomes
        named = ((solutions, "id"), (self.asked, "key"), (outcomes, "subject"))
        self.ids, self.keys, subjects = numbers_of([(part.column(name), part.problem) for part, name in named])
        check_distinct(self.ids, "solutions of a problem")
        size = 1 + max(int(part.max(initial=-1)) for part in (self.ids, self.keys, subjects))
        self.chosen = choose_outcomes(outcomes, subjects, size=size, voice=voice)
        sources, words = coded_words(solutions.column("source"))
        self.drawn: BoolArray = np.array([word != SolutionSource.TREE for word in words.to_pylist()])[sources]
        self.states, self.starts, self.spoken_of = self._located()

    def _located(self) -> tuple[States, IntArray, IntArray]:
        """States, where each rollout starts, what each observation speaks of: states, bare problems, `ELSEWHERE`."""
        asked, observations = self.asked, self.evidence.observations
        codes, words = coded_words(asked.column("node_key"))
        begins = run_heads(asked.problem, codes)  # rollouts of one prefix lie beside each other: it is looked for once
        heads = np.flatnonzero(begins)
        begun = words.take(codes[heads]), asked.problem[heads]
        states, (starts, spoken_of) = locate(
            self.evidence, [begun, (observations.column("subject"), observations.problem)]
        )
        return states, starts[np.cumsum(begins) - 1], spoken_of

    def rollouts(self, *, source: str | None = None) -> CountedColumns:
        """The rollouts that start where steps end, or answers to a probe there; `source`: whose scores will speak."""
        evidence, states = self.evidence, self.states
        counted = firsts(self.keys) & _of_probe(self.asked, self.probe)
        places = np.where(counted, self.starts, ELSEWHERE)
        here = np.flatnonzero(places != ELSEWHERE)
        ends = _Ends(
            places=places[here],
            ends=self.chosen.ends[self.keys[here]],
            tokens=self.asked.ints("completion_tokens")[here],
        )
        behind = behind_rollouts(self.asked, places, states)
        if source is not None:
            behind = behind_scores(evidence.observations, self.spoken_of, source, behind, states)
        completers, heard = behind.of_solutions(evidence, states)
        coded = self._coded(states.steps, states.size, ends, costs=self._costs())
        return CountedColumns(coded=coded, outcome_rows=self.chosen.rows[self.ids], completers=completers, heard=heard)

    def siblings(self, *, by_number: bool) -> CountedColumns:
        """The sampled solutions that passed through the same states, or through steps of the same result."""
        evidence, states = self.evidence, self.states
        steps, size = states_by_number(evidence, states) if by_number else (states.steps, states.size)
        owner = evidence.owner
        drawn = self.drawn[owner]
        passed = np.sort(owner[drawn] * size + steps[drawn])
        passed = passed[run_heads(passed)]
        solution, places = np.divmod(passed, size)
        none = np.zeros(len(passed), dtype=np.int64)
        ends = _Ends(places=places, ends=self.chosen.ends[self.ids[solution]], tokens=none)
        nothing = np.zeros(len(self.ids), dtype=np.int64)
        coded = self._coded(steps, size, ends, costs=nothing)
        return CountedColumns(coded=coded, outcome_rows=self.chosen.rows[self.ids], completers=("",), heard=nothing)

    def _coded(self, steps: IntArray, size: int, ends: _Ends, *, costs: IntArray) -> CodedEvidence:
        """The state below `size` that each step ends in, and what began there; the bare problem p is `size + p`."""
        evidence, problem = self.evidence, self.evidence.solutions.problem
        many = len(evidence.problems)
        outcome = self.chosen.outcomes(self.ids)
        right = np.bincount(problem[self.drawn & (outcome == OUTCOME_CORRECT)], minlength=many)
        asked = np.bincount(ends.places[ends.places >= size] - size, minlength=many) > 0
        if not self.probe:
            ends = ends.joined(self._stand_ins(np.flatnonzero(self.drawn & ~asked[problem]), size))
        claims = claims_of(evidence.observations, self.spoken_of, self.states, problem)
        return CodedEvidence(
            offsets=evidence.offsets,
            labelable=numbers_in(field_of(evidence.steps, "labelable"), np.bool_),
            states=steps,
            roots=size + problem,
            root_asked=asked[problem],
            outcome=outcome,
            siblings_correct=right[problem],
            siblings_total=np.bincount(problem[self.drawn], minlength=many)[problem],
            costs=costs,
            end_states=ends.places,
            ends=ends.ends,
            end_tokens=ends.tokens,
            verdicts=claims.verdicts,
            scores=claims.scores,
            root_scores=claims.root_scores,
        )

    def _stand_ins(self, solutions: IntArray, size: int) -> _Ends:
        """Sampled solutions start at the bare problem: they are its rollouts where nobody asked for others."""
        return _Ends(
            places=size + self.evidence.solutions.problem[solutions],
            ends=self.chosen.ends[self.ids[solutions]],
            tokens=np.zeros(len(solutions), dtype=np.int64),
        )

    def _costs(self) -> IntArray:
        """[n], what observations about the bare problem, the steps' states and the solution itself cost."""
        evidence, states = self.evidence, self.states
        rows = paid_once(evidence.observations)
        problem, offsets = evidence.solutions.problem, evidence.offsets
        if not len(rows):
            return np.zeros(len(problem), dtype=np.int64)
        paid = evidence.observations.take(rows)
        tokens = paid.ints("cost_tokens")
        subject = paid.column("subject"), paid.problem
        ids, subjects = numbers_of([(evidence.solutions.column("id"), problem), subject])
        places = self.spoken_of[rows]
        here = places != ELSEWHERE
        of_states = _sums(places[here], tokens[here], states.size + len(evidence.problems))
        of_ids = _sums(subjects, tokens, 1 + int(max(ids.max(), subjects.max())))
        along = np.concatenate([[0], np.cumsum(of_states[states.steps])])
        of_steps = along[offsets[1:]] - along[offsets[:-1]]
        return np.asarray(of_steps + of_states[states.size + problem] + of_ids[ids])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ends:
    """What began somewhere: its place (a `Located` state or bare problem), how it ended, its tokens."""

    places: IntArray
    ends: EndArray
    tokens: IntArray

    def joined(self, other: _Ends) -> _Ends:
        return _Ends(
            places=np.concatenate([self.places, other.places]),
            ends=np.concatenate([self.ends, other.ends]),
            tokens=np.concatenate([self.tokens, other.tokens]),
        )


def _sums(places: IntArray, amounts: IntArray, size: int) -> IntArray:
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, places, amounts)
    return sums


def _of_probe(rollouts: Rows, probe: str) -> BoolArray:
    """[R], whether they are of this probe."""
    codes, words = coded_words(rollouts.column("probe"))
    return np.array([word == probe for word in words.to_pylist()], dtype=np.bool_)[codes]
