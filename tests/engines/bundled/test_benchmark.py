"""The held-out evaluation, on a model that has learned nothing."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from steplabel.engines.bundled.batches import DataConfig, trained_contents
from steplabel.engines.bundled.figures import Judged
from steplabel.engines.bundled.model import ModelConfig
from steplabel.engines.bundled.task import ChainProblem, parse_problem, solve
from steplabel.engines.bundled.tokenizer import vocabulary
from steplabel.engines.bundled.train import TrainConfig, train


@pytest.fixture(scope="module")
def benchmark(repository: Path) -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("bundled_model", repository / "benchmarks/bundled_model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that training wrote in two steps."""
    folder = tmp_path_factory.mktemp("trained")
    shape = ModelConfig(vocabulary=len(vocabulary()), width=32, layers=1, heads=2, hidden=32)
    train(TrainConfig(data=DataConfig(steps=2, tokens=300), model=shape, threads=1), folder, look_problems=2)
    return folder


def test_problems_are_held_out_and_different(benchmark: ModuleType) -> None:
    """As many of each length as asked, all of the held-out part, no two alike."""
    problems = benchmark.draw_problems(60, seed=0)
    assert all(problem.held_out for problem in problems)
    assert len({problem.content for problem in problems}) == 60
    assert sorted({len(problem.events) for problem in problems}) == list(range(1, 11))
    assert benchmark.draw_problems(60, seed=0) == problems


def test_overlap_is_counted(benchmark: ModuleType) -> None:
    """Zero for held-out problems; every occurrence for a trained one."""
    data = DataConfig(seed=0, steps=16, tokens=600)
    training = {"config": {"data": {"seed": 0, "steps": 16, "tokens": 600}}}
    contents = list(trained_contents(data))
    assert benchmark.check_overlap(benchmark.draw_problems(50, seed=0), training) == (len(contents), 0)
    start, *steps = contents[0].split(";")
    words = {"+": "wins {}.", "-": "sells {}.", "*": "the count times {}.", "//": "keeps one in {}."}
    words |= {"%": "sells all full sets of {}.", "min": "keeps {} at most.", "max": "never less than {}."}
    events = [words[step.split()[0]].format(step.split()[1]) for step in steps]
    lines = [f"{key}: {event}" for key, event in zip(("First", "Second", "Third"), events, strict=False)]
    text = "\n".join((f"Uma has {start} cards.", *lines, "What is the final count?"))
    assert benchmark.check_overlap([parse_problem(text)], training)[1] == contents.count(contents[0])


def solved(problem: ChainProblem, **wrong: str) -> Judged:
    lines = [wrong.get(f"line{index}", line) for index, line in enumerate(solve(problem))]
    return Judged(problem=problem, text="\n".join(lines))


def test_rollouts_are_balanced(benchmark: ModuleType) -> None:
    """Half of the chosen solutions have a wrong step, and all have four to eight events."""
    problems = benchmark.draw_problems(100, seed=1)
    judged = [solved(p, **({"line1": "oops"} if i % 3 == 0 else {})) for i, p in enumerate(problems)]
    chosen = benchmark.choose_for_rollouts(judged, 10)
    assert sum(solution.first >= 0 for solution in chosen) == 5 == len(chosen) // 2
    assert all(4 <= len(solution.problem.events) <= 8 for solution in chosen)


def test_prefixes_end_after_events(benchmark: ModuleType, diary: ChainProblem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every prefix but the whole solution is rolled out; it is wrong from its first error on."""
    asked: list[str] = []

    def sampler(model: Any, prompts: list[str], **options: Any) -> list[list[str]]:
        asked.extend(prompts)
        return [["Answer: 192", "Answer: 7"] for _ in prompts]

    monkeypatch.setattr(benchmark, "sample_texts", sampler)
    outcomes = benchmark.roll_out(None, [solved(diary, line1="June: 20+76=86")], 2, 1.0, 0)
    assert [prompt.removeprefix(diary.text).count("\n") for prompt in asked] == [1, 2, 3]
    assert all(prompt.endswith("\n") for prompt in asked)
    assert [outcome.correct for outcome in outcomes] == [True, False, False]
    assert [(outcome.successes, outcome.rollouts) for outcome in outcomes] == [(1, 2)] * 3


def test_an_early_answer_ends_the_prefixes(
    benchmark: ModuleType, diary: ChainProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked about prefixes that hold an answer already."""
    monkeypatch.setattr(benchmark, "sample_texts", lambda model, prompts, **options: [[""] for _ in prompts])
    judged = solved(diary, line1="Answer: 20")
    assert len(benchmark.roll_out(None, [judged], 1, 1.0, 0)) == 1


@pytest.mark.slow
def test_from_beginning_to_end(benchmark: ModuleType, trained: Path, tmp_path: Path) -> None:
    """Figures, card and JSON are written, and the card is that of the figures."""
    output = tmp_path / "figures.json"
    arguments = ["--model", str(trained), "--problems", "10", "--solutions", "2", "--rollouts", "2"]
    benchmark.main([*arguments, "--temperature", "1", "--json", str(output), "--card"])
    figures = json.loads(output.read_text())
    assert figures == json.loads((trained / "figures.json").read_text())
    assert figures["overlap"] == 0
    assert figures["solutions"][0]["accuracy"]["of"] == 10
    card = (trained / "README.md").read_text(encoding="utf-8")
    assert figures["command"] in card
    assert str(trained) not in card


def test_overlap_stops_the_benchmark(benchmark: ModuleType, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One problem on both sides, and there are no figures."""
    monkeypatch.setattr(benchmark, "check_overlap", lambda problems, training: (5, 1))
    with pytest.raises(SystemExit, match="worthless"):
        benchmark.main(["--model", str(trained), "--problems", "2"])
