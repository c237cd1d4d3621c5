"""The engine as its callers see it: futures, batches, cancellation, failure, close."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM, MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast

from steplabel.engines import Completions, GenerateRequest, Prompt
from steplabel.engines.transformers.engine import TransformersEngine
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.schemas import (
    ConfigError,
    ContentPart,
    EngineClosed,
    EngineError,
    FinishReason,
    Message,
    ModelIdentity,
    Role,
    SamplingParams,
)

Opened = Callable[..., AbstractAsyncContextManager[TransformersEngine]]
Ask = Callable[..., GenerateRequest]
PROMPTS = ["a", "hello world", "12+34=46.\n", "z" * 40, "ab ba", "q9", "x = 7\ny = 8\n", "the end."]


def texts(answer: Completions) -> list[str]:
    return [sample.text for sample in answer.samples]


async def together(engine: TransformersEngine, requests: list[GenerateRequest]) -> list[Completions]:
    return await asyncio.gather(*(engine.generate(request) for request in requests))


def reference(model: Any, tokenizer: PreTrainedTokenizerFast, text: str, max_tokens: int) -> tuple[int, ...]:
    """Greedy tokens by the library's own loop, one prompt at a time, the end token left out."""
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    out = model.generate(ids, max_new_tokens=max_tokens, do_sample=False, pad_token_id=0)
    generated = out[0, ids.shape[1] :].tolist()
    return tuple(token for token in generated if token != 2)


@pytest.mark.parametrize("max_rows", [1, 3, 64])
def test_greedy_equals_generate(
    opened: Opened, ask: Ask, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, max_rows: int
) -> None:
    """Ragged prompts, whatever the batch: token by token what `model.generate` gives each one alone."""

    async def run() -> list[Completions]:
        async with opened(max_rows=max_rows) as engine:
            return await together(engine, [ask(text, temperature=0, max_tokens=30) for text in PROMPTS])

    for text, answer in zip(PROMPTS, asyncio.run(run()), strict=True):
        assert answer.samples[0].token_ids == reference(model, tokenizer, text, 30)


def test_greedy_equals_generate_with_a_sliding_window(
    opened: Opened, ask: Ask, tokenizer: PreTrainedTokenizerFast
) -> None:
    """A cache of another kind is decoded in whole batches, and gives what `model.generate` gives."""
    torch.manual_seed(1)
    config = MistralConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        sliding_window=8,
        initializer_range=0.3,
        eos_token_id=2,
    )
    sliding = MistralForCausalLM(config).eval()

    async def run() -> list[Completions]:
        async with opened(sliding, max_rows=3) as engine:
            return await together(engine, [ask(text, temperature=0, max_tokens=25, n=2) for text in PROMPTS])

    for text, answer in zip(PROMPTS, asyncio.run(run()), strict=True):
        expected = reference(sliding, tokenizer, text, 25)
        assert [sample.token_ids for sample in answer.samples] == [expected, expected]


