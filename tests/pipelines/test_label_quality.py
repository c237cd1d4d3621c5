"""The bank's half of the label-quality benchmark: baselines do what they say, figures are those of the bank."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from steplabel.labels import POLICIES, first_error_f1
from steplabel.pipelines.bank import Bank, read_bank, replay
from steplabel.pipelines.bank_building import build_bank
from steplabel.pipelines.bank_plan import BankPlan, Quota
from steplabel.pipelines.models import model_use
from steplabel.schemas import ConfigError, GoldAnswer, Problem, SamplingParams, Step
from steplabel.schemas.bank import BankedPrefix, BankedProblem, BankedSolution, BankSplit

SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"
SAMPLING = SamplingParams()


@dataclass(frozen=True)
class Parts:
    """The benchmark's own modules; they are scripts beside the package, not a part of it."""

    baselines: Any
    found: Any
    methods: Any
    report: Any
    scoring: Any


@pytest.fixture
def parts(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    names = ("baselines", "found", "methods", "report", "scoring")
    return Parts(**{name: import_module(f"quality_parts.{name}") for name in names})


def bank_of(ends: Sequence[str], *, end: str, first_error: int = -1) -> Bank:
    """One solution of as many steps as there are texts of letters: the rollouts of each prefix but the empty one."""
    lines = [f"step {i}\n" for i in range(len(ends))]
    solution = BankedSolution(
        steps=tuple(Step(text=line, start=sum(map(len, lines[:i]))) for i, line in enumerate(lines)),
        seed=0,
        index=0,
        end=end,
        answer=None,
        finish_reason="stop",
        first_error=first_error,
        first_consequential=first_error,
    )
    prefixes = tuple(
        BankedPrefix(solution=0, depth=depth, ends=text, tokens=(depth,) * len(text))
        for depth, text in enumerate(["w" * len(ends[0]), *ends])
    )
    row = BankedProblem(
        problem=Problem(id="p", text="q", gold=GoldAnswer(text="1")),
        split=BankSplit.TEST,
        completer="m",
        licence="",
        sampling=SAMPLING,
        checker="c",
        checker_version="1",
        solutions=(solution,),
        prefixes=prefixes,
    )
    return Bank.of([row])


@pytest.mark.parametrize(
    ("ends", "end", "first", "rollouts"),
    [
        (["ew", "ww", "ee", "ww"], "w", 1, 4),
        (["ew", "we", "rr", "ww"], "w", 3, 6),
        (["nl", "ee", "ee", "ww"], "w", 0, 2),
        (["ww", "ww", "ww", "ee"], "e", -1, 0),
        (["ww", "ww", "ww", "rr"], "r", -1, 0),
        (["ww"], "w", 0, 0),
    ],
    ids=["first zero", "none before the last", "silence", "right", "right, spelt otherwise", "one step"],
)
def test_right_answer_is_right(parts: Parts, ends: list[str], end: str, first: int, rollouts: int) -> None:
    """SCAN: nothing is asked of a right answer; else from the front up to the first step without a success."""
    found = parts.found.one_by_one(parts.baselines.right_answer_is_right)(bank_of(ends, end=end), 2, 0)
    assert (found.first_errors, found.rollouts) == ([first], rollouts)


@pytest.mark.parametrize(
    ("ends", "end", "first", "rollouts"),
    [
        (["ew", "ww", "ee", "ww"], "w", 1, 4),
        (["ew", "rr", "ee", "ee"], "e", 1, 4),
        (["ew", "we", "ww", "ee"], "e", -1, 4),
        (["ew", "we", "ee", "rr"], "r", 2, 4),
        (["ee", "ww"], "w", 0, 0),
        (["ww"], "w", None, 0),
    ],
    ids=[
        "first without a match",
        "8.0 is not 8",
        "the step before the answer is not asked",
        "the answer is spelt otherwise",
        "two steps are one",
        "one step has no label",
    ],
)
def test_string_check(parts: Parts, ends: list[str], end: str, first: int | None, rollouts: int) -> None:
    """distilabel: letter by letter, every prefix paid for, the answer joined to the step before it."""
    found = parts.found.one_by_one(parts.baselines.string_check)(bank_of(ends, end=end), 2, 0)
    assert (found.first_errors, found.rollouts) == ([first], rollouts)


def test_reselection_pays_for_every_search_and_believes_the_last(parts: Parts) -> None:
    """openr: three searches of 2k fresh rollouts a prefix; only the third one's word counts."""
    # k=1, so each search reads two letters of a prefix. Steps 0..3; the halves look at prefix 2 first, then 1 or 3.
    lucky_in_the_first_search = ["eeeeee", "wewwww", "wwwwww", "wwwwww"]
    found = parts.found.one_by_one(parts.baselines.reselection)(bank_of(lucky_in_the_first_search, end="w"), 1, 0)
    assert found.first_errors == [1]
    assert found.rollouts == 3 * 2 * 2, "two prefixes a search, two rollouts a prefix, three searches"
    assert found.tokens == (2 + 3) * 2 + 2 * (2 + 1) * 2


def test_reselection_of_a_right_answer_asks_nothing(parts: Parts) -> None:
    """Only rollouts with a wrong answer are searched."""
    found = parts.found.one_by_one(parts.baselines.reselection)(bank_of(["ww" * 3] * 3, end="e"), 1, 0)
    assert (found.first_errors, found.rollouts, found.tokens) == ([-1], 0, 0)


def test_a_search_that_meets_no_failure_finds_no_error(parts: Parts) -> None:
    """Halving ends behind the last step where every prefix it looks at succeeds."""
    found = parts.found.one_by_one(parts.baselines.reselection)(bank_of(["ee" * 3] * 3, end="w"), 1, 0)
    assert found.first_errors == [-1]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bank of the scripted solver."""
    folder = tmp_path_factory.mktemp("bank")
    quota = Quota(solutions=60, clean=20, erroneous=20, lucky=3)
    plan = BankPlan(use=model_use(SOLVER), rollouts=12, quota=quota)
    build_bank(plan, store=folder / "s.sqlite", output=folder / "bank.parquet", console=Console(quiet=True))
    return folder / "bank.parquet"


@pytest.fixture
def bank(path: Path) -> Bank:
    return read_bank(path)


def test_a_score_is_the_replay_against_the_truth(parts: Parts, bank: Bank) -> None:
    """One replication: F1 and its interval are those of the labels; costs those of the replay."""
    (method,) = (m for m in parts.methods.METHODS if m.name == "math_shepherd")
    found = parts.scoring.score(method, 8, bank, replications=1)
    replayed = replay(parts.methods.MathShepherd(k=8), bank, POLICIES["math_shepherd_soft"])
    report = first_error_f1([one.first_error for one in replayed.labels], bank.truth(), groups=bank.groups())
    assert (found.f1, found.f1_low, found.f1_high) == (report.f1, report.f1_low, report.f1_high)
    assert (found.n_error, found.n_clean) == (report.n_error, report.n_clean)
    assert (found.rollouts, found.tokens) == (replayed.rollouts_per_solution, replayed.tokens_per_solution)
    assert 0 < found.brier < 0.25
    assert found.ranking > 0.8


def test_replications_are_averaged_and_do_not_narrow_the_interval(parts: Parts, bank: Bank) -> None:
    """Accuracies are means over replications; problems, not replications, make the interval."""
    (method,) = (m for m in parts.methods.METHODS if m.name == "math_shepherd")
    once = [parts.scoring.score(method, 4, bank, replications=1)]
    shifted = replace(method, measure=lambda bank, k, offset: method.measure(bank, k, offset + 4))
    once.append(parts.scoring.score(shifted, 4, bank, replications=1))
    both = parts.scoring.score(method, 4, bank, replications=2)
    assert both.replications == 2
    assert both.acc_error == pytest.approx(sum(one.acc_error for one in once) / 2)
    assert (both.n_error, both.n_clean) == (once[0].n_error, once[0].n_clean)
    assert both.f1_high - both.f1_low > 0.7 * (once[0].f1_high - once[0].f1_low)


def test_replications_share_no_rollout(parts: Parts) -> None:
    """As many as the bank has room for, as far apart as the method needs."""
    method = parts.methods.Method(name="m", measure=None, most_of_one=3)
    assert method.replications(4, held=64, most=4) == [0, 12, 24, 36]
    assert method.replications(8, held=64, most=4) == [0, 24]
    assert method.replications(32, held=64, most=4) == []


def test_a_bank_that_is_too_small_says_so(parts: Parts, bank: Bank) -> None:
    """Rather than a score of nothing."""
    with pytest.raises(ConfigError, match="k=32: the bank holds only 12"):
        parts.scoring.score(parts.methods.METHODS[0], 32, bank, replications=4)


def test_names_of_methods_differ(parts: Parts) -> None:
    """A curve is found by its name."""
    names = [method.name for method in parts.methods.METHODS]
    assert len(set(names)) == len(names)


def test_steps_are_judged_one_by_one(parts: Parts, bank: Bank) -> None:
    """The first strictly wrong step of the values' truth is the bank's first error."""
    for case, first in zip(bank.cases, bank.truth(), strict=True):
        right = parts.scoring.right_steps(case.record.problem.text, case.banked.text)
        assert len(right) == len(case.solution.steps)
        assert (right.index(False) if False in right else -1) == first


def test_section_replaces_what_stood_between_the_markers(parts: Parts, tmp_path: Path) -> None:
    """Writing twice leaves one section; the rest of the document stays."""
    document = tmp_path / "doc.md"
    begin, end = parts.report.BEGIN, parts.report.END
    document.write_text(f"before\n\n{begin}\nold\n{end}\n\nafter\n", encoding="utf-8")
    for text in ("| a |", "| b |"):
        parts.report.write_section(text, document)
        assert document.read_text(encoding="utf-8") == f"before\n\n{begin}\n\n{text}\n\n{end}\n\nafter\n"


@pytest.mark.parametrize("text", ["none", "{begin} only", "{end} before {begin}", "{begin} {end} {begin} {end}"])
def test_a_document_without_its_markers_is_left_alone(parts: Parts, tmp_path: Path, text: str) -> None:
    """The message names them."""
    document = tmp_path / "doc.md"
    document.write_text(text.format(begin=parts.report.BEGIN, end=parts.report.END), encoding="utf-8")
    before = document.read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="once each"):
        parts.report.write_section("table", document)
    assert document.read_text(encoding="utf-8") == before


def test_curves_rise_in_cost(parts: Parts, bank: Bank) -> None:
    """One curve a method, its points in order of their tokens."""
    chosen = parts.methods.METHODS[1:3]
    scores = [parts.scoring.score(method, k, bank, replications=1) for method in chosen for k in (8, 2, 4)]
    drawn = list(parts.report.curves(scores))
    assert [name for name, *_ in drawn] == [method.name for method in chosen]
    for _, _, tokens, f1 in drawn:
        assert tokens == sorted(tokens)
        assert all(math.isfinite(one) for one in f1)


def test_plot_is_an_image(parts: Parts, bank: Bank, tmp_path: Path) -> None:
    """Every curve is named in it; equal figures give equal bytes."""
    pytest.importorskip("matplotlib")
    scores = [parts.scoring.score(parts.methods.METHODS[1], k, bank, replications=1) for k in (2, 4)]
    for name in ("a.svg", "b.svg"):
        parts.report.write_plot(scores, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_command_measures_every_method_and_writes_the_document(
    parts: Parts, path: Path, repository: Path, tmp_path: Path
) -> None:
    """Every method at every budget that fits, in the JSON and in the document."""
    document = tmp_path / "doc.md"
    document.write_text(f"{parts.report.BEGIN}\n{parts.report.END}\n", encoding="utf-8")
    command = [sys.executable, "benchmarks/label_quality.py", "--bank", str(path), "--json"]
    done = subprocess.run(
        [*command, "--write", "--document", str(document)],
        cwd=repository,
        check=True,
        capture_output=True,
        text=True,
    )
    rows = json.loads(done.stdout)["bank"]
    fits = {(m.name, k) for m in parts.methods.METHODS for k in m.budgets if k * m.most_of_one <= 12}
    assert {(row["method"], row["k"]) for row in rows} == fits
    for row in rows:
        assert 0 <= row["f1_low"] <= row["f1"] <= row["f1_high"] <= 1
        assert row["tokens"] > 0
    written = document.read_text(encoding="utf-8")
    assert all(f"| {row['method']} | {row['k']} | {row['f1']:.3f} |" in written for row in rows)
