"""From an address to an engine: what users write, what the server says, and what a run remembers of it."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steplabel.engines import EnginePreview, GenerateRequest, LazyEngine, PreviewableSpec, StoredSpec
from steplabel.engines.openai.address import api_key, base_address
from steplabel.engines.openai.dialects import Dialect, Mode, PrefixStyle
from steplabel.engines.openai.models import ModelCard
from steplabel.engines.openai.prices import TokenPrices
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.pipelines.models import model_use
from steplabel.pipelines.overrides import apply_overrides
from steplabel.pipelines.recipe import Recipe, config_hash, describe
from steplabel.pipelines.recipes import RECIPES
from steplabel.schemas import ConfigError, EngineError, ModelLoadError

Ask = Callable[..., GenerateRequest]
Spec = Callable[..., OpenAISpec]
KEY = "sk-test-0123456789"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:8000/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        ("https://api.example.com", "https://api.example.com/v1"),
        ("https://example.com/openai/v1/chat/completions", "https://example.com/openai/v1"),
        ("https://example.com/v1/completions/", "https://example.com/v1"),
        ("https://example.com/v1beta/openai/", "https://example.com/v1beta/openai"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
        ("  http://10.0.0.7:80  ", "http://10.0.0.7:80/v1"),
    ],
)
def test_addresses(url: str, base: str) -> None:
    """With and without path and slash; a base address is its own base address."""
    assert base_address(url) == base
    assert base_address(base) == base
    assert OpenAISpec(url=url).url == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "localhost",
        "http://",
        "http://:8000",
        "ftp://host",
        "http://host:port",
        "http://host:99999",
        "http://host:0",
        "http://ho st",
        "http://host/a b",
        "http://host/v1?key=1",
        "http://host/v1#x",
        "http://[::1",
        "http://host\n.example",
        "file:///etc/passwd",
    ],
)
def test_bad_addresses(url: str) -> None:
    """Refused before anything is sent."""
    with pytest.raises(ConfigError, match="url"):
        OpenAISpec(url=url)


def test_passwords_do_not_belong_into_addresses() -> None:
    """Configurations are saved and printed; so the refusal does not repeat it either."""
    with pytest.raises(ConfigError, match="api_key_env") as caught:
        OpenAISpec(url=f"https://user:{KEY}@host/v1")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mode": "talk"}, "mode='talk' is none of completions, chat"),
        ({"dialect": "klingon"}, "dialect='klingon'"),
        ({"prefix": "x"}, "prefix='x'"),
        ({"prompt_as": "x"}, "prompt_as='x'"),
        ({"max_n": 0}, "max_n=0"),
        ({"max_in_flight": 0}, "max_in_flight=0"),
        ({"attempts": 0}, "attempts=0"),
        ({"deadline_s": 0.0}, "deadline_s=0"),
        ({"stall_s": float("nan")}, "stall_s=nan"),
        ({"connect_s": -1.0}, "connect_s=-1"),
        ({"mode": "chat", "tokenizer": "x"}, "leave tokenizer empty"),
    ],
    ids=str,
)
def test_bad_options(options: dict[str, Any], says: str) -> None:
    """Refused at once, with the value."""
    with pytest.raises(ConfigError, match=says):
        OpenAISpec(url="http://host", **options)


@pytest.mark.parametrize("price", [-1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("name", ["prompt", "cached_prompt", "completion"])
def test_bad_prices(name: str, price: float) -> None:
    """Nobody is paid for being asked."""
    with pytest.raises(ConfigError, match=f"prices.{name}"):
        TokenPrices(**{name: price})


def test_prices() -> None:
    """Per million; cached tokens have their own price, or the prompt's."""
    counts = {"prompt_tokens": 1_000_000, "cached_tokens": 400_000, "completion_tokens": 2_000_000}
    assert TokenPrices().cost(**counts) == 0
    assert TokenPrices(prompt=1.0, completion=3.0).cost(**counts) == pytest.approx(7.0)
    assert TokenPrices(prompt=1.0, cached_prompt=0.5, completion=3.0).cost(**counts) == pytest.approx(6.8)
    assert TokenPrices(prompt=1.0, cached_prompt=0.0).cost(**counts) == pytest.approx(0.6)


