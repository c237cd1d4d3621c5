"""The card loads, says what it must, and no value in it can break out of its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import ConfigError, LabelRow, LabelTarget, Problem
from steplabel.schemas.arrow import from_table, to_table
from steplabel.schemas.layouts.hf_card import Card, render_card, size_category

CARD = Card(
    title="Labels of a demo",
    files={
        "problems": ["problems/a.parquet"],
        "labels": ["labels/a.parquet", "labels/b.parquet"],
        "rejects": [],
    },
    rows={"labels": 1234, "problems": 5},
    policy="hard 1",
    target=LabelTarget.REACHABLE,
    licence="Apache-2.0",
    models=[("policy", "Apache-2.0"), ("completer", "")],
    sources=[("made", "MIT")],
    recipe="math_shepherd",
    command="steplabel run",
    run_id="r1",
    limits=["Greedy only."],
)


def _meta(card: Card) -> dict[str, Any]:
    _, front, _ = render_card(card).split("---\n", 2)
    meta: dict[str, Any] = yaml.safe_load(front)
    return meta


def test_front_matter() -> None:
    """One config a table with files, labels first and default, with the committed files and no others."""
    meta = _meta(CARD)
    assert [c["config_name"] for c in meta["configs"]] == ["labels", "problems"]
    assert [c.get("default", False) for c in meta["configs"]] == [True, False]
    assert meta["configs"][0]["data_files"] == [{"split": "train", "path": ["labels/a.parquet", "labels/b.parquet"]}]
    assert meta["license"] == "apache-2.0"
    assert meta["size_categories"] == ["1K<n<10K"]
    assert "process-reward-model" in meta["tags"]
    assert meta["language"] == ["en"]


def test_undecided_licence() -> None:
    """A data set whose licence nobody decided says other, not somebody's licence."""
    assert _meta(replace(CARD, licence=""))["license"] == "other"


@pytest.mark.parametrize("target", LabelTarget)
def test_says_what_labels_claim(target: LabelTarget) -> None:
    """Each target has its own claim; none says more than the labels do."""
    text = render_card(replace(CARD, target=target))
    assert f"Target: `{target}`" in text
    assert ("not the same as a correct step" in " ".join(text.split())) is (target is LabelTarget.REACHABLE)


def test_says_what_is_owed() -> None:
    """Models with their licences, an unknown licence as such, restrictions, counts, limits and origin."""
    text = render_card(CARD)
    assert "Outputs may be restricted" in text
    assert "| model | policy | Apache-2.0 |" in text
    assert "| model | completer | not known |" in text
    assert "| labels | 1,234 | 2 |" in text
    assert "rejects" not in text
    assert "- Greedy only." in text
    assert "- recipe: `math_shepherd`" in text
    assert "configuration hash" not in text
    assert text.endswith("\n")
    assert "\n\n\n" not in text


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc"))) | st.just('a: b\n---\n# x | y\n- "z"'))
def test_no_value_breaks_out(value: str) -> None:
    """Whatever a title, model or policy is called, the front matter parses and all sections stay."""
    card = replace(CARD, title=value, policy=value, models=[(value, value)], tags=[value], recipe=value)
    meta = _meta(card)
    assert meta["pretty_name"] == value
    assert meta["tags"] == [value]
    headings = [line for line in render_card(card).split("---\n", 2)[2].split("\n") if line.startswith("#")]
    assert len(headings) == 6


@pytest.mark.parametrize("path", ["/a", "../a", "a/../b", "a*", "a[0]", "{a}", ""], ids=str)
def test_refuses_paths(path: str) -> None:
    """A path that leaves the folder, or is a pattern that could match other files, is refused."""
    with pytest.raises(ConfigError, match="card file"):
        replace(CARD, files={"labels": [path]})


def test_refuses_no_labels() -> None:
    """A data set without labels has no card."""
    with pytest.raises(ConfigError, match="'labels' table"):
        replace(CARD, files={"problems": ["a.parquet"], "labels": []})


@pytest.mark.parametrize(
    ("rows", "name"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**8, "n>10M")]
)
def test_sizes(rows: int, name: str) -> None:
    """The hub's categories include their lower end."""
    assert size_category(rows) == name


def test_datasets_loads_it(label_row: Callable[..., LabelRow], tmp_path: Path) -> None:
    """`load_dataset(folder)` gives the labels, a name gives a table, and stray files are not read."""
    folder, cache = tmp_path / "set", str(tmp_path / "cache")
    rows = [label_row(problem_id=str(i)) for i in range(3)]
    problems = [Problem(id="1", text="q")]
    for name, table in {
        "labels/a.parquet": to_table(rows[:2], LabelRow),
        "labels/b.parquet": to_table(rows[2:], LabelRow),
        "labels/stray.parquet": to_table(rows, LabelRow),
        "problems/a.parquet": to_table(problems, Problem),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / name)
    (folder / "README.md").write_text(render_card(CARD), encoding="utf-8")
    labels = datasets.load_dataset(str(folder), split="train", cache_dir=cache)
    assert from_table(labels.data.table, LabelRow) == rows
    loaded = datasets.load_dataset(str(folder), "problems", split="train", cache_dir=cache)
    assert from_table(loaded.data.table, Problem) == problems
    assert datasets.get_dataset_config_names(str(folder)) == ["labels", "problems"]
