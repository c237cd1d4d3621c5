"""What is refused before a run has paid for anything."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from steplabel.pipelines.models import model_use
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import RunResult
from steplabel.pipelines.worksite import RunOptions, Worksite
from steplabel.schemas import ConfigError


@pytest.fixture(scope="module")
def hosted(repository: Path) -> Iterator[str]:
    """A server that does not say which program it is, as hosts do not."""
    command = [sys.executable, str(repository / "tests" / "engines" / "fault_server.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = f"http://127.0.0.1:{int(server.stdout.readline())}"
        urllib.request.urlopen(f"{address}/control", data=msgspec.json.encode({"owned_by": "host"})).close()
        yield address
        server.kill()


def enter(recipe: str, address: str, problems: Path, output: Path, *settings: str) -> Any:
    """Begin a run there."""
    chosen = RECIPES[recipe](model_use(f"openai:{address}", ["dialect=openai", *settings]))
    with ExitStack() as stack:
        return Worksite.enter(chosen, RunOptions(input=str(problems), output=str(output)), stack)


@pytest.mark.parametrize("recipe", ["math_shepherd", "omegaprm_locate", "omegaprm", "rest_mcts", "igpo", "vsrm"])
def test_a_model_that_cannot_continue_prefixes(hosted: str, problems: Path, tmp_path: Path, recipe: str) -> None:
    """It is refused with what would help, and nothing is left behind that would be in the way of the mended command."""
    output = tmp_path / "out"
    with pytest.raises(ConfigError, match=f"recipe {recipe} asks how solutions go on.*prefix="):
        enter(recipe, hosted, problems, output)
    assert not output.exists()
    assert enter(recipe, hosted, problems, output, "prefix=assistant_prefill").recipe.name == recipe


def test_a_recipe_without_questions_wants_no_prefix(hosted: str, problems: Path, tmp_path: Path) -> None:
    """Samples can be had from any model."""
    assert enter("tempo", hosted, problems, tmp_path / "out").recipe.name == "tempo"


def hide_answers(text: str) -> str:
    """A redaction: no answer is ever stored."""
    return re.sub(r"Answer: .*", "Answer: [hidden]", text)


def test_what_must_not_be_stored(
    label: Callable[..., RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--redact` is applied before anything is written, makes another run, and a wrong name ends before it begins."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    result = label("hidden", redact=f"{Path(__file__).stem}:hide_answers")
    texts = [solution.text for solution in result.folder.read("solutions")]
    assert any("Answer" in text for text in texts)
    assert all(text.endswith("Answer: [hidden]") for text in texts if "Answer" in text)
    with pytest.raises(ConfigError, match="is run"):
        label("hidden")
    with pytest.raises(ConfigError, match="cannot import the redaction"):
        label("other", redact="no_such_module:f")
    assert not (tmp_path / "other").exists()