def test_specs_travel() -> None:
    """Picklable, equal to their copies, hashable; plain texts become members."""
    spec = OpenAISpec(url="http://host", mode="chat", dialect="sglang", prefix="refuse", prices=TokenPrices(prompt=1))
    copy = pickle.loads(pickle.dumps(spec))
    assert (copy, hash(copy)) == (spec, hash(spec))
    assert (spec.mode, spec.dialect, spec.prefix) == (Mode.CHAT, Dialect.SGLANG, PrefixStyle.REFUSE)
    assert isinstance(spec, PreviewableSpec)


def recipe_with(spec: OpenAISpec) -> Recipe:
    from dataclasses import replace

    return replace(RECIPES["omegaprm_locate"](model_use("bundled")), completer=spec)


def test_where_a_server_is_does_not_change_a_run() -> None:
    """A run may be resumed against the same model at another port, with other patience, prices and keys."""
    run = config_hash(recipe_with(OpenAISpec(url="http://one:1", model="m")))
    elsewhere = OpenAISpec(
        url="http://two:2",
        model="m",
        max_in_flight=3,
        max_n=1,
        attempts=9,
        deadline_s=9.0,
        stall_s=9.0,
        connect_s=9.0,
        api_key_env="OTHER",
        answers_as="x",
        prices=TokenPrices(prompt=1.0),
    )
    assert config_hash(recipe_with(elsewhere)) == run
    for changes in ({"model": "n"}, {"mode": "chat"}, {"dialect": "openai"}, {"tokenizer": "t"}, {"token_ids": False}):
        other = OpenAISpec(**{"url": "http://one:1", "model": "m", **changes})
        assert config_hash(recipe_with(other)) != run


def test_settings_from_the_command_line() -> None:
    """`--set completer.field=value` reaches every kind of field."""
    recipe = recipe_with(OpenAISpec(url="http://host"))
    changed: Any = apply_overrides(
        recipe,
        [
            "completer.mode=chat",
            "completer.prefix=assistant_prefill",
            "completer.max_n=2",
            "completer.prices.completion=2.5",
            "completer.url=http://other",
        ],
    ).completer
    assert (changed.mode, changed.prefix, changed.max_n) == (Mode.CHAT, PrefixStyle.ASSISTANT_PREFILL, 2)
    assert (changed.prices.completion, changed.url) == (2.5, "http://other/v1")
    assert describe(changed)["mode"] == "chat"


def test_preview_is_what_the_engine_says(spec: Spec, ask: Ask) -> None:
    """Identity and rendering before anything is asked equal those after."""
    preview: EnginePreview = spec(licence="MIT").preview()
    engine = spec(licence="MIT").open()
    assert engine.identity == preview.identity
    assert engine.render(ask("x")) == preview.render(ask("x"))
    assert (preview.identity.name, preview.identity.licence) == ("fault-model", "MIT")
    asyncio.run(engine.close())


def test_preview_works_inside_an_event_loop(spec: Spec) -> None:
    """The store asks for the identity where the loop runs."""

    async def run() -> str:
        return LazyEngine(spec()).identity.name

    assert asyncio.run(run()) == "fault-model"


def test_the_identity_does_not_change_with_restarts(server: Any, spec: Spec, own_server: Any) -> None:
    """Neither time nor port are part of it; the model's name, root and context are."""
    first = spec().preview().identity
    with own_server() as url:
        assert spec(url=url).preview().identity == first
    server.set(models=["other"])
    assert spec().preview().identity != first


