"""Worker processes, their GPUs and their shards."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steplabel.pipelines.recipe import Recipe, config_hash
from steplabel.pipelines.run import RunResult
from steplabel.pipelines.runner import RunnerChoice
from steplabel.schemas import ConfigError

Label = Callable[..., RunResult]


@pytest.fixture
def on_gpus(tmp_path: Path, recipe_of: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch) -> tuple[Recipe, Path]:
    """A recipe whose model wants one of two GPUs, and the folder where its processes say which they got."""
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5")
    from gpu_model import GpuSpec  # type: ignore[import-not-found]

    log = tmp_path / "log"
    log.mkdir()
    spec = GpuSpec(log=str(log))
    return replace(recipe_of(), policy=spec, completer=spec), log


@pytest.mark.slow
def test_two_workers_take_two_gpus(label: Label, on_gpus: tuple[Recipe, Path]) -> None:
    """Each worker process opens its model once, on a GPU that no other has, however many chunks there are."""
    recipe, log = on_gpus
    result = label("two", recipe, runner=RunnerChoice(workers=2), chunk=20)
    assert result.complete
    given = [path.read_text() for path in log.iterdir()]
    assert sorted(given) == ["3", "GPU-5"]


def test_one_process_sees_what_the_user_lets_it_see(label: Label, on_gpus: tuple[Recipe, Path]) -> None:
    """Without `--workers` nothing is claimed: both GPUs stay visible, to one engine."""
    recipe, log = on_gpus
    label("one", recipe)
    assert [path.read_text() for path in log.iterdir()] == ["3,GPU-5"]


def test_too_many_workers_end_before_anything_is_written(
    label: Label, on_gpus: tuple[Recipe, Path], tmp_path: Path
) -> None:
    """Three engines on two GPUs are refused, with advice, and leave no folder behind."""
    recipe, _ = on_gpus
    with pytest.raises(ConfigError, match="--workers 2"):
        label("three", recipe, runner=RunnerChoice(workers=3))
    assert not (tmp_path / "three").exists()


def test_shards_change_nothing_but_their_size(label: Label, rows_of: Callable[..., list[Any]]) -> None:
    """Many small shards give the rows of one, and a run may go on with others."""
    whole, parts = label("whole"), label("parts", shard_tokens=20_000)
    assert rows_of(parts.folder) == rows_of(whole.folder)
    assert label("whole", shard_tokens=1).complete


def test_fields_of_speed_do_not_make_another_run(recipe_of: Callable[..., Recipe]) -> None:
    """A run may be resumed with another width; not with another k."""
    assert config_hash(recipe_of("math_shepherd", "in_flight=7")) == config_hash(recipe_of("math_shepherd"))
    assert config_hash(recipe_of("math_shepherd", "annotator.k=7")) != config_hash(recipe_of("math_shepherd"))
