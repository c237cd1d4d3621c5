"""Where an answer ends: at a stop text, however its tokens lie, and at what the model's turns end with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from steplabel.engines import Completion, GenerateRequest, Prompt
from steplabel.engines.text.codec import TextCodec, stop_position
from steplabel.engines.transformers.engine import TransformersEngine
from steplabel.schemas import FinishReason, ModelIdentity, SamplingParams

PROMPT = Prompt(text="Say it.\n")


class Reciter(LlamaForCausalLM):
    """A real model that is made to say given tokens: the i-th of them behind the first `begin` it reads."""

    script: Sequence[int] = ()
    begin: int = 0

    def forward(self, input_ids: torch.Tensor, position_ids: torch.Tensor, **options: Any) -> Any:
        output = super().forward(input_ids=input_ids, position_ids=position_ids, **options)
        for row, position in enumerate(position_ids[:, -1].tolist()):
            at = min(position + 1 - self.begin, len(self.script) - 1)
            output.logits[row, -1, self.script[at]] = 1e4
        return output


def reciter(style: Any, eos: int | None = None) -> Reciter:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(style.tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=4096,
        eos_token_id=eos,
        bos_token_id=None,
    )
    return Reciter(config).eval()


def recite(style: Any, script: Sequence[int], *, prefix: str = "", **sampling: Any) -> Completion:
    """What the engine makes of a model that says `script` behind the prefix."""
    request = GenerateRequest(
        prompt=PROMPT, prefix=prefix, sampling=SamplingParams(temperature=0, max_tokens=200, **sampling)
    )

    async def run() -> Completion:
        model = reciter(style)
        model.script, model.begin = script, len(style.codec.render(request).token_ids)
        engine = TransformersEngine(model, style.codec, identity=ModelIdentity(name="reciter"))
        try:
            return (await engine.generate(request)).samples[0]
        finally:
            await engine.close()

    return asyncio.run(run())


def spell(style: Any, text: str) -> tuple[int, ...]:
    """Ids of a text behind the prompt, and the end of the turn."""
    ids = style.behind(GenerateRequest(prompt=PROMPT, prefix=text))
    return (*ids, style.tokenizer.convert_tokens_to_ids(style.end))


TEXT = "First, café ≤ 46.\n\nSo the answer is 漢字 10."


@pytest.mark.parametrize("include", [False, True], ids=["cut before", "included"])
@pytest.mark.parametrize(
    "stop",
    ["\n\n", ".\n\nSo", "answer", "swer i", "é", "≤ 4", "字", "F", "10."],
    ids=["newlines", "three tokens", "one word", "within words", "accent", "signs", "bytes", "at once", "last"],
)
def test_a_stop_wherever_its_tokens_lie(style: Any, stop: str, include: bool) -> None:
    """Over several tokens, within one, over the bytes of a character: the text ends there and says `stop`."""
    sample = recite(style, spell(style, TEXT), stop=(stop,), include_stop=include)
    at = TEXT.index(stop)
    assert sample.text == TEXT[: at + len(stop) if include else at]
    assert sample.finish_reason is FinishReason.STOP
    assert TEXT.startswith(style.codec.decode(sample.token_ids))
    assert stop in style.codec.decode(sample.token_ids)


stops = st.lists(st.sampled_from([TEXT[a:b] for a in range(len(TEXT)) for b in range(a + 1, a + 6)]), max_size=4)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(stops=stops, include=st.booleans())
def test_the_first_stop_counts(style: Any, stops: list[str], include: bool) -> None:
    """Of several stops, the one that is complete first ends the text; not a token more is made than it needs."""
    ids = spell(style, TEXT)[:-1]
    sample = recite(style, spell(style, TEXT), stop=tuple(stops), include_stop=include)
    heads = [style.codec.decode(ids[:count]) for count in range(len(ids) + 1)]
    count = next((n for n, head in enumerate(heads) if any(stop in head for stop in stops)), None)
    if count is None:
        assert (sample.text, sample.completion_tokens) == (TEXT, len(ids) + 1)
    else:
        at = stop_position(heads[count], stops, include=include)
        assert (sample.text, sample.completion_tokens) == (heads[count][:at], count)


@pytest.mark.parametrize("prefix", ["So ##", "So ###", "So ####\n"])
def test_a_stop_does_not_begin_in_the_prefix(style: Any, prefix: str) -> None:
    """A stop half in the prefix, or wholly, is none: only what the model writes now is looked at."""
    assert recite(style, spell(style, "## and on"), prefix=prefix, stop=("####",)).text == "## and on"
    assert recite(style, spell(style, "## and #### on"), prefix=prefix, stop=("####",)).text == "## and "


def test_the_turns_end_ends_an_answer(style: Any) -> None:
    """The model's generation config names no end at all: the template's own does, and costs one token."""
    ids = spell(style, "It is 10.")
    beyond = (*ids, *spell(style, "user\nNext?"))
    sample = recite(style, beyond)
    assert sample.text == "It is 10."
    assert sample.finish_reason is FinishReason.STOP
    assert (sample.token_ids, sample.completion_tokens) == (ids[:-1], len(ids))


def test_ends_are_the_tokenizers_and_the_templates(style: Any) -> None:
    """Both the end of a text and the end of a turn."""
    expected = {style.tokenizer.convert_tokens_to_ids(token) for token in (style.end, style.tokenizer.eos_token)}
    assert style.codec.end_ids == expected


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}",
        "{{ '<|im_start|>' + messages[0].content }}",
        "{{ raise_exception('never') }}",
        "{% for m in messages %}{{ m.content | upper }}<|im_end|>{% endfor %}",
    ],
    ids=["plain text between turns", "no answer", "refuses", "changes the answer"],
)
def test_templates_without_an_end(family: Callable[[str], Any], template: str) -> None:
    """No token behind the answer, no end but the tokenizer's: nothing is guessed."""
    tokenizer = deepcopy(family("chatml").tokenizer)
    tokenizer.chat_template = template
    assert TextCodec(tokenizer).end_ids == {tokenizer.eos_token_id}


def test_a_cut_answer_says_length(style: Any) -> None:
    """An answer that never ends is cut at max_tokens, and says so."""
    ids = spell(style, "It is 10.")[:-1]
    cut = recite(style, ids)  # the script's last token is said for ever
    assert (cut.finish_reason, cut.completion_tokens) == (FinishReason.LENGTH, 200)
