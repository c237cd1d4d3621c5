"""Each layout says what the functions behind it say, under the column names that trainers know."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steplabel.labels.policies import POLICIES
from steplabel.pipelines.curation.options import CurationOptions, curation_of
from steplabel.pipelines.curation.writing import curate, open_curation
from steplabel.pipelines.exporting import EXPORTERS, Exported, export_dataset
from steplabel.pipelines.relabelling import Relabelling, relabel
from steplabel.pipelines.training_rows.layout import ExportOptions
from steplabel.schemas import ConfigError, Rollout, codec
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.io import read_records, read_rows, write_plain


@pytest.fixture(scope="module")
def source(labelled_once, recipe_of) -> OutputFolder:  # type: ignore[no-untyped-def]
    """`glore`: rollouts at every step and at the bare problem; several chunks."""
    folder: OutputFolder = labelled_once(recipe_of("glore", "annotator.k=4"), problems=24, chunk=7)
    return folder


def exported(folder: OutputFolder, layout: str, path: Path, **options: Any) -> tuple[list[dict[str, Any]], Exported]:
    report = export_dataset(folder, layout, str(path), ExportOptions(**options))
    rows = [dict(row.data or {}) for row in read_rows(str(path))]
    assert len(rows) == report.written
    return rows, report


@pytest.mark.parametrize("layout", EXPORTERS)
def test_jsonl_and_parquet_hold_the_same(source: OutputFolder, tmp_path: Path, layout: str) -> None:
    """Row by row, column by column."""
    lines, first = exported(source, layout, tmp_path / "a.jsonl")
    table, second = exported(source, layout, tmp_path / "a.parquet")
    assert lines == table
    assert first == second


def test_mark_pairs(source: OutputFolder, tmp_path: Path) -> None:
    """A right step and a first error behind one prefix; every prompt is question, blank line, steps so far."""
    rows, report = exported(source, "pairs", tmp_path / "pairs.jsonl")
    labels = {
        (r.problem_id, "".join(r.steps[: i + 1])): (r.labels[i], r.problem)
        for r in source.read("labels")
        for i in range(len(r.steps))
    }
    for row in rows:
        assert row["prompt"] == f"{row['problem']}\n\n{row['prefix']}"
        chosen, problem = labels[row["problem_id"], row["prefix"] + row["chosen"]]
        rejected, _ = labels[row["problem_id"], row["prefix"] + row["rejected"]]
        assert (chosen, rejected, problem) == ("+", "-", row["problem"])
        assert row["margin"] == row["chosen_value"] - row["rejected_value"]
    with_pairs = {row["problem_id"] for row in rows}
    problems = {row.problem_id for row in source.read("labels")}
    assert report.refused == {("problem", "no_pair"): len(problems - with_pairs)}


def test_value_pairs(source: OutputFolder, tmp_path: Path) -> None:
    """The higher value is chosen; a margin leaves out the closer ones."""
    rows, _ = exported(source, "value_pairs", tmp_path / "all.jsonl")
    assert all(row["margin"] > 0 for row in rows)
    few, _ = exported(source, "value_pairs", tmp_path / "few.jsonl", min_margin=0.5)
    assert few == [row for row in rows if row["margin"] > 0.5]
    assert 0 < len(few) < len(rows)


@pytest.mark.parametrize("layout", ["pairs", "value_pairs"])
def test_pairs_of_a_compressed_tree(source: OutputFolder, tmp_path: Path, layout: str) -> None:
    """Rows whose steps were merged and rows that stayed are labelled alike: they are compared, and the name tells."""
    compressed = OutputFolder(str(tmp_path / "compressed"))
    list(curate(open_curation(source, curation_of(CurationOptions(compress=True, children=2))), compressed))
    names = {(row.problem_id, row.label_policy) for row in compressed.read("labels")}
    mixed = {problem for problem, name in names if (problem, f"{name}_compressed") in names}
    rows, _ = exported(compressed, layout, tmp_path / "pairs.jsonl")
    assert {row["label_policy"].partition("@")[0] for row in rows if row["problem_id"] in mixed} == {
        next(name for problem, name in names if problem in mixed and name.endswith("_compressed"))
    }


def test_refinements(source: OutputFolder, tmp_path: Path) -> None:
    """Draft and correction share the right steps; what gave none is counted by reason, all rows together."""
    rows, report = exported(source, "refinements", tmp_path / "r.jsonl")
    labelled = {row.solution_id: row for row in source.read("labels")}
    for row in rows:
        of = labelled[row["solution_id"]]
        assert row["draft"] == "".join(of.steps)
        assert row["error_step"] == of.first_error
        assert row["draft"][: row["error_start"]] == row["completion"][: row["error_start"]]
        assert row["draft"] != row["completion"]
        assert row["error_start"] == len("".join(of.steps[: row["error_step"]]))
    assert len(rows) + sum(report.refused.values()) == len(labelled)
    assert {reason for _, reason in report.refused} >= {"no_error"}


def test_prefixes(source: OutputFolder, tmp_path: Path) -> None:
    """Trained on is the right prefix and one step more; the wrong step is another one."""
    rows, _ = exported(source, "prefixes", tmp_path / "p.jsonl")
    for row in rows:
        assert row["completion"] == row["prefix"] + row["intervention"]
        assert row["intervention"].count("\n") <= 1
        assert row["intervention"].strip()
    corrected = {(r["solution_id"], r["completion"]) for r in exported(source, "refinements", tmp_path / "r.jsonl")[0]}
    assert {(row["solution_id"], row["completion"] + row["continuation"]) for row in rows} == corrected


def test_prefixes_fill_their_limit(source: OutputFolder, tmp_path: Path) -> None:
    """Rollouts that begin alike are one row: others come in their place as far as there are any."""
    copy = OutputFolder(str(shutil.copytree(source.path, tmp_path / "copy")))
    for file in copy.require_manifest().files("rollouts"):
        rollouts = list(read_records([copy.join(file.path)], Rollout))
        begun = [replace(r, text=f"Well {r.index // 2}\n{r.text}\nRollout {r.index}") for r in rollouts]
        write_plain(codec.to_builtins(begun), Rollout, copy.join(file.path))
    whole = Counter(row["solution_id"] for row in exported(copy, "prefixes", tmp_path / "all.jsonl", limit=99)[0])
    assert max(whole.values()) == 2, "two of four rollouts begin alike"
    for limit in (1, 2):
        rows, _ = exported(copy, "prefixes", tmp_path / f"{limit}.jsonl", limit=limit)
        assert Counter(row["solution_id"] for row in rows) == {id_: min(n, limit) for id_, n in whole.items()}


def test_interventions_are_steps_of_the_runs_own(source: OutputFolder, tmp_path: Path) -> None:
    """A run whose steps are pairs of lines is corrected by pairs of lines, curated or not."""
    copy = OutputFolder(str(shutil.copytree(source.path, tmp_path / "copy")))
    manifest = copy.require_manifest()
    by_marker = {"type": "MarkerSteps", "pattern": "(?!)", "join_preamble": False}
    config = codec.from_json(manifest.config, dict) | {"segmenter": by_marker}
    copy.write_manifest(replace(manifest, config=codec.to_json(config).decode()))
    opened = open_curation(copy, curation_of(CurationOptions(balance="1:1")))
    curated = OutputFolder(str(tmp_path / "curated"))
    list(curate(opened, curated))
    for folder in (copy, curated):
        rows, _ = exported(folder, "prefixes", tmp_path / f"{Path(folder.path).name}.jsonl")
        assert rows
        assert {row["continuation"] for row in rows} == {""}, "no line is a marker: the whole rollout is one step"
        assert any(row["intervention"].count("\n") > 1 for row in rows)


def test_corrections_do_not_repeat_the_error(source: OutputFolder, tmp_path: Path) -> None:
    """Whatever the rollouts say: neither layout teaches the wrong step as its own correction."""
    for row in exported(source, "prefixes", tmp_path / "p.jsonl", limit=4)[0]:
        assert row["intervention"].strip() != row["wrong_step"].strip()
    for row in exported(source, "refinements", tmp_path / "r.jsonl", limit=4)[0]:
        wrong = row["draft"][row["error_start"] :].splitlines()[0]
        assert row["completion"][row["error_start"] :].splitlines()[0] != wrong


def test_last_steps_are_even(source: OutputFolder, tmp_path: Path) -> None:
    """As many right as wrong, final steps apart from the others, over all chunks together."""
    rows, report = exported(source, "last_steps", tmp_path / "l.jsonl")
    counts = Counter((row["final"], row["label"]) for row in rows)
    for final in (True, False):
        assert counts[final, True] == counts[final, False] > 0
    labelled = {(row.problem_id, row.solution_id): row for row in source.read("labels")}
    for row in rows:
        of = labelled[row["problem_id"], row["solution_id"]]
        assert tuple(row["completions"]) == of.steps[: len(row["completions"])]
        assert row["label"] == (of.labels[len(row["completions"]) - 1] == "+")
        assert row["final"] == (len(row["completions"]) == len(of.steps))
    decided = sum(mark != "unknown" for row in labelled.values() for mark in row.labels)
    assert len(rows) + report.refused["step", "unbalanced"] == decided


def test_where_labels_were_cut_is_not_the_end(source: OutputFolder, tmp_path: Path) -> None:
    """A first error in the middle is an example of the middle, though nothing stands behind it in its row."""
    cut = OutputFolder(str(tmp_path / "cut"))
    list(relabel(source, cut, Relabelling(policy=POLICIES["qwen_hard"])))
    rows, _ = exported(cut, "last_steps", tmp_path / "l.jsonl")
    steps = {(solution.problem_id, solution.id): len(solution.steps) for solution in cut.read("solutions")}
    assert any(len(row.steps) < steps[row.problem_id, row.solution_id] for row in cut.read("labels"))
    for row in rows:
        assert row["final"] == (len(row["completions"]) == steps[row["problem_id"], row["solution_id"]])


def test_unknown_steps_are_counted(label, recipe_of, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """They are neither right nor wrong examples."""
    located = label("located", recipe=recipe_of("omegaprm_locate"), limit=24).folder
    _, report = exported(located, "last_steps", tmp_path / "l.jsonl")
    unknown = sum(mark == "unknown" for row in located.read("labels") for mark in row.labels)
    assert report.refused["step", "undecided_step"] == unknown > 0


@pytest.mark.parametrize("layout", ["pairs", "value_pairs", "refinements", "prefixes"])
def test_joined_steps_are_nobodys_nodes(source: OutputFolder, tmp_path: Path, layout: str) -> None:
    """Merged rows cannot be laid beside the evidence: they are refused with that reason, the others are exported."""
    merged = OutputFolder(str(tmp_path / "merged"))
    list(curate(open_curation(source, curation_of(CurationOptions(merge="random"))), merged))
    joined = sum(row.label_policy.endswith("_merged") for row in merged.read("labels"))
    _, report = exported(merged, layout, tmp_path / "x.jsonl")
    assert report.refused["solution", "joined_steps"] == joined > 0


def test_nothing_to_say_leaves_no_file(source: OutputFolder, tmp_path: Path) -> None:
    """The error says why, and an older file stays."""
    path = tmp_path / "old.jsonl"
    path.write_text(json.dumps({"mine": 1}))
    with pytest.raises(ConfigError, match="problems no_pair"):
        export_dataset(source, "value_pairs", str(path), ExportOptions(min_margin=5.0))
    assert path.read_text() == json.dumps({"mine": 1})


HAVE = {
    "trl": set(),
    "fover": set(),
    "pairs": set(),
    "value_pairs": {"min_margin"},
    "refinements": {"limit", "seed"},
    "prefixes": {"limit", "seed"},
    "last_steps": {"seed"},
}


@pytest.mark.parametrize("option", [{"min_margin": 0.25}, {"limit": 2}, {"seed": 1}], ids=str)
@pytest.mark.parametrize("layout", EXPORTERS)
def test_an_option_that_would_do_nothing(
    source: OutputFolder, tmp_path: Path, layout: str, option: dict[str, Any]
) -> None:
    """It is refused by the name that the command line gives it, with those that the layout has; no file is written."""
    (name,) = option
    if name in HAVE[layout]:
        assert exported(source, layout, tmp_path / "x.jsonl", **option)[0]
        return
    with pytest.raises(ConfigError, match=f"layout {layout} has no option --{name.replace('_', '-')}") as found:
        exported(source, layout, tmp_path / "x.jsonl", **option)
    assert all(f"--{has.replace('_', '-')}" in str(found.value) for has in HAVE[layout])
    assert not (tmp_path / "x.jsonl").exists()


@pytest.mark.parametrize("options", [{"min_margin": -0.1}, {"min_margin": float("nan")}, {"limit": 0}], ids=str)
def test_options_out_of_range(options: dict[str, Any]) -> None:
    """They are refused with both values."""
    with pytest.raises(ConfigError, match="--min-margin"):
        ExportOptions(**options)
