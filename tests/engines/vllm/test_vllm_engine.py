"""vLLM as an engine, for real: the bundled model on the CPU build, compared with the transformers engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from steplabel.engines import Completions, GenerateRequest, Prompt
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.schemas import ConfigError, FinishReason, SamplingParams

if TYPE_CHECKING:
    from steplabel.engines.transformers.engine import TransformersEngine
    from steplabel.engines.vllm.engine import VLLMEngine

pytestmark = [pytest.mark.slow, pytest.mark.vllm, pytest.mark.timeout(1800)]

Ask = Callable[..., GenerateRequest]
END = 2  # the bundled model's end token


def texts(answer: Completions) -> list[str]:
    return [sample.text for sample in answer.samples]


def answers(engine: Any, requests: list[GenerateRequest]) -> list[Completions]:
    """All asked at once, each time from a new event loop: engines serve any."""

    async def run() -> list[Completions]:
        return await asyncio.gather(*map(engine.generate, requests))

    return asyncio.run(run())


@pytest.fixture(scope="module")
def reference() -> Iterator[TransformersEngine]:
    """The same model by transformers."""
    opened = TransformersSpec(threads=1).open()
    yield opened
    asyncio.run(opened.close())


def logprobs(reference: TransformersEngine, ids: list[int]) -> list[float]:
    """Log-probability of each token but the first, by a plain forward pass."""
    import torch

    model = reference._scheduler._decoder._model
    with torch.inference_mode():
        table = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    return [table[at - 1, ids[at]].item() for at in range(1, len(ids))]


def test_greedy_text_equals_the_transformers_engines(
    engine: VLLMEngine, reference: TransformersEngine, ask_problem: Ask
) -> None:
    """In float32 both decode a dozen prompts to the same tokens, texts and reasons."""
    requests = [ask_problem(i, temperature=0) for i in range(12)]
    for ours, theirs in zip(answers(engine, requests), answers(reference, requests), strict=True):
        assert ours.samples == theirs.samples
        assert ours.prompt_tokens == theirs.prompt_tokens


def test_identity_is_the_transformers_engines(engine: VLLMEngine, reference: TransformersEngine) -> None:
    """The open engines agree, too: a store serves either."""
    assert engine.identity == reference.identity


def test_greedy_samples_are_copies(engine: VLLMEngine, ask_problem: Ask) -> None:
    """vLLM refuses to draw several greedy samples; asked for three we give one three times, each by its index."""
    (answer,) = answers(engine, [ask_problem(temperature=0, n=3, start=4)])
    assert [sample.index for sample in answer.samples] == [4, 5, 6]
    assert len(set(texts(answer))) == 1


@pytest.mark.parametrize(("first", "second"), [(1, 7), (6, 2), (4, 4)])
def test_start_continues_a_request(engine: VLLMEngine, ask_problem: Ask, first: int, second: int) -> None:
    """Samples 0..m-1 and then m..7 are the samples 0..7 of one request."""
    whole, head, tail = answers(
        engine, [ask_problem(n=8, seed=3), ask_problem(n=first, seed=3), ask_problem(n=second, start=first, seed=3)]
    )
    assert whole.samples == head.samples + tail.samples
    assert len(set(texts(whole))) > 1


def test_seeds_differ(engine: VLLMEngine, ask_problem: Ask) -> None:
    """Neighbouring seeds share no sample but by chance: seed 1 is not seed 0 moved by one."""
    zero, one = answers(engine, [ask_problem(n=8, seed=seed) for seed in (0, 1)])
    assert texts(zero)[1:] != texts(one)[:-1]
    assert len(set(texts(zero)) & set(texts(one))) < 4


def test_samples_do_not_depend_on_the_crowd(engine: VLLMEngine, ask_problem: Ask) -> None:
    """Requests for one sample and for eight, alone and among 60 others: each is drawn the same."""
    wanted = [ask_problem(number, n=n, seed=7) for number, n in ((0, 1), (1, 8), (2, 1), (3, 3))]
    others = [ask_problem(i % 9, n=1 + 7 * (i % 2), seed=100 + i, max_tokens=1 + 7 * i % 90) for i in range(60)]
    alone = [answers(engine, [request])[0].samples for request in wanted]
    crowd = answers(engine, [*others[:30], *wanted, *others[30:]])[30:34]
    assert [answer.samples for answer in crowd] == alone


def test_a_prefix_goes_on_as_before(engine: VLLMEngine, ask_problem: Ask) -> None:
    """Cutting a greedy answer behind a line and continuing it gives the rest of it."""
    (whole,) = answers(engine, [ask_problem(temperature=0)])
    text = texts(whole)[0]
    cut = text.index("\n") + 1
    (rest,) = answers(engine, [ask_problem(temperature=0, prefix=text[:cut])])
    assert text[:cut] + texts(rest)[0] == text


def test_stop_ends_a_sample(engine: VLLMEngine, ask_problem: Ask) -> None:
    """A stop cuts the text before it, or behind it; nothing is made beyond it; the ids stay as drawn."""
    stop = ("\nAnswer", "\0")
    free, cut, kept = answers(
        engine,
        [ask_problem(n=6, seed=5, **more) for more in ({}, {"stop": stop}, {"stop": stop, "include_stop": True})],
    )
    assert any(stop[0] in text for text in texts(free))
    for plain, without, included in zip(free.samples, cut.samples, kept.samples, strict=True):
        at = plain.text.find(stop[0])
        if at < 0:
            assert without == included == plain
            continue
        assert (without.text, included.text) == (plain.text[:at], plain.text[: at + len(stop[0])])
        assert without.finish_reason is FinishReason.STOP
        assert without.token_ids == plain.token_ids[: len(without.token_ids)]
        assert without.completion_tokens == len(without.token_ids)


def test_end_token_ends_a_sample(engine: VLLMEngine, reference: TransformersEngine, ask_problem: Ask) -> None:
    """The end token is counted as a cost, and is in neither the ids nor the text, which the codec would write."""
    (answer,) = answers(engine, [ask_problem(n=32, seed=1)])
    ended = [sample for sample in answer.samples if sample.finish_reason is FinishReason.STOP]
    assert ended
    for sample in ended:
        assert END not in sample.token_ids
        assert sample.completion_tokens == len(sample.token_ids) + 1
    for sample in answer.samples:
        assert sample.text == reference._codec.decode(sample.token_ids)


@pytest.mark.parametrize("max_tokens", [1, 5])
def test_length_ends_a_sample(engine: VLLMEngine, ask_problem: Ask, max_tokens: int) -> None:
    """max_tokens is kept exactly, and said."""
    (answer,) = answers(engine, [ask_problem(n=4, max_tokens=max_tokens)])
    for sample in answer.samples:
        assert sample.finish_reason is FinishReason.LENGTH
        assert sample.completion_tokens == len(sample.token_ids) == max_tokens


def test_context_clips_the_answer(engine: VLLMEngine) -> None:
    """Where prompt and max_tokens exceed the context of 512, the answer ends there by length."""
    request = GenerateRequest(
        prompt=Prompt(text="1" * 500), sampling=SamplingParams(max_tokens=400, stop=("Answer: 0",)), n=4
    )
    (answer,) = answers(engine, [request])
    assert answer.prompt_tokens == 501
    assert all(sample.completion_tokens <= 11 for sample in answer.samples)
    assert any(sample.completion_tokens == 11 for sample in answer.samples)


def test_logprobs_are_the_models_own(engine: VLLMEngine, reference: TransformersEngine, ask_problem: Ask) -> None:
    """The sum over answer and prompt is that of a plain forward pass, whatever temperature and cut-offs."""
    request = ask_problem(n=4, seed=2, temperature=0.7, top_k=5, logprobs=3, prompt_logprobs=1)
    (answer,) = answers(engine, [request])
    prompt = list(engine.render(request).token_ids)
    assert answer.prompt_logprob == pytest.approx(sum(logprobs(reference, prompt)), abs=1e-2)
    for sample in answer.samples:
        ended = [END] if sample.finish_reason is FinishReason.STOP else []
        table = logprobs(reference, [*prompt, *sample.token_ids, *ended])
        assert sample.cumulative_logprob == pytest.approx(sum(table[len(prompt) - 1 :]), abs=1e-3)


def test_logprobs_only_where_asked_for(engine: VLLMEngine, ask_problem: Ask) -> None:
    """Neither is reported unasked; asking changes no sample."""
    plain, asked = answers(engine, [ask_problem(n=2, seed=9), ask_problem(n=2, seed=9, logprobs=0)])
    assert plain.prompt_logprob is None
    assert {sample.cumulative_logprob for sample in plain.samples} == {None}
    assert texts(plain) == texts(asked)


def test_a_prompt_seen_before_is_cached_until_it_is_forgotten(engine: VLLMEngine, ask_problem: Ask) -> None:
    """Its whole blocks of 32 tokens are counted, the prompt's own once for all samples; a reset forgets them."""
    request = ask_problem(11, seed=77)
    answers(engine, [request])
    (again,) = answers(engine, [request])
    length = len(engine.render(request).token_ids)
    assert again.prompt_tokens == length
    assert again.cached_tokens == (length - 1) // 32 * 32 > 0
    asyncio.run(engine.reset_prefix_cache())
    (forgotten,) = answers(engine, [request])
    assert forgotten.cached_tokens == 0
    assert texts(forgotten) == texts(again)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"prefix": "1" * 512}, "context of 512"),
        ({"prefix": "1" * 900}, "context of 512"),
        ({"temperature": 2.5}, "temperature"),
        ({"temperature": 0.001}, "temperature"),
    ],
    ids=["prompt fills the context", "prompt exceeds it", "hot", "nearly greedy"],
)
def test_requests_that_can_never_work(engine: VLLMEngine, ask_problem: Ask, options: dict[str, Any], says: str) -> None:
    """They are the configuration's fault, the message says what of it, and others are served."""
    with pytest.raises(ConfigError, match=says):
        answers(engine, [ask_problem(**options)])
    assert len(answers(engine, [ask_problem(max_tokens=2)])) == 1


