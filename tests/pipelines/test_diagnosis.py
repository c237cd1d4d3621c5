"""What `steplabel diagnose` counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from steplabel.labels.curation import diagnose_steps
from steplabel.pipelines.curation.options import CurationOptions, curation_of
from steplabel.pipelines.curation.writing import curate, open_curation
from steplabel.pipelines.diagnosis import diagnose, print_diagnosis
from steplabel.pipelines.evaluation import evaluate, exact_truth, gold_truth, truths
from steplabel.schemas import ConfigError, DataError
from steplabel.transforms.dataset import OutputFolder


@pytest.fixture(scope="module")
def source(labelled_once, recipe_of) -> OutputFolder:  # type: ignore[no-untyped-def]
    """Labels that are cut after the error: lengths are those of the whole solutions all the same."""
    folder: OutputFolder = labelled_once(recipe_of("qwen_monte_carlo", "annotator.k=2"), problems=20, chunk=6)
    return folder


def test_noise_against_the_exact_truth(source: OutputFolder) -> None:
    """Wrong ones, bin by bin, are those whose first error is not the truth's."""
    rows = list(source.read("labels"))
    true = truths(source, rows, exact_truth())
    lengths = {s.id: len(s.steps) for s in source.read("solutions")}
    found = diagnose(source, "exact")
    for noise in found.noise:
        last = noise.longest or 1000
        mine = [
            (row.first_error, known)
            for row, known in zip(rows, true, strict=True)
            if noise.shortest <= lengths[row.solution_id] <= last
        ]
        assert noise.solutions == len(mine)
        assert noise.wrong == sum(a != b for a, b in mine if a is not None and b is not None)
    assert sum(noise.wrong for noise in found.noise) > 0


def test_another_dataset_is_a_reference(source: OutputFolder, label, recipe_of) -> None:  # type: ignore[no-untyped-def]
    """Disagreement on the solutions that both label; the rest cannot be compared."""
    other = label("other", recipe=recipe_of("omegaprm_locate", "annotator.k=4"), limit=9).folder
    said = {row.solution_id: row.first_error for row in other.read("labels")}
    found = diagnose(source, other.path)
    rows = list(source.read("labels"))
    common = [(r.first_error, said[r.solution_id]) for r in rows if said.get(r.solution_id) is not None]
    assert sum(n.solutions - n.unknown for n in found.noise) == len(common) < len(rows)
    assert sum(n.wrong for n in found.noise) == sum(a != b for a, b in common)


def test_itself_differs_nowhere(source: OutputFolder) -> None:
    """A dataset against itself."""
    assert sum(noise.wrong for noise in diagnose(source, source.path).noise) == 0


@pytest.mark.parametrize("options", [{"merge": "random"}, {"compress": True, "children": 2}], ids=str)
def test_joined_steps_are_not_evaluated(label, recipe_of, tmp_path: Path, options: dict[str, Any]) -> None:  # type: ignore[no-untyped-def]
    """Their first errors count other places than the truth: no F1 is better than a wrong one."""
    whole = label("whole", recipe=recipe_of("math_shepherd", "annotator.k=2"), limit=12).folder
    assert evaluate(whole, exact_truth()).rows
    joined = OutputFolder(str(tmp_path / "joined"))
    list(curate(open_curation(whole, curation_of(CurationOptions(**options))), joined))
    with pytest.raises(ConfigError, match="were joined"):
        evaluate(joined, exact_truth())


def test_a_damaged_gold_file_is_an_error(tmp_path: Path) -> None:
    """Half a reference would leave the other half out of every figure without a word."""
    row = {"id": "g-1", "problem": "?", "steps": ["a"], "label": -1, "generator": "m", "final_answer_correct": True}
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps(row) + "\n\n")
    assert gold_truth(str(gold))("?", ["a"]) == -1
    gold.write_text(json.dumps(row) + "\n" + json.dumps(row)[:40])
    with pytest.raises(DataError, match=r"gold\.jsonl:2: not JSON"):
        gold_truth(str(gold))


def test_bins_hold_sums_alone(source: OutputFolder) -> None:
    """A dataset may hold millions of solutions: what is known of each is added up bin by bin and forgotten."""
    lengths = {s.id: len(s.steps) for s in source.read("solutions")}
    rows = list(source.read("labels"))
    for one in diagnose(source).lengths:
        here = [row for row in rows if one.shortest <= lengths[row.solution_id] <= (one.longest or 10**9)]
        said = [diagnose_steps(row) for row in here]
        assert (one.solutions, one.steps) == (len(said), sum(row.steps for row in said))
        assert (one.repeated, one.useless) == tuple(
            sum(len(getattr(row, name)) for row in said) for name in ("repeated", "useless")
        )
        for name in ("repetition", "summed", "clipped", "delta"):
            known = [value for row in said if (value := getattr(row, name)) is not None]
            assert getattr(one, name) == (pytest.approx(sum(known) / len(known)) if known else None)


def test_steps(source: OutputFolder) -> None:
    """Sums over the bins are sums over the rows; without a reference there is no noise."""
    found = diagnose(source, eta=0.25)
    said = [diagnose_steps(row, eta=0.25) for row in source.read("labels")]
    assert found.noise == ()
    assert sum(one.solutions for one in found.lengths) == len(said)
    assert sum(one.repeated for one in found.lengths) == sum(len(one.repeated) for one in said)
    weighted = sum(one.solutions * one.clipped for one in found.lengths if one.clipped is not None)
    assert weighted == pytest.approx(sum(one.clipped for one in said if one.clipped is not None))


def test_what_cannot_be_compared(source: OutputFolder, label, recipe_of, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Strangers, joined steps, nothing at all."""
    stranger = label("stranger", recipe=recipe_of("math_shepherd", "seed=9"), limit=4).folder
    with pytest.raises(ConfigError, match="says nothing about any"):
        diagnose(source, stranger.path)
    merged = OutputFolder(str(tmp_path / "merged"))
    list(curate(open_curation(source, curation_of(CurationOptions(merge="same-sign"))), merged))
    with pytest.raises(ConfigError, match="were joined"):
        diagnose(merged, "exact")
    assert diagnose(merged).lengths
    with pytest.raises(ConfigError, match="does not exist"):
        diagnose(source, str(tmp_path / "nope.jsonl"))
    with pytest.raises(ConfigError, match="no steplabel output"):
        diagnose(OutputFolder(str(tmp_path / "nope")))


def test_the_tables_name_their_bins(source: OutputFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each bin that holds solutions."""
    found = diagnose(source, "exact")
    print_diagnosis(Console(width=100), found)
    printed = capsys.readouterr().out
    for one in found.lengths:
        assert (f"{one.shortest}-{one.longest} " in printed) == bool(one.solutions)
    assert "false alarms" in printed
