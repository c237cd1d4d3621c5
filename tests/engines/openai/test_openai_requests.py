"""What is sent: prompts as text, ids and turns, sampling by each server's names, and what is refused instead."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from steplabel.engines import GenerateRequest, Prompt, RenderedPrompt
from steplabel.engines.checkpoints.checkpoint import tokenizer_hash
from steplabel.engines.checkpoints.tokenizer_files import find_tokenizer
from steplabel.engines.openai.dialects import Dialect, Mode, PrefixStyle, PromptAs, extensions
from steplabel.engines.openai.requests import RequestWriter, seed_of
from steplabel.engines.text.codec import TextCodec, load_codec
from steplabel.schemas import ConfigError, ContentPart, EngineError, Message, Role, SamplingParams

Ask = Callable[..., GenerateRequest]
TEMPLATE = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}[assistant]"
USER = Message(role=Role.USER, parts=(ContentPart(text="hi"),))


def writer(**changes: Any) -> RequestWriter:
    plain: dict[str, Any] = {
        "model": "m",
        "answers_as": "",
        "mode": Mode.COMPLETIONS,
        "dialect": Dialect.VLLM,
        "codec": None,
        "prompt_as": PromptAs.TOKENS,
        "prefix": None,
        "context": 0,
        "token_ids": False,
        "max_n": None,
    }
    return RequestWriter(**plain | changes)


def sent(request: GenerateRequest, start: int = 0, n: int = 1, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(writer(**changes).body(request, start, n))
    return body


@pytest.fixture(scope="session")
def codec(model_folder: Path) -> TextCodec:
    return load_codec(model_folder, "plain")


@pytest.fixture(scope="session")
def chat_codec(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TextCodec:
    folder = Path(shutil.copytree(model_folder, tmp_path_factory.mktemp("chat") / "tiny"))
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    return load_codec(folder, "chat")


def test_everything_is_said_to_vllm(ask: Ask) -> None:
    """It has defaults of its own for what is left out, from the model's files."""
    assert sent(ask("a", prefix="b", max_tokens=9, stop=("x",)), 3, 2) == {
        "model": "m",
        "prompt": "ab",
        "add_special_tokens": True,
        "n": 2,
        "seed": seed_of(0, 3),
        "temperature": 1.0,
        "top_p": 1.0,
        "top_k": -1,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "max_tokens": 9,
        "stop": ["x"],
        "include_stop_str_in_output": False,
    }


def test_the_standard_alone(ask: Ask) -> None:
    """A strict server gets nothing that it does not know."""
    assert set(sent(ask("a"), dialect=Dialect.OPENAI)) == {
        "model",
        "prompt",
        "n",
        "seed",
        "temperature",
        "top_p",
        "max_tokens",
    }
    chat = sent(ask("a"), dialect=Dialect.OPENAI, mode=Mode.CHAT)
    assert chat["max_completion_tokens"] == 100
    assert "max_tokens" not in chat


@pytest.mark.parametrize(
    ("dialect", "fields"),
    [
        (Dialect.VLLM, {"top_k": 5, "min_p": 0.1, "repetition_penalty": 1.5, "include_stop_str_in_output": False}),
        (Dialect.SGLANG, {"top_k": 5, "min_p": 0.1, "repetition_penalty": 1.5}),
        (Dialect.LLAMA_CPP, {"top_k": 5, "min_p": 0.1, "repeat_penalty": 1.5}),
    ],
)
def test_each_server_by_its_own_names(dialect: Dialect, fields: dict[str, Any]) -> None:
    """The same parameters, as the server calls them."""
    assert extensions(SamplingParams(top_k=5, min_p=0.1, repetition_penalty=1.5), dialect) == fields


@pytest.mark.parametrize("dialect", Dialect)
def test_every_extension_has_a_field(ask: Ask, dialect: Dialect) -> None:
    """No name in the table is one that bodies do not have."""
    assert sent(ask("a"), dialect=dialect)["model"] == "m"
    assert sent(ask("a"), dialect=dialect, mode=Mode.CHAT)["model"] == "m"