def test_samples_do_not_depend_on_the_crowd(opened: Opened, ask: Ask) -> None:
    """A seeded request gives the same samples alone and among 40 others that come, stop and go."""
    wanted = ask("12+34=", n=5, seed=7, temperature=0.9, max_tokens=40)

    async def run(others: int) -> Completions:
        async with opened(max_rows=16) as engine:
            crowd = [
                ask("y" * (1 + 7 * i % 60), n=1 + i % 4, seed=i, max_tokens=1 + 11 * i % 50) for i in range(others)
            ]
            answers = await together(engine, [*crowd[: others // 2], wanted, *crowd[others // 2 :]])
            return answers[others // 2]

    assert asyncio.run(run(0)).samples == asyncio.run(run(40)).samples


@pytest.mark.parametrize(("first", "second"), [(1, 7), (6, 2), (4, 4)])
def test_start_continues_a_request(opened: Opened, ask: Ask, first: int, second: int) -> None:
    """Samples 0..m-1 and then m..7 are the samples 0..7 of one request."""

    async def run() -> tuple[Completions, ...]:
        async with opened() as engine:
            whole = await engine.generate(ask(n=8, seed=3))
            head = await engine.generate(ask(n=first, seed=3))
            tail = await engine.generate(ask(n=second, start=first, seed=3))
            return whole, head, tail

    whole, head, tail = asyncio.run(run())
    assert whole.samples == head.samples + tail.samples
    assert [sample.index for sample in whole.samples] == list(range(8))
    assert len(set(texts(whole))) > 1


def test_prefix_is_read_with_the_prompt(opened: Opened, ask: Ask) -> None:
    """Prompt and prefix are one text: where the border lies does not matter."""

    async def run() -> tuple[Completions, Completions]:
        async with opened() as engine:
            return (
                await engine.generate(ask("abc", prefix="def", n=3)),
                await engine.generate(ask("abcdef", n=3)),
            )

    one, other = asyncio.run(run())
    assert one == other
    assert one.prompt_tokens == 7  # <s> and six letters


def test_greedy_prefix_goes_on_as_before(opened: Opened, ask: Ask) -> None:
    """Cutting a greedy answer and continuing it gives the rest of it."""

    async def run() -> tuple[str, str]:
        async with opened() as engine:
            whole = texts(await engine.generate(ask("hello", temperature=0, max_tokens=24)))[0]
            rest = await engine.generate(ask("hello", prefix=whole[:10], temperature=0, max_tokens=14))
            return whole, whole[:10] + texts(rest)[0]

    whole, again = asyncio.run(run())
    assert whole == again


def test_stop_ends_at_the_first_stop(opened: Opened, ask: Ask) -> None:
    """A stop of several tokens cuts the text before it, or behind it; no later text is made."""

    async def run() -> tuple[Completions, list[Completions]]:
        async with opened() as engine:
            free = await engine.generate(ask("hello", n=6, max_tokens=60))
            stop = free.samples[0].text[7:10]
            kept = [ask("hello", n=6, max_tokens=60, stop=(stop, "\0"), include_stop=k) for k in (False, True)]
            return free, await together(engine, kept)

    free, (without, included) = asyncio.run(run())
    stop = free.samples[0].text[7:10]
    for plain, cut, whole in zip(free.samples, without.samples, included.samples, strict=True):
        at = plain.text.find(stop)
        if at < 0:
            assert cut == whole == plain
            continue
        assert (cut.text, whole.text) == (plain.text[:at], plain.text[: at + 3])
        assert cut.finish_reason is FinishReason.STOP
        # One token a character, but for special ones: not one more was made than the stop needed.
        assert sum(token > 3 for token in cut.token_ids) == at + 3
        assert cut.token_ids == plain.token_ids[: cut.completion_tokens]


def test_end_token_ends_a_sample(opened: Opened, ask: Ask) -> None:
    """The end token is counted as a cost, and is in neither the ids nor the text."""

    async def run() -> Completions:
        async with opened() as engine:
            return await engine.generate(ask(n=64, max_tokens=200, temperature=1.5))

    ended = [s for s in asyncio.run(run()).samples if s.finish_reason is FinishReason.STOP]
    assert ended
    for sample in ended:
        assert 2 not in sample.token_ids
        assert sample.completion_tokens == len(sample.token_ids) + 1
        assert "</s>" not in sample.text


@pytest.mark.parametrize("max_tokens", [1, 5])
def test_length_ends_a_sample(opened: Opened, ask: Ask, max_tokens: int) -> None:
    """max_tokens is kept exactly, and said."""

    async def run() -> Completions:
        async with opened() as engine:
            return await engine.generate(ask(n=8, temperature=0, max_tokens=max_tokens))

    for sample in asyncio.run(run()).samples:
        assert sample.finish_reason is FinishReason.LENGTH
        assert sample.completion_tokens == len(sample.token_ids) == max_tokens


def test_context_clips_the_answer(opened: Opened, ask: Ask) -> None:
    """Where prompt and max_tokens exceed the context, the answer ends there by length."""

    async def run() -> Completions:
        async with opened() as engine:
            return await engine.generate(ask("a" * 250, temperature=0, max_tokens=100))

    (sample,) = asyncio.run(run()).samples
    assert sample.completion_tokens == 256 - 251
    assert sample.finish_reason is FinishReason.LENGTH


def chat() -> Prompt:
    return Prompt(messages=(Message(role=Role.USER, parts=(ContentPart(text="hi"),)),))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda ask: ask("a" * 255), "context of 256"),
        (lambda ask: ask("a" * 400), "401 tokens"),
        (lambda ask: GenerateRequest(prompt=chat()), "no chat template"),
    ],
    ids=["prompt fills the context", "prompt exceeds it", "no template"],
)
def test_requests_that_can_never_work(opened: Opened, ask: Ask, make: Any, says: str) -> None:
    """They are the configuration's fault, and the message says what of it."""

    async def run() -> None:
        async with opened() as engine:
            with pytest.raises(ConfigError, match=says):
                await engine.generate(make(ask))
            await engine.generate(ask())

    asyncio.run(run())


def test_logprobs_are_the_models_own(opened: Opened, ask: Ask, model: LlamaForCausalLM) -> None:
    """The reported sum is that of a plain forward pass over prompt and answer, whatever the temperature."""

    async def run() -> tuple[Completions, tuple[int, ...]]:
        async with opened() as engine:
            request = ask("hello", n=4, logprobs=0, temperature=0.5)
            return await engine.generate(request), engine.render(request).token_ids

    answer, prompt = asyncio.run(run())
    for sample in answer.samples:
        ids = [*prompt, *sample.token_ids, *([2] if sample.finish_reason is FinishReason.STOP else [])]
        with torch.inference_mode():
            table = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = sum(table[at - 1, ids[at]].item() for at in range(len(prompt), len(ids)))
        assert sample.cumulative_logprob == pytest.approx(expected, abs=1e-3)


def test_many_requests_at_once(opened: Opened, ask: Ask) -> None:
    """200 concurrent requests of different lengths, more rows than fit: each gets its own answer."""

    async def run() -> tuple[list[Completions], list[Completions]]:
        requests = [ask("ab"[i % 2] * (1 + i % 30), n=1 + i % 5, seed=i, max_tokens=10) for i in range(200)]
        async with opened(max_rows=32) as engine:
            crowd = await together(engine, requests)
            alone = [await engine.generate(request) for request in requests[::40]]
            return crowd, alone

    crowd, alone = asyncio.run(run())
    assert [len(answer.samples) for answer in crowd] == [1 + i % 5 for i in range(200)]
    assert crowd[::40] == alone


def test_more_samples_than_rows(opened: Opened, ask: Ask) -> None:
    """A request wider than the batch, or than the token budget, is answered in turns."""

    async def run(**options: Any) -> Completions:
        async with opened(**options) as engine:
            return await engine.generate(ask(n=50, seed=5))

    assert asyncio.run(run(max_rows=7)) == asyncio.run(run()) == asyncio.run(run(token_budget=60))


@pytest.mark.timeout(100)
def test_cancelled_request_gives_its_rows_free(opened: Opened, ask: Ask) -> None:
    """Others go on, and the engine does not finish what nobody waits for: that would take it minutes."""

    async def run() -> Completions:
        async with opened(max_rows=4) as engine:
            endless = asyncio.create_task(engine.generate(ask(n=4_000, max_tokens=200)))
            await asyncio.sleep(0.1)
            endless.cancel()
            with pytest.raises(asyncio.CancelledError):
                await endless
            return await engine.generate(ask("hello", n=2, seed=1))

    assert len(asyncio.run(run()).samples) == 2


def test_a_cancelled_request_leaves_those_aboard_unharmed(opened: Opened, ask: Ask) -> None:
    """Rows that move into the places of a cancelled request's go on, and draw what they would have drawn alone."""
    staying = ask("hello", n=8, seed=3, max_tokens=60)

    async def run(leaving: GenerateRequest | None) -> Completions:
        async with opened() as engine:
            leaver = asyncio.create_task(engine.generate(leaving)) if leaving else None
            stayer = asyncio.create_task(engine.generate(staying))
            while leaver and len(engine._scheduler._decoder.rows) < 12:
                assert not leaver.done(), "nobody was left to leave"
                await asyncio.sleep(0)
            if leaver:
                leaver.cancel()
            return await stayer

    assert asyncio.run(run(ask("goes away", n=8, max_tokens=200))).samples == asyncio.run(run(None)).samples


def test_close_fails_what_waits(opened: Opened, ask: Ask) -> None:
    """Running, waiting and later requests all get EngineClosed; closing twice is fine."""

    async def run() -> list[Any]:
        async with opened(max_rows=2) as engine:
            waiting = [asyncio.create_task(engine.generate(ask(n=100, max_tokens=200, seed=i))) for i in range(3)]
            await asyncio.sleep(0.05)
            await engine.close()
            await engine.close()
            with pytest.raises(EngineClosed):
                await engine.generate(ask())
            return await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(result) for result in asyncio.run(run())] == [EngineClosed] * 3


