"""What `--engine` and `--engine-set` make of their texts."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from steplabel.engines.openai.dialects import Mode
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.engines.vllm.spec import VLLMSpec
from steplabel.pipelines.models import BUNDLED_TEMPERATURE, model_use
from steplabel.pipelines.recipe import config_hash
from steplabel.pipelines.recipes import RECIPES
from steplabel.schemas import ConfigError, ModelLoadError
from steplabel.schemas.segmentation import BlankLineSteps, NewlineSteps


@pytest.fixture(scope="module")
def address(repository: Path) -> Iterator[str]:
    """A server of the tests, in a process of its own."""
    command = [sys.executable, str(repository / "tests" / "engines" / "fault_server.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.kill()


def serve(address: str, *models: str) -> None:
    """Set which models the server lists."""
    body = msgspec.json.encode({"models": list(models)})
    urllib.request.urlopen(f"{address}/control", data=body).close()


@pytest.mark.parametrize(
    ("text", "kind"),
    [("bundled", TransformersSpec), ("transformers:bundled", TransformersSpec), ("vllm:bundled", VLLMSpec)],
)
def test_the_bundled_model_is_spoken_to_in_its_own_way(text: str, kind: type) -> None:
    """Whatever runs it: plain text, one line a step, its temperature."""
    use = model_use(text)
    assert isinstance(use.engine, kind)
    assert (use.prompt.chat, use.segmenter, use.sampling.temperature) == (False, NewlineSteps(), BUNDLED_TEMPERATURE)


@pytest.mark.parametrize(
    ("text", "kind"), [("transformers:some/model", TransformersSpec), ("vllm:some/model", VLLMSpec)]
)
def test_other_models_are_chat_models(text: str, kind: type) -> None:
    """Their template, paragraphs as steps; colons and slashes belong to the name."""
    use = model_use(text)
    assert isinstance(use.engine, kind)
    assert use.engine.model == "some/model"
    assert (use.prompt.chat, use.segmenter) == (True, BlankLineSteps())


def test_settings_reach_the_engine() -> None:
    """`--engine-set` sets typed fields; those of speed leave the run what it was."""
    use = model_use("vllm:bundled", ["max_num_seqs=64", "dtype=bfloat16"])
    assert use.engine == VLLMSpec(model="bundled", max_num_seqs=64, dtype="bfloat16")
    hashes = {
        settings: config_hash(RECIPES["math_shepherd"](model_use("vllm:bundled", list(settings))))
        for settings in ((), ("max_num_seqs=64",), ("dtype=bfloat16",))
    }
    assert hashes[()] == hashes["max_num_seqs=64",] != hashes["dtype=bfloat16",]


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("foo", [], "no engine of kind 'foo'.*bundled.*vllm:MODEL.*openai:URL"),
        ("vllm", [], "--engine vllm wants an argument: vllm:MODEL"),
        ("openai:", [], "wants an argument"),
        ("openai:localhost:8000", [], "http"),
        ("vllm:bundled", ["foo=1"], "--engine-set foo: no field 'foo' in VLLMSpec"),
        ("vllm:bundled", ["max_num_seqs"], "--engine-set 'max_num_seqs': wants path.to.field=value"),
        ("vllm:bundled", ["max_num_seqs=many"], "--engine-set max_num_seqs=many"),
        ("bundled", ["dtype=int3"], "dtype 'int3' is none of"),
    ],
)
def test_what_cannot_be(text: str, settings: list[str], message: str) -> None:
    """Errors name the flag, the value and what there is."""
    with pytest.raises(ConfigError, match=message):
        model_use(text, settings)


def test_a_server_is_asked_for_its_model(address: str) -> None:
    """The only model there is taken, and the run says so; it is a chat model unless it is ours."""
    serve(address, "some/model")
    use = model_use(f"openai:{address}")
    assert isinstance(use.engine, OpenAISpec)
    assert (use.engine.model, use.engine.mode, use.prompt.chat) == ("some/model", Mode.CHAT, True)
    serve(address, "bundled")
    use = model_use(f"openai:{address}/v1")
    assert isinstance(use.engine, OpenAISpec)
    assert (use.engine.model, use.engine.mode, use.prompt.chat) == ("bundled", Mode.COMPLETIONS, False)


def test_a_model_of_several(address: str) -> None:
    """Several models: one has to be named, behind a #."""
    serve(address, "one", "two")
    with pytest.raises(ConfigError, match=r"one.*two"):
        model_use(f"openai:{address}")
    use = model_use(f"openai:{address}#two", ["mode=completions"])
    assert isinstance(use.engine, OpenAISpec)
    assert (use.engine.model, use.engine.mode) == ("two", Mode.COMPLETIONS)


def test_a_server_that_is_not_there() -> None:
    """A run on a server that nobody started ends before it has begun."""
    with pytest.raises(ModelLoadError, match="cannot ask"):
        model_use("openai:http://127.0.0.1:9", ["attempts=1"])


def test_where_a_server_stands_is_no_part_of_a_run(address: str) -> None:
    """The same model on another port: the same run, which can be resumed there."""
    serve(address, "bundled")
    here = model_use(f"openai:{address}#bundled")
    there = model_use("openai:http://127.0.0.1:9#bundled", ["max_in_flight=7"])
    assert config_hash(RECIPES["math_shepherd"](here)) == config_hash(RECIPES["math_shepherd"](there))