def test_what_vllm_refuses_fails_alone(engine: VLLMEngine, ask_problem: Ask) -> None:
    """A request that only vLLM itself finds fault with is a ConfigError, those beside it are answered."""
    from vllm import SamplingParams as VLLMParams

    async def run() -> list[Any]:
        good = [engine.generate(ask_problem(i, max_tokens=5)) for i in range(4)]
        return await asyncio.gather(engine._supervisor.generate([], VLLMParams()), *good, return_exceptions=True)

    refused, *good = asyncio.run(run())
    assert isinstance(refused, ConfigError)
    assert "cannot be empty" in str(refused)
    assert [type(answer) for answer in good] == [Completions] * 4


def test_three_hundred_at_once(engine: VLLMEngine, ask_problem: Ask) -> None:
    """More samples than rows: each request gets its own answer, of its own length."""
    requests = [ask_problem(i % 20, n=1 + i % 3, seed=i, max_tokens=1 + i % 12) for i in range(300)]
    crowd = answers(engine, requests)
    assert [len(answer.samples) for answer in crowd] == [1 + i % 3 for i in range(300)]
    for i, answer in enumerate(crowd):
        assert all(sample.completion_tokens <= 1 + i % 12 for sample in answer.samples)
        assert answer.prompt_tokens == len(engine.render(requests[i]).token_ids)


def test_cancelled_request_leaves_the_batch(engine: VLLMEngine, ask_problem: Ask) -> None:
    """A caller that goes takes its request along: vLLM is left with nothing to do."""
    waiting = engine._supervisor._llm.output_processor.has_unfinished_requests

    async def run() -> None:
        endless = asyncio.create_task(engine.generate(ask_problem(n=256, max_tokens=440)))
        while not waiting():
            await asyncio.sleep(0.01)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        while waiting():
            await asyncio.sleep(0.01)
        assert not endless.done() or endless.cancelled()

    asyncio.run(run())