class Fragile(LlamaForCausalLM):
    """A real model that fails on command, as one out of memory does."""

    failure: Exception | None = None
    most_rows = 10**9
    failures = 0

    def forward(self, input_ids: torch.Tensor, **options: Any) -> Any:
        if self.failure is not None and input_ids.shape[1] == 1 and len(input_ids) > self.most_rows:
            self.failures += 1
            raise self.failure
        return super().forward(input_ids=input_ids, **options)


@pytest.fixture
def fragile(model: LlamaForCausalLM) -> Fragile:
    copy = Fragile(model.config).eval()
    copy.load_state_dict(model.state_dict())
    return copy


def test_failing_model_fails_its_requests_only(opened: Opened, ask: Ask, fragile: Fragile) -> None:
    """Whatever the model raises becomes an EngineError for those aboard; later requests work."""

    async def run() -> Completions:
        async with opened(fragile) as engine:
            fragile.failure, fragile.most_rows = ZeroDivisionError("broken"), 0
            with pytest.raises(EngineError, match="broken"):
                await engine.generate(ask(n=3))
            fragile.failure = None
            return await engine.generate(ask(n=3))

    assert len(asyncio.run(run()).samples) == 3


def test_out_of_memory_halves_the_batch(opened: Opened, ask: Ask, fragile: Fragile) -> None:
    """The rows aboard start again, fewer at a time, and come out as if nothing had happened."""
    fragile.failure, fragile.most_rows = torch.OutOfMemoryError("no memory"), 8

    async def run(used: Any) -> list[Completions]:
        async with opened(used, max_rows=16) as engine:
            return await together(engine, [ask("abc", n=12, seed=1), ask("defg", n=3, seed=2)])

    assert asyncio.run(run(fragile)) == asyncio.run(run(None))
    assert fragile.failures == 1


