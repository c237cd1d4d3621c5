"""Duplicates in a problem, and among problems that ask the same."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from steplabel.transforms.dataset import OutputFolder


@pytest.fixture
def twins(problems: Path, source: OutputFolder, tmp_path: Path, label, recipe_of) -> OutputFolder:  # type: ignore[no-untyped-def]
    """Problems with three given solutions, two of them equal, and the same questions again in another chunk."""
    texts: dict[str, list[str]] = {}
    for row in source.read("labels"):
        texts.setdefault(row.problem_id, []).append("".join(row.steps))
    several = {id_: sorted(set(found)) for id_, found in texts.items() if len(set(found)) > 1}
    rows = {row["id"]: row for row in map(json.loads, problems.read_text().splitlines()) if row["id"] in several}
    assert len(rows) >= 4
    given = [
        rows[id_] | {"solutions": [found[0], found[1], found[0] + "\n"]} for id_, found in list(several.items())[:4]
    ]
    again = [row | {"id": row["id"] + "-again"} for row in given]
    path = tmp_path / "twins.jsonl"
    path.write_text("\n".join(map(json.dumps, given + again)))
    recipe = recipe_of("math_shepherd", "annotator.k=2")
    return label("twins", input=str(path), recipe=recipe, chunk=4).folder


def texts_of(folder: OutputFolder) -> Counter[tuple[str, str]]:
    """Question and solution, without white space around them."""
    return Counter((row.problem, "".join(row.steps).strip()) for row in folder.read("labels"))


def test_one_of_each_stays_wherever_it_lies(twins: OutputFolder, curated) -> None:
    """Equal up to white space, in one problem and in the problem of another chunk that asks the same."""
    before = texts_of(twins)
    assert max(before.values()) == 4
    target, summary = curated(of=twins, duplicates="exact")
    assert texts_of(target) == Counter(set(before))
    assert summary.steps[0].dropped == (("duplicate", sum(before.values()) - len(before)),)


def test_the_kept_one_is_named(twins: OutputFolder, curated) -> None:
    """By solution and problem; it is among the rows that stay."""
    target, _ = curated(of=twins, duplicates="exact")
    kept = {(row.problem_id, row.solution_id) for row in target.read("labels")}
    for reject in target.read("rejects"):
        if reject.stage == "curate.duplicates":
            words = reject.detail.replace(",", "").split()
            assert (words[5], words[2]) in kept


def test_near_ones_are_fewer(source: OutputFolder, curated) -> None:
    """What is exactly equal is also near; numbers that differ in long solutions make a near duplicate."""
    exact, _ = curated("exact", duplicates="exact")
    near, summary = curated("near", duplicates="near")
    assert set(texts_of(near)) <= set(texts_of(exact))
    assert sum(texts_of(near).values()) < sum(texts_of(exact).values()) < sum(texts_of(source).values())
    assert {reason for reason, _ in summary.steps[0].dropped} == {"duplicate", "near_duplicate"}
    assert {row.problem_id for row in near.read("labels")} == {row.problem_id for row in source.read("labels")}