@pytest.mark.parametrize("field", ["id", "root", "parent", "owned_by", "max_model_len"])
def test_the_fingerprint_covers(field: str) -> None:
    """Everything steady that the server says of the model."""
    card = ModelCard(id="m", root="/models/m")
    assert ModelCard(**{"id": "m", "root": "/models/m", field: 7 if field == "max_model_len" else "x"}) != card
    changed = ModelCard(**{"id": "m", "root": "/models/m", field: 7 if field == "max_model_len" else "x"})
    assert changed.fingerprint != card.fingerprint


def test_the_only_model_is_meant(server: Any, spec: Spec) -> None:
    """Without a name the only one there is, by name from then on; a named spec asks nobody."""
    resolved = spec().resolve()
    assert resolved.model == "fault-model"
    server.set(models_fault="500")
    assert resolved.resolve() is resolved


@pytest.mark.parametrize("models", [[], ["a", "b"], [f"model-{i:02}" for i in range(30)]], ids=len)
def test_none_or_several_models(server: Any, spec: Spec, models: list[str]) -> None:
    """Refused with their names, as many as fit."""
    server.set(models=models)
    with pytest.raises(ConfigError, match=f"serves {len(models)} models \\({models[0] if models else 'none'}"):
        spec().resolve()


def test_a_model_that_is_not_there(server: Any, spec: Spec) -> None:
    """The names that are there are said. A hosted one may be there without being listed."""
    with pytest.raises(ConfigError, match="does not serve 'nope'; it has: fault-model"):
        spec(model="nope").open()
    server.set(owned_by="somebody")
    unlisted = spec(model="nope", dialect="openai").preview()
    assert unlisted.identity.name == "nope"


@pytest.mark.parametrize("fault", ["404", "405"])
def test_a_hosted_model_without_a_list(server: Any, spec: Spec, ask: Ask, fault: str) -> None:
    """A host that lists nothing is believed to have the model that is named; without a name it cannot be asked."""
    server.set(models_fault=fault)
    named = spec(model="fault-model", dialect="openai")
    assert named.preview().identity.name == "fault-model"
    assert asyncio.run(named.open().generate(ask())).samples
    with pytest.raises(ModelLoadError, match="model=NAME"):
        spec(dialect="openai").open()
    with pytest.raises(ModelLoadError, match="refuses every request"):
        spec(model="fault-model", dialect="vllm").open()


@pytest.mark.parametrize(
    ("owner", "dialect"), [("vllm", Dialect.VLLM), ("sglang", Dialect.SGLANG), ("llamacpp", Dialect.LLAMA_CPP)]
)
def test_the_server_says_its_dialect(server: Any, spec: Spec, owner: str, dialect: Dialect) -> None:
    """SGLang asked as if it were vLLM gives n copies of one sample, and ignores what it has no name for."""
    server.set(owned_by=owner)
    assert spec().preview().writer.dialect is dialect
    assert spec(dialect=dialect).preview().writer.dialect is dialect
    for other in set(Dialect) - {dialect}:
        with pytest.raises(ConfigError, match=f"{owner}.*dialect={other}"):
            spec(dialect=other).preview()


@pytest.mark.parametrize("owner", ["somebody", "", None])
def test_a_server_that_does_not_say_its_dialect(server: Any, spec: Spec, owner: str | None) -> None:
    """Then the user has to: a guess would be paid for in samples."""
    server.set(owned_by=owner)
    with pytest.raises(ConfigError, match=r"dialect=vllm.*sglang.*llama_cpp.*openai"):
        spec().preview()
    for dialect in Dialect:
        assert spec(dialect=dialect).preview().writer.dialect is dialect


@pytest.mark.parametrize("fault", ["401", "404", "500", "garbage", "reset", "stall", "redirect", "truncated"])
def test_servers_that_cannot_say(server: Any, spec: Spec, fault: str) -> None:
    """Whatever it is, the model cannot be opened: the run ends, no problem is blamed."""
    server.set(models_fault=fault)
    with pytest.raises(ModelLoadError):
        spec(attempts=2, stall_s=0.3).open()