def test_out_of_memory_for_good_is_an_engine_error(opened: Opened, ask: Ask, fragile: Fragile) -> None:
    """With half the rows it fails again: the request fails, the thread does not."""
    fragile.failure, fragile.most_rows = torch.OutOfMemoryError("no memory"), 0

    async def run() -> None:
        async with opened(fragile, max_rows=4) as engine:
            with pytest.raises(EngineError, match="no memory"):
                await engine.generate(ask(n=4))
            fragile.failure = None
            await engine.generate(ask(n=4))

    asyncio.run(run())


def test_nan_logits_are_an_engine_error(opened: Opened, ask: Ask, fragile: Fragile) -> None:
    """A model that overflows does not write garbage: it fails."""
    with torch.no_grad():
        fragile.lm_head.weight.fill_(float("nan"))

    async def run() -> None:
        async with opened(fragile) as engine:
            for temperature in (0.0, 1.0):
                with pytest.raises(EngineError, match="not numbers"):
                    await engine.generate(ask(temperature=temperature))

    asyncio.run(run())


def test_caller_whose_loop_ended(ask: Ask, model: Any, tokenizer: PreTrainedTokenizerFast) -> None:
    """An answer for a loop that is gone is dropped; the next loop is served."""
    engine = TransformersEngine(model, tokenizer, identity=ModelIdentity(name="tiny"))
    loop = asyncio.new_event_loop()
    left = loop.create_task(engine.generate(ask(n=30, max_tokens=20)))
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    answer = asyncio.run(engine.generate(ask(n=2)))
    asyncio.run(engine.close())
    assert len(answer.samples) == 2
    left._log_destroy_pending = False  # type: ignore[attr-defined]  # leaving it behind is the point


@pytest.mark.slow
def test_bundled_model_solves_its_task() -> None:
    """The weights in the package load and finish most solutions by themselves."""
    bundled = pytest.importorskip("steplabel.engines.bundled")
    try:
        folder = Path(bundled.weights_path())
    except (AttributeError, FileNotFoundError) as error:
        pytest.skip(f"no bundled weights yet: {error}")
    if not list(folder.glob("*.safetensors")):
        pytest.skip("no bundled weights yet")
    prompt = "Uma has 62 cards.\nJune: gets 76 as a gift.\nHow many cards does Uma have?\n"

    async def run() -> Completions:
        engine = TransformersSpec().open()
        request = GenerateRequest(prompt=Prompt(text=prompt), n=8, sampling=SamplingParams(max_tokens=200))
        try:
            return await engine.generate(request)
        finally:
            await engine.close()

    answer = asyncio.run(run())
    assert sum(s.finish_reason is FinishReason.STOP for s in answer.samples) >= 6
    assert any("Answer" in text for text in texts(answer))
