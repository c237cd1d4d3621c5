"""Hand-made evidence: as counts in a small notation, and as real records."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from steplabel.schemas import (
    CheckedOutcome,
    Evidence,
    FinishReason,
    GoldAnswer,
    Observation,
    Outcome,
    Problem,
    Reason,
    Rollout,
    SamplingParams,
    Solution,
    Step,
    StepKind,
    content_id,
    make_solution,
)
from steplabel.schemas.batches import Counts, EvidenceBatch, FloatArray, LabelBatch

# Properties are about labels, not time: a busy machine must not fail them.
settings.register_profile("labels", deadline=None)
settings.load_profile("labels")

OUTCOME_CODES = {"right": 1, "wrong": 0, "open": -1}
MARK_SIGNS = {1: "+", -1: "-", 0: "?"}
_COUNTS = re.compile(r"(o?)(?:(\d+)/(\d+))?(?:\?(\d+))?(?:!(\d+))?")


@pytest.fixture(scope="session")
def batch_of() -> Callable[..., EvidenceBatch]:
    """Batch from lines like "8/8 . 0/6?2 o" and outcomes.

    `c/k`: counts, k without the unknown. `.`: not asked. `?u`: u rollouts without an answer. `!u`: u unknown
    for another reason. `o`: a tool observation. `roots`: such counts at the bare problem, one a solution.
    `scores`: by source the scores of all steps, such as ".5 ? 1" (`?`: silent); `root_scores`: of all roots.
    `verdicts`: by source those of all steps, such as "+ ? -".
    """

    def build(
        solutions: Sequence[str],
        outcomes: Sequence[str],
        roots: Sequence[str] | None = None,
        *,
        scores: Mapping[str, str] | None = None,
        root_scores: Mapping[str, str] | None = None,
        verdicts: Mapping[str, str] | None = None,
    ) -> EvidenceBatch:
        rows, lengths = [], []
        for line in solutions:
            words = line.split()
            lengths.append(len(words))
            rows += [_counts(word) for word in words]
        table = np.array(rows, dtype=np.int64).reshape(-1, 5)
        n = len(lengths)
        return EvidenceBatch(
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            labelable=table[:, 0] == 1,
            correct=table[:, 1],
            wrong=table[:, 2],
            unknown=table[:, 3] + table[:, 4],
            unanswered=table[:, 3],
            outcome=np.array([OUTCOME_CODES[o] for o in outcomes], dtype=np.int64),
            tokens=np.zeros(n, dtype=np.int64),
            siblings_correct=np.zeros(n, dtype=np.int64),
            siblings_total=np.ones(n, dtype=np.int64),
            root=None if roots is None else _root_counts(roots),
            root_asked=None if roots is None else np.array([root != "." for root in roots]),
            scores=_scores(scores),
            root_scores=_scores(root_scores),
            verdicts={
                source: np.array([SAID[word] for word in line.split()]) for source, line in (verdicts or {}).items()
            },
        )

    return build


SAID = {"+": 1, "-": -1, "?": 0}


def _scores(lines: Mapping[str, str] | None) -> dict[str, FloatArray]:
    return {
        source: np.array([math.nan if word == "?" else float(word) for word in line.split()])
        for source, line in (lines or {}).items()
    }


def _root_counts(words: Sequence[str]) -> Counts:
    table = np.array([_counts(word) for word in words], dtype=np.int64).reshape(-1, 5)
    return Counts(correct=table[:, 1], wrong=table[:, 2], unknown=table[:, 3] + table[:, 4], unanswered=table[:, 3])


def _counts(word: str) -> tuple[int, int, int, int, int]:
    match = _COUNTS.fullmatch(word.replace(".", ""))
    assert match, f"not a count: {word}"
    observation, correct, decided, unanswered, other = match.groups(default="")
    c, k = int(correct or 0), int(decided or 0)
    return int(not observation), c, k - c, int(unanswered or 0), int(other or 0)


@pytest.fixture(scope="session")
def signs() -> Callable[[LabelBatch], str]:
    """Marks as text: "++-?"."""
    return lambda labels: "".join(MARK_SIGNS[mark] for mark in labels.marks.tolist())


class Records:
    """Builds real evidence records about one problem, from step texts and outcome words."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def solution(self, *steps: str | Step, index: int = 0, **fields: Any) -> Solution:
        """Texts become steps; a text that starts with "tool:" becomes an observation."""
        made = tuple(s if isinstance(s, Step) else _step(s) for s in steps)
        return make_solution(self.problem, made, index=index, **fields)

    def rollouts(
        self, node_key: str, n: int, *, completer: str = "m", tokens: int = 10, probe: str = ""
    ) -> tuple[Rollout, ...]:
        """n rollouts from a node, with keys that depend on node, probe, completer and index alone."""
        return tuple(
            Rollout(
                key=content_id("test", node_key, probe, completer, i),
                node_key=node_key,
                problem_id=self.problem.id,
                completer=completer,
                sampling=SamplingParams(),
                seed=0,
                index=i,
                text=f"rollout {i}",
                finish_reason=FinishReason.STOP,
                completion_tokens=tokens,
                probe=probe,
            )
            for i in range(n)
        )

    def outcome(
        self,
        subject: str,
        letter: str,
        *,
        checker: str = "answer",
        version: str = "1",
        reason: str | None = None,
    ) -> CheckedOutcome:
        """c correct, w wrong, u without an answer, x a checker that timed out."""
        words = {
            "c": (Outcome.CORRECT, "exact"),
            "w": (Outcome.WRONG, "number"),
            "u": (Outcome.UNKNOWN, f"{Reason.NO_ANSWER}: nothing boxed"),
            "x": (Outcome.UNKNOWN, Reason.TIMEOUT),
        }
        outcome, why = words[letter]
        return CheckedOutcome(
            subject=subject,
            checker=checker,
            checker_version=version,
            outcome=outcome,
            reason=why if reason is None else reason,
            answer="4" if outcome is not Outcome.UNKNOWN else None,
        )

    def evidence(
        self,
        solutions: Sequence[Solution],
        asked: dict[str, str] | dict[str | tuple[str, str], str] | None = None,
        ends: Sequence[str] = (),
        *,
        observations: tuple[Observation, ...] = (),
        **rollout_fields: Any,
    ) -> Evidence:
        """`asked`: by node key, or by that and a probe, a letter for each rollout; `ends`: of solutions ("": none)."""
        rollouts, outcomes = [], []
        for start, letters in (asked or {}).items():
            key, probe = start if isinstance(start, tuple) else (start, "")
            made = self.rollouts(key, len(letters), probe=probe, **rollout_fields)
            rollouts += made
            outcomes += [self.outcome(r.key, letter) for r, letter in zip(made, letters, strict=True)]
        outcomes += [self.outcome(s.id, end) for s, end in zip(solutions, ends, strict=False) if end]
        return Evidence(
            problem=self.problem,
            solutions=tuple(solutions),
            rollouts=tuple(rollouts),
            outcomes=tuple(outcomes),
            observations=observations,
        )


def _step(text: str) -> Step:
    return Step(text=text, kind=StepKind.OBSERVATION if text.startswith("tool:") else StepKind.TEXT)


@pytest.fixture(scope="session")
def problem() -> Problem:
    """What all hand-made records are about."""
    return Problem(
        id="p1",
        text="What is 2 + 2?",
        gold=GoldAnswer(text="4"),
        group_id="g1",
        domain="maths",
        split="train",
        source="made",
        licence="MIT",
        source_row='{"a": 1}',
    )


@pytest.fixture(scope="session")
def records(problem: Problem) -> Records:
    """A builder of evidence about `problem`."""
    return Records(problem)
