"""The handler of `Score`: two requests, whose difference is the text's own log-probability."""

from __future__ import annotations

import asyncio
import math
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from steplabel.annotators import GoldLogprob, Sample, Score, Scored, drive
from steplabel.annotators.steps.gold_logprob import GoldLikelihood
from steplabel.engines import (
    BudgetedEngine,
    Completion,
    Completions,
    Engine,
    GenerateRequest,
    RenderedPrompt,
    RolloutStore,
    ScriptedEngine,
)
from steplabel.engines.bundled import weights_path
from steplabel.engines.transformers.engine import TransformersEngine
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.schemas import (
    BudgetExhausted,
    ConfigError,
    EngineError,
    FinishReason,
    GoldAnswer,
    Problem,
    SamplingParams,
    make_solution,
)
from steplabel.schemas.codec import from_json
from steplabel.schemas.segmentation import NewlineSteps
from steplabel.transforms.prompts import PromptTemplate
from steplabel.transforms.sampler import Sampler
from steplabel.transforms.scorer import Scorer
from steplabel.verifiers import AnswerChecker

TEXT = "Uma has 62 cards.\nJune: gets 76 as a gift.\nHow many cards does Uma have?"
PROBLEM = Problem(id="p", text=TEXT, gold=GoldAnswer(text="138"))
STEP = "June: 62+76=138\n"


def question(prefix: str = STEP + "Answer: ", continuation: str = "138") -> Score:
    return Score(problem=PROBLEM, node_key=PROBLEM.root_key, prefix=prefix, continuation=continuation)


