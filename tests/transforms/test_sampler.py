"""The handler of `Sample`: what it asks the engine, and the reasons that come back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from steplabel.annotators.effects import Sample, Samples
from steplabel.engines import Completion, GenerateRequest, ScriptedEngine
from steplabel.schemas import FinishReason, GoldAnswer, Outcome, Problem, Reason, SamplingParams
from steplabel.transforms.prompts import PromptTemplate
from steplabel.transforms.sampler import Sampler
from steplabel.verifiers import AnswerChecker

PROBLEM = Problem(id="p", text="2+2?", gold=GoldAnswer(text="4"))
THOUGHT = "<think>\nPerhaps \\boxed{3}, as 1+2=3.\n"


def sampled(said: Any, *, prefix: str = "", prefix_ids: tuple[int, ...] = ()) -> tuple[Samples, list[GenerateRequest]]:
    """Ask a script that says `said`; what came back, and what was asked."""
    asked: list[GenerateRequest] = []

    def script(request: GenerateRequest, index: int, seed: int) -> Any:
        asked.append(request)
        return said

    effect = Sample(
        problem=PROBLEM,
        node_key=PROBLEM.root_key,
        prefix=prefix,
        prefix_ids=prefix_ids,
        n=1,
        sampling=SamplingParams(),
        seed=0,
    )
    handler = Sampler(engine=ScriptedEngine(script), prompt=PromptTemplate(), checker=AnswerChecker())
    return asyncio.run(handler(effect)), asked


def cut(text: str, finish: FinishReason = FinishReason.LENGTH) -> Completion:
    return Completion(index=0, text=text, finish_reason=finish, completion_tokens=3)


@pytest.mark.parametrize(
    ("said", "outcome", "reason"),
    [
        (cut("2+2 is"), Outcome.UNKNOWN, Reason.LENGTH),
        (cut("so \\boxed{4"), Outcome.UNKNOWN, Reason.LENGTH),
        (cut("so \\boxed{4}, and"), Outcome.CORRECT, "exact"),
        (cut("", FinishReason.FILTERED), Outcome.UNKNOWN, Reason.FILTERED),
        ("I cannot say.", Outcome.UNKNOWN, Reason.NO_ANSWER),
        ("", Outcome.UNKNOWN, Reason.NO_ANSWER),
        ("so \\boxed{5}", Outcome.WRONG, "number"),
    ],
    ids=["cut", "cut in the answer", "cut behind the answer", "filtered", "no answer", "nothing", "wrong"],
)
def test_reasons_reach_the_outcome(said: str | Completion, outcome: Outcome, reason: str) -> None:
    """`length`, `filtered` and `no_answer` are kept from the engine to the outcome, and are never wrong answers."""
    samples, _ = sampled(said)
    assert (samples.outcomes[0].outcome, samples.outcomes[0].reason) == (outcome, reason)
    finish = said.finish_reason if isinstance(said, Completion) else FinishReason.STOP
    assert samples.rollouts[0].finish_reason is finish


@pytest.mark.parametrize(
    ("said", "outcome", "reason"),
    [
        ("No: 4.\n</think>\n\nIt is \\boxed{4}.", Outcome.CORRECT, "exact"),
        (cut("No: it is 4, but let me"), Outcome.UNKNOWN, Reason.LENGTH),
    ],
    ids=["answered", "cut while thinking"],
)
def test_thoughts_do_not_answer(said: str | Completion, outcome: Outcome, reason: str) -> None:
    """An answer weighed in the thoughts of the prefix is not the final one."""
    samples, _ = sampled(said, prefix=THOUGHT)
    assert (samples.outcomes[0].outcome, samples.outcomes[0].reason) == (outcome, reason)


def test_prefix_and_its_tokens_are_sent() -> None:
    """As the program gave them."""
    _, (request,) = sampled("4", prefix="2+2=", prefix_ids=(5, 6))
    assert (request.prefix, request.prefix_ids) == ("2+2=", (5, 6))


@pytest.mark.parametrize("said", [" So \\boxed{4}.", "So \\boxed{4}."])
def test_blanks_at_the_end_of_a_sentence(said: str) -> None:
    """A space belongs to the word behind it: the model is not shown it, and it stands once in the whole text."""
    samples, (request,) = sampled(said, prefix="First, add. ")
    assert request.prefix == "First, add."
    assert samples.rollouts[0].text == "So \\boxed{4}."