@pytest.mark.parametrize(
    ("dialect", "sampling", "says"),
    [
        (Dialect.OPENAI, {"top_k": 5}, "top_k=5"),
        (Dialect.OPENAI, {"min_p": 0.1}, "min_p=0.1"),
        (Dialect.OPENAI, {"repetition_penalty": 1.1}, "repetition_penalty=1.1"),
        (Dialect.OPENAI, {"stop": ("x",), "include_stop": True}, "include_stop"),
        (Dialect.LLAMA_CPP, {"stop": ("x",), "include_stop": True}, "include_stop"),
        (Dialect.VLLM, {"temperature": 0.009}, r"temperature=0\.009.*no less than 0\.01"),
        (Dialect.VLLM, {"temperature": 1e-6}, "0 is greedy"),
    ],
)
def test_what_cannot_be_expressed_is_refused(ask: Ask, dialect: Dialect, sampling: dict[str, Any], says: str) -> None:
    """Dropped silently, it would change every sample."""
    with pytest.raises(ConfigError, match=says):
        writer(dialect=dialect).check(ask("a", **sampling))


@pytest.mark.parametrize("dialect", Dialect)
def test_including_no_stop_text_is_always_possible(ask: Ask, dialect: Dialect) -> None:
    """Without stop texts the wish is empty."""
    writer(dialect=dialect).check(ask("a", include_stop=True))


def test_a_stop_text_that_the_server_names_is_put_back(ask: Ask) -> None:
    """SGLang has no exact flag for it, but says which stop text ended the sample."""
    request = ask("a", stop=("x",), include_stop=True)
    sglang = writer(dialect=Dialect.SGLANG)
    sglang.check(request)
    assert sglang.asked(request, 0, 1).add_stop
    assert not writer().asked(request, 0, 1).add_stop


def test_prompt_logprobs_where_there_are_any(ask: Ask) -> None:
    """vLLM has them."""
    request = ask("a", prompt_logprobs=3)
    writer().check(request)
    assert sent(request)["prompt_logprobs"] == 1
    with pytest.raises(ConfigError, match="log-probabilities of prompts"):
        writer(dialect=Dialect.SGLANG).check(request)


@pytest.mark.parametrize(
    ("dialect", "max_n", "width"),
    [
        (Dialect.VLLM, None, 50),
        (Dialect.VLLM, 8, 8),
        (Dialect.SGLANG, None, 1),
        (Dialect.LLAMA_CPP, None, 1),
        (Dialect.LLAMA_CPP, 4, 1),
        (Dialect.SGLANG, 8, 1),
        (Dialect.OPENAI, None, 50),
    ],
)
def test_width(ask: Ask, dialect: Dialect, max_n: int | None, width: int) -> None:
    """SGLang draws all samples of a request with one seed, so each is asked for alone, whatever the user wants."""
    assert writer(dialect=dialect, max_n=max_n).width(ask(n=50)) == width
    assert writer(dialect=dialect, max_n=max_n).width(ask(n=50, temperature=0)) == 1


def test_seeds_are_apart_and_small(ask: Ask) -> None:
    """31 bits hold them, as llama.cpp wants; the i-th sample has the base + i; bases depend on the seed alone."""
    bases = {seed_of(seed, 0) for seed in range(2000)}
    assert len(bases) == 2000
    assert all(0 <= base < 2**30 for base in bases)
    assert seed_of(2**80, 7) == seed_of(2**80, 0) + 7
    assert sent(ask("a", seed=5), 6, 2)["seed"] == seed_of(5, 6)


def test_ids_are_sent_where_there_is_a_tokenizer(ask: Ask, codec: TextCodec) -> None:
    """Prompt and prefix as one: exactly what `render` says, and what the store's key depends on."""
    request = ask("one", prefix=" and two")
    rendered = writer(codec=codec).render(request)
    assert rendered.token_ids == codec.render(request).token_ids
    assert tuple(sent(request, codec=codec)["prompt"]) == rendered.token_ids
    assert rendered.text == "one and two"


