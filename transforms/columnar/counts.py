"""Counts from evidence in columns: what `labels/counts.py` and `labels/siblings.py` count from records.

Not every way of counting goes this way. One that knows its numbers only from records (`ObservedScores`, a result
of steps other than `LastNumber`, ways that others add) is refused, and its chunk is labelled from records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from steplabel.labels.coded import CodedEvidence
from steplabel.labels.counting import Counting, RolloutCounts, SiblingCounts
from steplabel.labels.step_results import LastNumber, last_number
from steplabel.schemas import SolutionSource
from steplabel.schemas.batches import OUTCOME_CORRECT, BoolArray, FloatArray, IntArray
from steplabel.schemas.columns import NotColumnarError, coded_words, field_of, numbers_in
from steplabel.transforms.columnar.claims import SourceColumns, claims_at, paid_once
from steplabel.transforms.columnar.evidence import EvidenceColumns, check_distinct, numbers_of
from steplabel.transforms.columnar.numbering import firsts
from steplabel.transforms.columnar.outcomes import choose_outcomes
from steplabel.transforms.columnar.states import ELSEWHERE, Located, locate, rollout_heads


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedColumns:
    """What was counted, and whose rollouts and outcomes it was.

    Attributes:
        coded: for `labels.coded.count_coded`.
        outcome_rows: [n], the row in the outcomes of what was said of each solution, -1 where nobody spoke.
        completers: ids of completers that were heard together, joined with ", ", and the empty text.
        heard: [n], which of these each solution has at its steps.
    """

    coded: CodedEvidence
    outcome_rows: IntArray
    completers: Sequence[str]
    heard: IntArray


ColumnarCounting = RolloutCounts | SiblingCounts


def columnar(counting: Counting) -> ColumnarCounting:
    """The way of counting, if it goes by columns.

    Raises:
        NotColumnarError: it knows records only.
    """
    # By type, not by kind: a subclass may count anything.
    if type(counting) is RolloutCounts:
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
        return _Counter(evidence, voice, asked=None).siblings(by_number=counting.result is not None)
    return _Counter(evidence, voice, asked=counting.probe).rollouts(counting.probe)


class _Counter:
    """Evidence whose outcomes were chosen: what all ways of counting share."""

    def __init__(self, evidence: EvidenceColumns, voice: str, *, asked: str | None) -> None:
        """`asked`: only rollouts of this probe count; "": those of none; None: no rollouts at all."""
        probes, words = coded_words(evidence.rollouts.column("probe"))
        wanted = np.array([word == asked for word in words.to_pylist()], dtype=np.bool_)
        self.evidence = evidence = replace(evidence, rollouts=evidence.rollouts.where(wanted[probes]))
        solutions, outcomes = evidence.solutions, evidence.outcomes
        named = ((solutions, "id"), (evidence.rollouts, "key"), (outcomes, "subject"))
        self.ids, self.keys, subjects = numbers_of([(part.column(name), part.problem) for part, name in named])
        check_distinct(self.ids, "solutions of a problem")
        size = 1 + max(int(part.max(initial=-1)) for part in (self.ids, self.keys, subjects))
        self.chosen = choose_outcomes(outcomes, subjects, size=size, voice=voice)
        sources, words = coded_words(solutions.column("source"))
        self.drawn: BoolArray = np.array([word != SolutionSource.TREE for word in words.to_pylist()])[sources]

    def rollouts(self, probe: str) -> CountedColumns:
        """The rollouts that start where steps end, or answers to a probe there."""
        evidence, observations = self.evidence, self.evidence.observations
        said = (observations.column("subject"), observations.problem)
        prefixes, problems, begun = rollout_heads(evidence.rollouts)
        plain = locate(evidence, said) if probe else locate(evidence, said, (prefixes, problems))
        # Where nobody was asked there is nothing to find, and every key of a probe costs a hash.
        asked = locate(evidence, (prefixes, problems), probe=probe) if probe and len(prefixes) else plain
        places = np.where(firsts(self.keys), asked.found[-1][begun], ELSEWHERE)
        here = places != ELSEWHERE
        ends = _Ends(
            places=places[here],
            ends=self.chosen.ends[self.keys[here]],
            tokens=evidence.rollouts.ints("completion_tokens")[here],
        )
        completers, heard = self._completers(np.where(places < asked.size, places, ELSEWHERE), asked)
        coded = self._coded(asked, plain, ends, costs=self._costs(), samples_stand_in=not probe)
        return CountedColumns(coded=coded, outcome_rows=self.chosen.rows[self.ids], completers=completers, heard=heard)

    def siblings(self, *, by_number: bool) -> CountedColumns:
        """The sampled solutions that passed through the same states, or through steps of the same result."""
        evidence, observations = self.evidence, self.evidence.observations
        plain = locate(evidence, (observations.column("subject"), observations.problem))
        states = _by_number(evidence, plain) if by_number else plain
        owner = evidence.owner
        passed = np.unique(owner[self.drawn[owner]] * states.size + states.steps[self.drawn[owner]])
        solution, places = np.divmod(passed, states.size)
        none = np.zeros(len(passed), dtype=np.int64)
        ends = _Ends(places=places, ends=self.chosen.ends[self.ids[solution]], tokens=none)
        nothing = np.zeros(len(self.ids), dtype=np.int64)
        coded = self._coded(states, plain, ends, costs=nothing, samples_stand_in=True)
        return CountedColumns(coded=coded, outcome_rows=self.chosen.rows[self.ids], completers=("",), heard=nothing)

    def _coded(
        self, states: Located, plain: Located, ends: _Ends, *, costs: IntArray, samples_stand_in: bool
    ) -> CodedEvidence:
        evidence, problem = self.evidence, self.evidence.solutions.problem
        many = len(evidence.problems)
        outcome = self.chosen.outcomes(self.ids)
        right = np.bincount(problem[self.drawn & (outcome == OUTCOME_CORRECT)], minlength=many)
        asked = np.bincount(ends.places[ends.places >= states.size] - states.size, minlength=many) > 0
        if samples_stand_in:
            ends = ends.joined(self._stand_ins(np.flatnonzero(self.drawn & ~asked[problem]), states))
        at_steps, at_roots = self._claims(plain)
        return CodedEvidence(
            offsets=evidence.offsets,
            labelable=numbers_in(field_of(evidence.steps, "labelable"), np.bool_),
            states=states.steps,
            roots=states.size + problem,
            root_asked=asked[problem],
            outcome=outcome,
            siblings_correct=right[problem],
            siblings_total=np.bincount(problem[self.drawn], minlength=many)[problem],
            costs=costs,
            end_states=ends.places,
            ends=ends.ends,
            end_tokens=ends.tokens,
            verdicts={source: said[plain.steps] for source, said in sorted(at_steps.verdicts.items())},
            scores={source: said[plain.steps] for source, said in sorted(at_steps.scores.items())},
            root_scores=at_roots,
        )

    def _stand_ins(self, solutions: IntArray, states: Located) -> _Ends:
        """Sampled solutions start at the bare problem: they are its rollouts where nobody asked for others."""
        return _Ends(
            places=states.size + self.evidence.solutions.problem[solutions],
            ends=self.chosen.ends[self.ids[solutions]],
            tokens=np.zeros(len(solutions), dtype=np.int64),
        )

    def _claims(self, plain: Located) -> tuple[SourceColumns, dict[str, FloatArray]]:
        """What observations say of states, and how they grade the bare problem, [n] by source."""
        observations, places = self.evidence.observations, plain.found[0]
        at_roots = claims_at(observations, places - plain.size, len(self.evidence.problems))
        scores = {source: said[self.evidence.solutions.problem] for source, said in sorted(at_roots.scores.items())}
        graded = {source: said for source, said in scores.items() if not np.isnan(said).all()}
        return claims_at(observations, places, plain.size), graded

    def _costs(self) -> IntArray:
        """[n], what observations about the bare problem, the steps' states and the solution itself cost."""
        evidence = self.evidence
        paid = paid_once(evidence.observations)
        problem, offsets = evidence.solutions.problem, evidence.offsets
        if not len(paid):
            return np.zeros(len(problem), dtype=np.int64)
        tokens, subject = paid.ints("cost_tokens"), (paid.column("subject"), paid.problem)
        ids, subjects = numbers_of([(evidence.solutions.column("id"), problem), subject])
        located = locate(evidence, subject)
        here = located.found[0] != ELSEWHERE
        of_states = _sums(located.found[0][here], tokens[here], located.size + len(evidence.problems))
        of_ids = _sums(subjects, tokens, 1 + int(max(ids.max(), subjects.max())))
        along = np.concatenate([[0], np.cumsum(of_states[located.steps])])
        of_steps = along[offsets[1:]] - along[offsets[:-1]]
        return np.asarray(of_steps + of_states[located.size + problem] + of_ids[ids])

    def _completers(self, places: IntArray, asked: Located) -> tuple[Sequence[str], IntArray]:
        """[R] places at steps -> the ids that were heard together, and [n] which of these at each solution."""
        codes, words = coded_words(self.evidence.rollouts.column("completer"))
        heard = np.zeros((len(self.ids), len(words)), dtype=np.bool_)
        for code in range(len(words)):
            at = np.zeros(asked.size, dtype=np.bool_)
            at[places[(codes == code) & (places != ELSEWHERE)]] = True
            heard[:, code] = np.logical_or.reduceat(at[asked.steps], self.evidence.offsets[:-1])
        if not len(words):
            return ("",), np.zeros(len(self.ids), dtype=np.int64)
        names = words.to_pylist()
        together, which = np.unique(heard, axis=0, return_inverse=True)
        joined = [", ".join(sorted(name for name, is_in in zip(names, row, strict=True) if is_in)) for row in together]
        return joined, which.reshape(-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ends:
    """What began somewhere: its place (a `Located` state or bare problem), how it ended, its tokens."""

    places: IntArray
    ends: IntArray
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


def _by_number(evidence: EvidenceColumns, plain: Located) -> Located:
    """Steps of one problem that come to the same number end in one state; the others in that of their prefix."""
    codes, texts = coded_words(field_of(evidence.steps, "text"))
    results = [last_number(text) for text in texts.to_pylist()]
    known = {result: code for code, result in enumerate(dict.fromkeys(results))}
    stated = np.array([result is not None for result in results])[codes]
    meaning = np.array([known[result] for result in results], dtype=np.int64)[codes]
    pairs = evidence.step_problem * len(known) + meaning
    grouped, which = np.unique(pairs, return_inverse=True)
    steps = np.where(stated, plain.size + which, plain.steps)
    return Located(steps=steps, size=plain.size + len(grouped), found=())
