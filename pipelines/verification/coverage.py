"""What a verifier said of many solutions: how much of them it covers, and how right it is where that is known.

Counted from evidence that holds its observations, so that what was verified before counts like what was just done.
Shares of nothing are None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from steplabel.schemas import NO_ERROR, Evidence, Observation, Outcome, Solution, Verdict
from steplabel.verifiers.registry import AnyVerifier, speaks_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkCounts:
    """Against the first errors that people marked; steps behind a marked error say nothing.

    Attributes:
        solutions: with a marked error, or marked as without.
        right_steps: before the marked error, or all where there is none.
        right_decided: of these, what the verifier decided.
        false_alarms: of these, what it says fails.
        errors: marked wrong steps.
        found: of these, what it says fails.
        located: solutions whose first failing step is the marked one, or without both.
        precision: found / (found + false_alarms).
        recall: found / errors.
        accuracy: located / solutions.
    """

    solutions: int
    right_steps: int
    right_decided: int
    false_alarms: int
    errors: int
    found: int
    located: int
    precision: float | None
    recall: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCounts:
    """Against what the file says of final answers: a right one may follow a wrong step.

    Attributes:
        solutions: whose final answer is right or wrong.
        wrong: whose is wrong.
        failing: in which a step fails.
        failing_wrong: both.
        precision: failing_wrong / failing.
        recall: failing_wrong / wrong.
    """

    solutions: int
    wrong: int
    failing: int
    failing_wrong: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What one verifier said.

    Attributes:
        solutions: of problems that it is made for.
        steps: that may be labelled, of these.
        claimed: steps of which it says something: the others asserted nothing that it reads.
        unknown: claimed steps that it could not decide, by reason (without what follows a colon).
        scored: claimed steps that it grades instead of deciding.
        stopped: solutions of which it said as a whole that it does not know, by reason: a limit was reached.
        marks, answers: None where the file says nothing of them.
    """

    verifier: str
    version: str
    solutions: int
    steps: int
    claimed: int
    holds: int
    fails: int
    unknown: Mapping[str, int]
    scored: int
    stopped: Mapping[str, int]
    marks: MarkCounts | None
    answers: AnswerCounts | None

    @property
    def decided(self) -> int:
        """Steps that hold or fail."""
        return self.holds + self.fails


class CoverageCounter:
    """Counts what one verifier said, solution after solution."""

    def __init__(self, verifier: AnyVerifier) -> None:
        self._verifier = verifier
        # Of the records above, each by the names of its fields.
        self._steps: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._stopped: Counter[str] = Counter()
        self._marks: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()

    def add(self, evidence: Evidence, first_error: int | None) -> None:
        """Count a problem with its observations; the mark is that of its only solution."""
        if not speaks_of(self._verifier, evidence.problem):
            return
        said = {one.subject: one for one in evidence.observations if self._is_mine(one)}
        outcomes = {one.subject: one.outcome for one in evidence.outcomes if one.outcome is not Outcome.UNKNOWN}
        for solution in evidence.solutions:
            verdicts = self._add_steps(solution, said)
            self._add_whole(said.get(solution.id))
            self._add_answer(outcomes.get(solution.id), fails=Verdict.FAILS in verdicts)
            if first_error is not None:
                self._add_mark(verdicts, first_error)

    def _is_mine(self, observation: Observation) -> bool:
        return (observation.source, observation.source_version) == (self._verifier.name, self._verifier.version)

    def _add_steps(self, solution: Solution, said: Mapping[str, Observation]) -> list[Verdict | None]:
        """Count the steps; returns the verdict of each, None where nothing was said or the step is no claim."""
        self._steps["solutions"] += 1
        verdicts: list[Verdict | None] = []
        for step, key in zip(solution.steps, solution.node_keys, strict=True):
            observation = said.get(key) if step.labelable else None
            self._steps["steps"] += step.labelable
            verdicts.append(observation.verdict if observation else None)
            if observation is not None:
                self._add_step(observation)
        return verdicts

    def _add_step(self, observation: Observation) -> None:
        self._steps["claimed"] += 1
        if observation.verdict is not Verdict.UNKNOWN:
            self._steps[observation.verdict] += 1
        elif observation.score is not None:
            self._steps["scored"] += 1
        else:
            self._unknown[_reason(observation)] += 1

    def _add_whole(self, observation: Observation | None) -> None:
        if observation is not None and observation.verdict is Verdict.UNKNOWN and observation.score is None:
            self._stopped[_reason(observation)] += 1

    def _add_answer(self, outcome: Outcome | None, *, fails: bool) -> None:
        if outcome is None:
            return
        wrong = outcome is Outcome.WRONG
        self._answers.update(solutions=1, wrong=wrong, failing=fails, failing_wrong=wrong and fails)

    def _add_mark(self, verdicts: list[Verdict | None], first_error: int) -> None:
        right = verdicts if first_error == NO_ERROR else verdicts[:first_error]
        failing = [i for i, verdict in enumerate(verdicts) if verdict is Verdict.FAILS]
        self._marks.update(
            solutions=1,
            right_steps=len(right),
            right_decided=sum(verdict in (Verdict.HOLDS, Verdict.FAILS) for verdict in right),
            false_alarms=right.count(Verdict.FAILS),
            errors=first_error != NO_ERROR,
            found=first_error in failing,
            located=min(failing, default=NO_ERROR) == first_error,
        )

    def said(self) -> Coverage:
        """What was counted so far."""
        count, marks, answers = self._steps, self._marks, self._answers
        return Coverage(
            verifier=self._verifier.name,
            version=self._verifier.version,
            solutions=count["solutions"],
            steps=count["steps"],
            claimed=count["claimed"],
            holds=count[Verdict.HOLDS],
            fails=count[Verdict.FAILS],
            unknown=dict(self._unknown.most_common()),
            scored=count["scored"],
            stopped=dict(self._stopped.most_common()),
            marks=_counted(
                MarkCounts,
                marks,
                precision=_share(marks["found"], marks["found"] + marks["false_alarms"]),
                recall=_share(marks["found"], marks["errors"]),
                accuracy=_share(marks["located"], marks["solutions"]),
            ),
            answers=_counted(
                AnswerCounts,
                answers,
                precision=_share(answers["failing_wrong"], answers["failing"]),
                recall=_share(answers["failing_wrong"], answers["wrong"]),
            ),
        )


Counts = TypeVar("Counts", MarkCounts, AnswerCounts)


def _counted(kind: type[Counts], count: Counter[str], **shares: float | None) -> Counts | None:
    """Counts under the names of their fields, and shares of them; None where there was no solution to count."""
    if not count["solutions"]:
        return None
    values: dict[str, Any] = {field.name: int(count[field.name]) for field in fields(kind)} | shares
    return kind(**values)


def _reason(observation: Observation) -> str:
    return observation.reason.partition(":")[0] or "no reason"


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