def test_messages_go_through_the_template(ask: Ask, chat_codec: TextCodec) -> None:
    """Rendered here, sent as ids; as text they must not get a second opening token."""
    request = ask(prompt=Prompt(messages=(USER,)), prefix=" yes")
    text = "[user] hi\n[assistant] yes"
    assert writer(codec=chat_codec).render(request).text == text
    assert sent(request, codec=chat_codec)["prompt"] == list(chat_codec.render(request).token_ids)
    as_text = {"codec": chat_codec, "prompt_as": PromptAs.TEXT}
    assert writer(**as_text).render(request) == RenderedPrompt(text=text)
    assert sent(request, **as_text)["prompt"] == text
    assert sent(request, **as_text)["add_special_tokens"] is False
    with pytest.raises(ConfigError, match="prompt_as=tokens"):
        writer(dialect=Dialect.LLAMA_CPP, **as_text).check(request)


def test_plain_text_as_text(ask: Ask, codec: TextCodec) -> None:
    """The server adds the opening token that the tokenizer adds here."""
    body = sent(ask("one"), codec=codec, prompt_as=PromptAs.TEXT)
    assert (body["prompt"], body["add_special_tokens"]) == ("one", True)
    writer(codec=codec, prompt_as=PromptAs.TEXT, dialect=Dialect.LLAMA_CPP).check(ask("one"))


def test_the_context_bounds_the_answer(ask: Ask, codec: TextCodec) -> None:
    """vLLM refuses what might not fit: it is asked for what is left, and not at all where nothing is."""
    request = ask("abcd", max_tokens=50)
    used = len(codec.render(request).token_ids)
    assert sent(request, codec=codec, context=used + 10)["max_tokens"] == 10
    assert sent(request, codec=codec, context=used + 50)["max_tokens"] == 50
    assert sent(request, context=20)["max_tokens"] == 20
    assert sent(request, context=20, mode=Mode.CHAT)["max_tokens"] == 20
    assert sent(request)["max_tokens"] == 50
    with pytest.raises(ConfigError, match="leaves nothing to generate"):
        writer(codec=codec, context=used).check(request)


def test_a_prefix_that_fills_the_context(ask: Ask, codec: TextCodec) -> None:
    """It is unknown what follows it. That is no reason to refuse the solution's shorter prefixes, as an error in the
    configuration would be: long solutions would go without labels."""
    used = len(codec.render(ask("abcd")).token_ids)
    writer(codec=codec, context=used + 1).check(ask("abcd"))
    with pytest.raises(EngineError, match="leaves nothing to generate"):
        writer(codec=codec, context=used + 1).check(ask("abcd", prefix="efgh"))


@pytest.mark.parametrize(
    ("dialect", "temperature"), [(Dialect.VLLM, 0.01), (Dialect.VLLM, 0.0), (Dialect.SGLANG, 1e-3)]
)
def test_small_temperatures(ask: Ask, dialect: Dialect, temperature: float) -> None:
    """Those that a server keeps to are sent."""
    request = ask("a", temperature=temperature)
    writer(dialect=dialect).check(request)
    assert sent(request, dialect=dialect)["temperature"] == temperature


@pytest.mark.parametrize(
    ("style", "dialect", "flags"),
    [
        (None, Dialect.VLLM, {"continue_final_message": True, "add_generation_prompt": False}),
        (None, Dialect.LLAMA_CPP, {}),
        (PrefixStyle.ASSISTANT_PREFILL, Dialect.VLLM, {}),
        (
            PrefixStyle.CONTINUE_FINAL_MESSAGE,
            Dialect.OPENAI,
            {"continue_final_message": True, "add_generation_prompt": False},
        ),
    ],
)
def test_prefixes_in_chats(ask: Ask, style: PrefixStyle | None, dialect: Dialect, flags: dict[str, bool]) -> None:
    """A last message of the assistant, with the flags that the server wants."""
    body = sent(ask("hi", prefix="Well"), mode=Mode.CHAT, prefix=style, dialect=dialect)
    assert body["messages"][-1] == {"role": "assistant", "content": "Well"}
    assert {k: v for k, v in body.items() if k in ("continue_final_message", "add_generation_prompt")} == flags


