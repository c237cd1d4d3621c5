"""What a worker raised is what the command tells."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import pytest

from steplabel.engines.port import GenerateRequest
from steplabel.engines.scripted import ScriptedSpec
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.run import RunResult
from steplabel.pipelines.runner import RunnerChoice, beam_pipelines, original_error
from steplabel.schemas import (
    BudgetExhausted,
    ConfigError,
    DataError,
    EngineClosed,
    EngineError,
    MissingExtra,
    ModelLoadError,
    NothingLabelled,
    StoreError,
)

LINES = "1 validation error for ModelConfig\n  Value error, bad value\nEngineError: quoted\n    For more visit https://errors"


class PortError(ModelLoadError):
    """An error that a room of its own defines."""


PortError.__module__ = "steplabel.engines.somewhere"


def quoted(error: BaseException, cause: Exception | None) -> RuntimeError:
    """As a worker process tells it: the error with the step's name behind it, raised while Beam handled the first."""
    try:
        try:
            raise error from cause
        except BaseException:  # noqa: BLE001 - KeyboardInterrupt is one of them
            told = error.args[0] if error.args else ""
            raise type(error)(f"{told} [while running 'Sample/ParDo']")  # noqa: B904 - as Beam does it
    except BaseException:  # noqa: BLE001 - see above
        return RuntimeError(traceback.format_exc())


@pytest.mark.parametrize(
    "kind",
    [
        ConfigError,
        ModelLoadError,
        PortError,
        DataError,
        NothingLabelled,
        EngineError,
        EngineClosed,
        StoreError,
        BudgetExhausted,
    ],
    ids=lambda kind: kind.__name__,
)
@pytest.mark.parametrize("message", ["plain", "", LINES, "disk full: EngineError: y, ConfigError: z"], ids=repr)
def test_errors_come_back_as_they_were(kind: type[Exception], message: str) -> None:
    """Every error of ours, with every line of its message, whatever names the message quotes and what caused it."""
    for cause in (None, ConfigError("the cause"), ValueError("two\nlines")):
        found = original_error(quoted(kind(message), cause))
        assert (type(found), str(found)) == (kind, message)


def test_ctrl_c_in_a_worker_is_ctrl_c() -> None:
    """However Beam tells it."""
    told = (quoted(KeyboardInterrupt(), None), RuntimeError("KeyboardInterrupt [while running 'Sample']"))
    assert [type(original_error(error)) for error in told] == [KeyboardInterrupt] * 2


@pytest.mark.parametrize("error", [ValueError("KeyboardInterrupt"), KeyError("EngineError: x"), RuntimeError("a\nb")])
def test_errors_that_are_not_ours_stay_what_they_are(error: Exception) -> None:
    """A bug is shown with its traceback, even if its message names an error of ours."""
    told = quoted(error, EngineError("the cause is not what ended it"))
    assert original_error(told) is told


def test_an_error_that_beam_cannot_make_anew_comes_back_as_its_kind() -> None:
    """Beam adds the step's name by making the error again; where that fails, it quotes the error in another."""

    def lacking(_: int) -> None:
        raise MissingExtra(feature="running a model with vLLM", extra="vllm")

    with (
        beam_pipelines(RunnerChoice(), ()) as pipelines,
        pytest.raises(RuntimeError) as raised,
        pipelines() as pipeline,
    ):
        _ = pipeline | beam.Create([1]) | beam.Map(lacking)
    found = original_error(raised.value)
    assert type(found) is ConfigError
    assert str(found) == "running a model with vLLM needs an optional dependency: pip install 'steplabel[vllm]'"


def many_lines(request: GenerateRequest, index: int, seed: int) -> str:
    raise ModelLoadError(LINES)


@pytest.mark.slow
def test_a_worker_process_tells_every_line(
    label: Callable[..., RunResult], recipe_of: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that only the workers cannot run ends the command with its own error, not with a traceback."""
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", here, prepend=":")
    spec = ScriptedSpec(function="test_runner:many_lines")
    with pytest.raises(ModelLoadError) as raised:
        label(recipe=replace(recipe_of(), policy=spec, completer=spec), runner=RunnerChoice(workers=2))
    assert str(raised.value) == LINES
