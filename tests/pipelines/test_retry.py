"""A bundle that fails is retried by runners that retry; the model hears nothing of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from steplabel.pipelines.models import model_use
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import RunResult
from steplabel.pipelines.runner import RunnerChoice, RunnerKind
from steplabel.schemas import Reject
from steplabel.transforms import annotate, dataset

RETRYING = RunnerChoice(kind=RunnerKind.RETRYING)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Counter[str]]:
    """Let runs use the logging solver; returns how often each sample was asked for since the name was begun."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))

    def begin(name: str) -> Callable[[], Counter[str]]:
        log = tmp_path / f"{name}.log"
        monkeypatch.setenv("STEPLABEL_TEST_LOG", str(log))
        return lambda: Counter(line.split()[0] for line in log.read_text().splitlines())

    return begin  # type: ignore[return-value]


def failing_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, at: int) -> list[int]:
    """Make a function raise at its `at`-th call, once; returns the list that counts calls."""
    original, calls = getattr(owner, name), [0]

    def flaky(*arguments: Any, **keywords: Any) -> Any:
        calls[0] += 1
        if calls[0] == at:
            raise RuntimeError("this worker dies now")
        return original(*arguments, **keywords)

    monkeypatch.setattr(owner, name, flaky)
    return calls


@pytest.mark.parametrize(
    ("owner", "name", "at"),
    [
        pytest.param(annotate._Gathering, "take", 20, id="in the middle of annotating"),
        pytest.param(dataset.OutputFolder, "write_manifest", 2, id="between moving files and the manifest"),
        pytest.param(dataset.OutputFolder, "_remove", 4, id="after the manifest"),
    ],
)
def test_a_retried_bundle_asks_for_no_sample_twice(
    label: Callable[..., RunResult],
    asked: Callable[[str], Callable[[], Counter[str]]],
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    at: int,
) -> None:
    """The retry is answered from the store, and the dataset is that of a run without a failure."""
    recipe = RECIPES["omegaprm_locate"](model_use("scripted:logged_solver:solve"))
    calm_log = asked("calm")
    calm = label("calm", recipe=recipe, runner=RETRYING)
    assert max(calm_log().values()) == 1
    flaky_log = asked("flaky")
    calls = failing_once(monkeypatch, owner, name, at)
    flaky = label("flaky", recipe=recipe, runner=RETRYING)
    assert calls[0] > at, "the failure never happened, or nothing was retried"
    assert flaky_log() == calm_log()
    digests = [[f.sha256 for f in r.folder.require_manifest().files()] for r in (calm, flaky)]
    assert digests[0] == digests[1]


def test_nothing_is_rejected_for_a_retry(
    label: Callable[..., RunResult], rows_of: Callable[..., list[Reject]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retried problem is not told twice, and not refused."""
    failing_once(monkeypatch, annotate._Gathering, "take", 10)
    rejects: Iterator[Reject] = iter(rows_of(label(runner=RETRYING).folder, "rejects"))
    assert {r.reason for r in rejects} == {"all_right"}