@pytest.mark.parametrize("changes", [{"dialect": Dialect.OPENAI}, {"prefix": PrefixStyle.REFUSE}], ids=str)
def test_chats_that_cannot_continue(ask: Ask, changes: dict[str, Any]) -> None:
    """A prefix is refused: the model would answer it instead. Without one all is well."""
    chat = writer(mode=Mode.CHAT, **changes)
    with pytest.raises(ConfigError, match="mode=completions"):
        chat.check(ask("hi", prefix="Well"))
    chat.check(ask("hi"))


def test_renderings_tell_everything_apart(ask: Ask) -> None:
    """What makes the model read something else makes another rendering, so another key in the store."""
    chat, plain = writer(mode=Mode.CHAT), writer()
    prefill = writer(mode=Mode.CHAT, prefix=PrefixStyle.ASSISTANT_PREFILL)
    request = ask("hi", prefix="Well")
    texts = {w.render(r).text for w in (chat, plain, prefill) for r in (request, ask("hi"), ask("hiWell"))}
    assert len(texts) == 3 + 2 + 1  # plain text joins prompt and prefix; the flags differ with a prefix alone


def test_a_tokenizers_files(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by folder, hashed by content; neither folder nor hub name is an error that says so."""
    folder = Path(shutil.copytree(model_folder, tmp_path / "tiny"))
    assert find_tokenizer(str(folder)) == folder
    assert (find_tokenizer("bundled") / "tokenizer.json").is_file()
    before = tokenizer_hash(folder)
    (folder / "model.safetensors").unlink()
    assert tokenizer_hash(folder) == before
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    assert tokenizer_hash(folder) != before
    with pytest.raises(ConfigError, match="no tokenizer files"):
        tokenizer_hash(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match="no folder here"):
        find_tokenizer("nobody/nothing-at-all")


def test_the_hash_is_that_of_the_model_folder(model_folder: Path) -> None:
    """One tokenizer has one hash, whether its model runs here or on a server."""
    from steplabel.engines.checkpoints.checkpoint import find_checkpoint, read_identity

    identity = read_identity(find_checkpoint(str(model_folder)), dtype="float32")
    assert tokenizer_hash(model_folder) == identity.tokenizer


@pytest.mark.parametrize("dialect", [Dialect.VLLM, Dialect.SGLANG])
def test_thinking_is_switched_in_the_servers_template(dialect: Dialect) -> None:
    """By both names templates use, prefix or not; it is part of what the model reads, and of the store's key."""
    chat = {"mode": Mode.CHAT, "dialect": dialect}
    requests = {
        (thinking, prefix): GenerateRequest(prompt=Prompt(messages=(USER,), thinking=thinking), prefix=prefix)
        for thinking in (None, True, False)
        for prefix in ("", "So")
    }
    for (thinking, _), request in requests.items():
        expected = None if thinking is None else {"enable_thinking": thinking, "thinking": thinking}
        assert sent(request, **chat).get("chat_template_kwargs") == expected
    assert len({writer(**chat).render(request).text for request in requests.values()}) == len(requests)


@pytest.mark.parametrize("dialect", [Dialect.OPENAI, Dialect.LLAMA_CPP])
def test_thinking_that_cannot_be_switched(dialect: Dialect) -> None:
    """A server without such a switch is not asked and forgotten about: the request is refused."""
    request = GenerateRequest(prompt=Prompt(messages=(USER,), thinking=False))
    with pytest.raises(ConfigError, match=r"no switch for thinking.*tokenizer="):
        writer(mode=Mode.CHAT, dialect=dialect).check(request)


@pytest.mark.parametrize("dialect", Dialect)
def test_ends_of_a_turn_are_named_where_they_can_be(ask: Ask, codec: TextCodec, dialect: Dialect) -> None:
    """With the tokenizer at hand its ends are sent; a server without the field is not sent it."""
    named = sent(ask("Uma"), codec=codec, dialect=dialect).get("stop_token_ids")
    known = dialect in {Dialect.VLLM, Dialect.SGLANG}
    assert named == (sorted(codec.end_ids) if known else None)
    assert "stop_token_ids" not in sent(ask("Uma"), dialect=dialect)