def split_words(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


def scored(engine: Engine, effect: Score) -> Scored:
    return asyncio.run(Scorer(engine=engine, prompt=PromptTemplate())(effect))


class Arithmetic:
    """An engine whose prompts cost a nat for every word, but the last one what is told: sums known by hand."""

    def __init__(self, last: float = 1.0, tell: Callable[[float], float | None] = lambda logprob: logprob) -> None:
        self.asked: list[GenerateRequest] = []
        self._words = ScriptedEngine(lambda request, index, seed: "")
        self._last, self._tell = last, tell
        self.identity, self.render, self.close = self._words.identity, self._words.render, self._words.close

    async def generate(self, request: GenerateRequest) -> Completions:
        self.asked.append(request)
        answer = await self._words.generate(request)
        logprob = -float(answer.prompt_tokens) + 1.0 - (self._last if request.prefix.endswith("138") else 1.0)
        return replace(answer, prompt_logprob=self._tell(logprob))


def test_by_hand() -> None:
    """The prefix is n words and the text one more, of a log-probability of -2.5: the rest cancels."""
    assert scored(Arithmetic(last=2.5), question()) == Scored(
        logprob=pytest.approx(-2.5), tokens=1, completer=Arithmetic().identity.id
    )


def test_what_is_asked() -> None:
    """One token, greedy, with the prompt's log-probability; the blank goes to the word behind it."""
    scored(engine := Arithmetic(), question())
    assert [request.prefix for request in engine.asked] == [STEP + "Answer:", STEP + "Answer: 138"]
    for request in engine.asked:
        assert (request.n, request.sampling.max_tokens, request.sampling.temperature) == (1, 1, 0.0)
        assert request.prompt_logprobs == 0


def test_an_engine_without_prompt_logprobs_is_named() -> None:
    """The configuration's fault, with what to use instead."""
    with pytest.raises(ConfigError, match=r"scripted@\w+ gives no log-probabilities of prompts.*transformers or vllm"):
        scored(ScriptedEngine(lambda request, index, seed: "x"), question())


def test_what_the_engine_refuses_is_passed_on() -> None:
    """An engine that says so itself is heard."""

    def refuse(request: GenerateRequest, index: int, seed: int) -> str:
        raise ConfigError("this server gives no log-probabilities of prompts")

    with pytest.raises(ConfigError, match="this server"):
        scored(ScriptedEngine(refuse), question())


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_no_number_is_an_engine_error(value: float) -> None:
    """It is unknown, and may be asked again; no probability is made of it."""
    with pytest.raises(EngineError, match="no number"):
        scored(Arithmetic(tell=lambda logprob: value), question())


def test_a_text_that_adds_no_token_is_an_engine_error() -> None:
    """Its border fell inside a token: nothing can be said of it alone."""
    with pytest.raises(EngineError, match="added 0 tokens"):
        scored(Arithmetic(), question(prefix="Answer", continuation="138"))


def test_nothing_to_score_is_refused() -> None:
    """Blanks alone are no answer."""
    with pytest.raises(ConfigError, match="no text to score"):
        scored(Arithmetic(), question(continuation=" "))


def test_rounding_never_makes_it_certain_beyond_one() -> None:
    """A difference above zero is zero."""
    assert scored(Arithmetic(last=-0.01), question()).logprob == 0.0


def test_a_spent_budget_is_passed_on() -> None:
    """The program ends it; here it is only raised."""
    with pytest.raises(BudgetExhausted):
        scored(BudgetedEngine(Arithmetic(), max_requests=0), question())


@pytest.fixture(scope="module")
def bundled() -> Iterator[TransformersEngine]:
    """The model that ships with the package."""
    engine = TransformersSpec(device="cpu").open()
    yield engine
    asyncio.run(engine.close())


@pytest.fixture(scope="module")
def model() -> Any:
    """The same weights, without any of our code around them."""
    return AutoModelForCausalLM.from_pretrained(weights_path(), dtype=torch.float32).eval()


def reference(engine: TransformersEngine, model: Any, prefix: str, text: str) -> tuple[float, int]:
    """log p(text | prompt, prefix) by one forward pass, where prefix and text meet between two tokens."""
    prompt = PromptTemplate().prompt(PROBLEM)
    before = engine.render(GenerateRequest(prompt=prompt, prefix=prefix)).token_ids
    both = engine.render(GenerateRequest(prompt=prompt, prefix=prefix + text)).token_ids
    assert both[: len(before)] == before
    with torch.inference_mode():
        table = model(torch.tensor([both])).logits[0].double().log_softmax(-1)
    return sum(table[at - 1, both[at]].item() for at in range(len(before), len(both))), len(both) - len(before)


@pytest.mark.parametrize("prefix", ["", STEP], ids=["root", "one step"])
@pytest.mark.parametrize(
    ("lead", "text"), [("Answer: ", "138"), ("Answer: ", "140"), ("Answer", ": 138")], ids=["right", "wrong", "sign"]
)
def test_equals_a_plain_forward_pass(
    bundled: TransformersEngine, model: Any, prefix: str, lead: str, text: str
) -> None:
    """Of the bundled model, which reads ": " as one token: the prefix keeps its blank."""
    found = scored(bundled, question(prefix + lead, text))
    logprob, tokens = reference(bundled, model, prefix + lead, text)
    assert found.tokens == tokens
    assert found.logprob == pytest.approx(logprob, abs=1e-3)


def test_the_blank_goes_where_the_tokenizer_puts_it() -> None:
    """With tokens of one word each, the blank before it among them, the prefix is sent without its blank."""

    class Words(Arithmetic):
        """Reads a word and the blanks before it as one token."""

        def __init__(self) -> None:
            super().__init__()
            self.render = self._rendered

        def _rendered(self, request: GenerateRequest) -> RenderedPrompt:
            text = f"{request.prompt.text}{request.prefix}"
            return RenderedPrompt(text=text, token_ids=tuple(map(zlib.crc32, map(str.encode, split_words(text)))))

    scored(engine := Words(), question("So it is ", "138"))
    assert [request.prefix for request in engine.asked] == ["So it is", "So it is 138"]
    assert len(engine.render(engine.asked[1]).token_ids) == len(engine.render(engine.asked[0]).token_ids) + 1


def test_the_right_answer_is_likelier_behind_the_right_step(bundled: TransformersEngine) -> None:
    """What the annotator is for, on a real model: the step that computes the answer makes it likely."""
    root, step = scored(bundled, question("Answer: ")), scored(bundled, question())
    assert step.logprob > root.logprob
    assert scored(bundled, question(continuation="138")).logprob > scored(bundled, question(continuation="140")).logprob


def test_a_store_answers_the_second_time(tmp_path: Path, bundled: TransformersEngine) -> None:
    """Scores are kept like samples: the model is not asked again, and the number is the same."""

    async def run(engine: Engine) -> Scored:
        store = RolloutStore(engine, tmp_path / "rollouts.sqlite")
        try:
            return await Scorer(engine=store, prompt=PromptTemplate())(question())
        finally:
            await store.close()

    class Kept(BudgetedEngine):
        async def close(self) -> None:
            """Left open for the other tests."""

    first = asyncio.run(run(Kept(bundled)))
    assert asyncio.run(run(Kept(bundled, max_requests=0))) == first


def test_the_annotator_end_to_end(bundled: TransformersEngine) -> None:
    """Program, driver, handler and model together: an observation for the root and for each step but the last."""
    solution = make_solution(PROBLEM, NewlineSteps().split(STEP + "Answer: 138"))

    async def run() -> Any:
        handlers = {Score: Scorer(engine=bundled, prompt=PromptTemplate())}
        programs = [(0, GoldLogprob().program(PROBLEM, solution, None, seed=1))]
        return [done async for done in drive(programs, handlers, in_flight=1)]

    (done,) = asyncio.run(run())
    root, step, last = done.unwrap().observations
    assert (root.subject, step.subject, last.source) == (PROBLEM.root_key, solution.node_keys[0], "outcome")
    assert 0 < root.score < step.score <= 1
    evidence = from_json(step.evidence, GoldLikelihood)
    assert evidence.completer == bundled.identity.id
    assert evidence.change == pytest.approx(step.score - root.score)


def test_a_probe_is_answered_behind_its_own_text() -> None:
    """`Sample.probe` reaches the model behind the prefix, and the answer is read from all three together."""
    asked: list[GenerateRequest] = []

    def script(request: GenerateRequest, index: int, seed: int) -> Completion:
        asked.append(request)
        return Completion(index=index, text=" 138", finish_reason=FinishReason.STOP, completion_tokens=3)

    effect = Sample(
        problem=PROBLEM,
        node_key="probe",
        prefix=STEP,
        probe="Answer: ",
        n=1,
        sampling=SamplingParams(max_tokens=16),
        seed=0,
    )
    handler = Sampler(engine=ScriptedEngine(script), prompt=PromptTemplate(), checker=AnswerChecker())
    samples = asyncio.run(handler(effect))
    assert asked[0].prefix == STEP + "Answer:"
    assert samples.rollouts[0].node_key == "probe"
    assert samples.outcomes[0].outcome == "correct"
