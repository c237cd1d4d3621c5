"""Consensus between whole datasets."""

from __future__ import annotations

from pathlib import Path

import pytest

from steplabel.labels.curation import AllAgree, AtLeast, Majority, Silence
from steplabel.labels.policies import POLICIES
from steplabel.pipelines.curation.agreement import first_errors, read_rule
from steplabel.pipelines.relabelling import Relabelling, relabel
from steplabel.schemas import ConfigError
from steplabel.transforms.dataset import OutputFolder


def errors(folder: OutputFolder) -> dict[str, int | None]:
    return {row.solution_id: row.first_error for row in folder.read("labels")}


def test_what_is_kept_is_agreed_on(source: OutputFolder, other: OutputFolder, curated) -> None:
    """Kept are exactly the solutions of which both name the same first error; the rest says who said what."""
    target, summary = curated(agree=(other.path,))
    mine, said = errors(source), errors(other)
    agreed = {id_ for id_, error in mine.items() if error is not None and said.get(id_) == error}
    assert set(errors(target)) == agreed
    assert 0 < len(agreed) < len(mine)
    run = other.require_manifest().run
    name = f"{run.recipe}@{run.run_id[:8]}"
    for row in target.read("labels"):
        assert row.label_policy == "math_shepherd_hard_consensus"
        assert name in row.label_sources
    left = [r for r in target.read("rejects") if r.stage == "curate.agree"]
    assert {r.reason for r in left} <= {"disagreement", "too_few_spoke", "nobody_spoke"}
    assert all("first error this: " in r.detail and name in r.detail for r in left)
    assert summary.notes == (f"{name}: labels {len(said):,} of the {len(mine):,} solutions",)


def test_the_others_outvote(source: OutputFolder, other: OutputFolder, curated, tmp_path: Path) -> None:
    """Where two others agree on another place, these labels cannot stay."""
    twin = OutputFolder(str(tmp_path / "twin"))
    list(relabel(other, twin, Relabelling(policy=POLICIES["hard_gated"])))
    target, _ = curated(agree=(other.path, twin.path), rule="majority")
    mine, first, second = errors(source), errors(other), errors(twin)
    outvoted = {id_ for id_ in mine if first.get(id_) == second.get(id_) != mine[id_] and first.get(id_) is not None}
    assert outvoted
    assert {r.record_id for r in target.read("rejects") if r.reason == "outvoted"} == outvoted


@pytest.mark.parametrize(
    ("text", "rule"),
    [("all", AllAgree(silence=Silence.DISSENTS)), ("majority", Majority()), ("2", AtLeast(at_least=2))],
    ids=str,
)
def test_rules(text: str, rule: object) -> None:
    """The words of --rule."""
    assert read_rule(text, others=2) == rule


@pytest.mark.parametrize("text", ["", "none", "1", "4", "-2", "2.0", "²"])
def test_no_rules(text: str) -> None:
    """Other words, and more datasets than there are."""
    with pytest.raises(ConfigError, match="majority, or a number of datasets from 2 to 3"):
        read_rule(text, others=2)


def test_a_source_does_not_confirm_itself(source: OutputFolder, other: OutputFolder, curated) -> None:
    """The dataset itself, or one other twice."""
    for agree in ((source.path,), (other.path, other.path)):
        with pytest.raises(ConfigError, match="cannot confirm itself"):
            curated(agree=agree)


def test_nor_by_another_name(source: OutputFolder, other: OutputFolder, curated, tmp_path: Path) -> None:
    """Curated or labelled anew under the same policy, it is the same source still, on either side."""
    thinned, _ = curated("thinned", duplicates="exact")
    again = OutputFolder(str(tmp_path / "again"))
    list(relabel(source, again, Relabelling(policy=POLICIES["math_shepherd_hard"])))
    for twin in (thinned, again):
        for agree in ((twin.path,), (other.path, twin.path)):
            with pytest.raises(ConfigError, match="cannot confirm itself"):
                curated("x", agree=agree)
        with pytest.raises(ConfigError, match="cannot confirm itself"):
            curated("x", agree=(source.path,), of=twin)


def test_another_view_of_the_same_rollouts_is_noted(source: OutputFolder, curated, tmp_path: Path) -> None:
    """It may rest on something else, such as a judge; that the rollouts are shared is said."""
    gated = OutputFolder(str(tmp_path / "gated"))
    list(relabel(source, gated, Relabelling(policy=POLICIES["hard_gated"])))
    _, summary = curated(agree=(gated.path,))
    assert any("are two views of run" in note and "neither confirms the other" in note for note in summary.notes)


def test_all_are_all(source: OutputFolder, other: OutputFolder, curated, datasets: Path, label, recipe_of) -> None:
    """What one of the others never labelled has not been agreed on by all; a majority is one of those that spoke."""
    located = recipe_of("omegaprm_locate", "annotator.k=3")
    few = label("few", recipe=located, input=str(datasets / "problems.jsonl"), limit=8).folder
    mine, theirs, said = errors(source), errors(other), errors(few)
    silent = {id_ for id_, error in mine.items() if theirs.get(id_) == error and said.get(id_) is None}
    assert silent
    kept = set(errors(curated(agree=(other.path, few.path))[0]))
    assert kept == {id_ for id_, error in mine.items() if error is not None and theirs[id_] == said.get(id_) == error}
    assert silent <= set(errors(curated("majority", agree=(other.path, few.path), rule="majority")[0]))


def test_nothing_in_common(curated, label, recipe_of) -> None:  # type: ignore[no-untyped-def]
    """Another seed draws other solutions: the error says what would be right, and nothing is written."""
    stranger = label("stranger", recipe=recipe_of("math_shepherd", "seed=7"), limit=5).folder
    with pytest.raises(ConfigError, match="one engine, --seed and --input"):
        curated(agree=(stranger.path,))
    assert not Path(stranger.path).with_name("curated").exists()


@pytest.mark.parametrize("options", [{"merge": "same-sign"}, {"compress": True, "children": 2}], ids=str)
def test_joined_steps_are_not_compared(other: OutputFolder, curated, options) -> None:
    """Their places count differently: neither side may have joined steps."""
    joined, _ = curated("joined", **options)
    with pytest.raises(ConfigError, match="were joined"):
        curated("x", agree=(joined.path,), of=other)
    with pytest.raises(ConfigError, match="were joined"):
        curated("y", agree=(other.path,), of=joined)


def test_labels_made_anew_do_not_part_what_was_compressed(other: OutputFolder, curated, tmp_path: Path) -> None:
    """The evidence itself holds joined steps then, whatever the labels are called; those of --merge are undone."""
    folders = {}
    for name, options in (("compressed", {"compress": True, "children": 2}), ("merged", {"merge": "random"})):
        folders[name] = OutputFolder(str(tmp_path / f"{name}-anew"))
        list(relabel(curated(name, **options)[0], folders[name], Relabelling(policy=POLICIES["hard"])))
    with pytest.raises(ConfigError, match="were joined"):
        curated("x", agree=(folders["compressed"].path,), of=other)
    assert curated("y", agree=(folders["merged"].path,), of=other)[1].after.rows


def test_first_errors_leave_out_what_is_not_known(source: OutputFolder) -> None:
    """By solution id, known ones alone."""
    assert first_errors(source) == {id_: error for id_, error in errors(source).items() if error is not None}
