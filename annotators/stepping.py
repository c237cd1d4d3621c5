"""Advance one program without a loop, with a plain function as the world: for tests, examples and replays.

from steplabel.annotators.stepping import answer_by, samples_with

annotation = answer_by(program, lambda effect: samples_with(effect, outcomes))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from steplabel.annotators.effects import Concurrently, Finished, Program, Sample, Samples
from steplabel.schemas import CheckedOutcome, FinishReason, Outcome, Reason, Rollout, content_id

T = TypeVar("T")

Oracle = Callable[[Any], Any]
"""Takes an effect, returns its answer or raises what the world would raise."""


def answer_by(program: Program[T], oracle: Oracle) -> T:
    """Run a program to its end. Concurrent programs run one after the other, which they cannot notice.

    Raises whatever escapes the program; an error of the oracle is thrown into it first, as the driver does.
    """
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            effect = program.send(answer) if error is None else program.throw(error)
        except StopIteration as stop:
            result: T = stop.value
            return result
        try:
            answer, error = _answer(effect, oracle), None
        except Exception as caught:  # noqa: BLE001  the program that asked decides what a failed answer means
            answer, error = None, caught


def _answer(effect: Any, oracle: Oracle) -> Any:
    if not isinstance(effect, Concurrently):
        return oracle(effect)
    return tuple(_finished(index, program, oracle) for index, program in enumerate(effect.programs))


def _finished(index: int, program: Program[Any], oracle: Oracle) -> Finished[int, Any]:
    try:
        return Finished(key=index, result=answer_by(program, oracle))
    except Exception as error:  # noqa: BLE001  whatever escapes one program is that program's result
        return Finished(key=index, error=error)


def samples_with(
    question: Sample,
    outcomes: Sequence[Outcome],
    *,
    reason: str = Reason.NO_ANSWER,
    completer: str = "oracle",
    tokens: int = 0,
) -> Samples:
    """Answer a question with `question.n` empty completions that end as told; `reason` is the unknown ones'.

    Keys depend on the prefix, the seed and the index alone, as those of a store do.
    """
    rollouts = tuple(_rollout(question, question.start + i, completer, tokens) for i in range(question.n))
    return Samples(
        rollouts=rollouts,
        outcomes=tuple(
            CheckedOutcome(
                subject=rollout.key,
                checker="oracle",
                checker_version="1",
                outcome=outcome,
                reason=reason if outcome is Outcome.UNKNOWN else "",
            )
            for rollout, outcome in zip(rollouts, outcomes, strict=True)
        ),
    )


def _rollout(question: Sample, index: int, completer: str, tokens: int) -> Rollout:
    return Rollout(
        key=content_id("oracle", completer, question.node_key, question.probe, question.sampling, question.seed, index),
        node_key=question.node_key,
        problem_id=question.problem.id,
        completer=completer,
        sampling=question.sampling,
        seed=question.seed,
        index=index,
        text="",
        finish_reason=FinishReason.STOP,
        completion_tokens=tokens,
        probe=question.probe,
    )