def test_the_key_is_sent_and_never_shown(server: Any, spec: Spec, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """It travels in one header, and is in no spec, pickle, text of an object or error, though the server repeat it."""
    monkeypatch.setenv("A_KEY", f" {KEY}\n")
    chosen = spec(api_key_env="A_KEY")
    engine = chosen.open()
    assert server.headers()[-1]["Authorization"] == f"Bearer {KEY}"
    server.set(script=["echo"])
    with pytest.raises(ModelLoadError, match=r"\*\*\*") as caught:
        asyncio.run(engine.generate(ask()))
    asyncio.run(engine.close())
    shown = [
        str(caught.value),
        repr(caught.value),
        repr(chosen),
        repr(engine),
        repr(engine._server),
        str(describe(chosen)),
    ]
    assert KEY not in "".join(shown)
    assert KEY.encode() not in pickle.dumps(chosen)


def test_without_a_key_none_is_sent(server: Any, spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Local servers want none."""
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    spec(api_key_env="NO_SUCH_KEY").preview()
    spec(api_key_env="").preview()
    assert all("Authorization" not in headers for headers in server.headers())


@pytest.mark.parametrize("key", ["a\nb", "schlüssel", "a\x00b"], ids=repr)
def test_keys_that_no_header_can_hold(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Refused by the variable's name, without the key."""
    monkeypatch.setattr("os.environ", {"A_KEY": key})
    with pytest.raises(ConfigError, match=r"\$A_KEY") as caught:
        api_key("A_KEY")
    assert key not in str(caught.value)


def test_behind_a_store(server: Any, spec: Spec, ask: Ask, tmp_path: Path) -> None:
    """What is stored is asked for no more: 6 of 8 samples cost two, a replay none, at another address too."""
    path = str(tmp_path / "rollouts.sqlite")

    async def run(n: int) -> list[str]:
        store = StoredSpec(engine=spec(), path=path).open()
        answer = await store.generate(ask(n=n))
        await store.close()
        return [sample.text for sample in answer.samples]

    six = asyncio.run(run(6))
    eight = asyncio.run(run(8))
    assert eight[:6] == six
    assert asyncio.run(run(8)) == eight
    assert [body["n"] for body in server.bodies()] == [6, 2]


def test_a_failed_request_is_not_stored(server: Any, spec: Spec, ask: Ask, tmp_path: Path) -> None:
    """It is unknown, and asked again by the next run."""
    stored = StoredSpec(engine=spec(attempts=1), path=str(tmp_path / "rollouts.sqlite"))
    server.set(script=["wrong_model"])

    async def run() -> None:
        store = stored.open()
        with pytest.raises(EngineError):
            await store.generate(ask())
        assert len((await store.generate(ask())).samples) == 1
        await store.close()

    asyncio.run(run())


def test_with_a_tokenizer(server: Any, spec: Spec, ask: Ask, model_folder: Path) -> None:
    """Ids are sent, its hash is part of the identity, and answers come back."""
    engine = spec(tokenizer=str(model_folder)).open()
    request = ask("one", prefix=" two")
    answer = asyncio.run(engine.generate(request))
    asyncio.run(engine.close())
    assert engine.identity.tokenizer
    assert server.bodies()[-1]["prompt"] == list(engine.render(request).token_ids)
    assert answer.prompt_tokens == len(engine.render(request).token_ids)


def test_a_tokenizer_that_is_not_there(spec: Spec, tmp_path: Path) -> None:
    """The configuration's fault, and named."""
    with pytest.raises(ConfigError, match="no tokenizer files"):
        spec(tokenizer=str(tmp_path)).open()


def test_a_spec_needs_no_http_client() -> None:
    """Command lines and configurations do not pay for importing one, nor for transformers."""
    code = (
        "import sys, steplabel.engines.openai.spec as s; s.OpenAISpec(url='http://host');"
        "assert not {'aiohttp', 'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
