"""Consensus between whole datasets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from steplabel.labels.curation import AllAgree, AtLeast, Majority, Silence
from steplabel.labels.policies import POLICIES
from steplabel.pipelines.curation.agreement import first_errors, read_rule
from steplabel.pipelines.models import model_use
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.relabelling import Relabelling, relabel
from steplabel.schemas import ConfigError, Solution
from steplabel.transforms.dataset import OutputFolder

SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"


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
    known = sum(said.get(id_) is not None for id_ in mine)
    assert summary.notes[-1] == f"{name}: knows the first error of {known:,} of the {len(mine):,} solutions"


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


def test_rollouts_that_two_recipes_share_are_counted(source: OutputFolder, other: OutputFolder, curated) -> None:
    """One engine, seed and input: the smaller search asked nothing that the larger one had not asked."""
    keys = [{rollout.key for rollout in folder.read("rollouts")} for folder in (source, other)]
    shared = len(keys[0] & keys[1])
    assert shared
    _, summary = curated(agree=(other.path,))
    (note,) = (note for note in summary.notes if "confirm" in note)
    assert f"{shared:,} of the {len(keys[1]):,} rollouts of {other.path!r}" in note
    assert repr(source.path) in note
    assert "--completer" in note


def test_another_completer_shares_nothing(source: OutputFolder, curated, datasets: Path, label, recipe_of) -> None:
    """It goes on from the same solutions with rollouts of its own, so there is nothing to say."""
    other_name = model_use(SOLVER, ["name=another"]).engine
    located = RECIPES["omegaprm_locate"](replace(model_use(SOLVER), completer=other_name))
    own = label("own", recipe=located, input=str(datasets / "problems.jsonl"), limit=20).folder
    _, summary = curated(agree=(own.path,))
    assert summary.after.rows
    assert [note.partition(": ")[2] for note in summary.notes] == [
        f"knows the first error of {len(first_errors(own)):,} of the {len(errors(source)):,} solutions"
    ]


def test_so_does_another_seed_where_the_input_brings_the_solutions(
    source: OutputFolder, tmp_path: Path, curated, label, recipe_of
) -> None:
    """Solutions keep their ids under every seed then, and rollouts are drawn afresh."""
    given = bring(list(source.read("solutions"))[:12], source, tmp_path / "given.jsonl")
    first, second = (
        label(f"seed{n}", recipe=recipe_of("math_shepherd", "annotator.k=2", f"seed={n}"), input=given).folder
        for n in (0, 1)
    )
    assert list(first.read("rollouts"))
    _, summary = curated(of=first, agree=(second.path,))
    assert not any("confirm" in note for note in summary.notes)


def bring(solutions: list[Solution], source: OutputFolder, path: Path) -> str:
    """Problems that bring these solutions of theirs."""
    texts: dict[str, list[str]] = {}
    for solution in solutions:
        texts.setdefault(solution.problem_id, []).append(solution.text)
    rows = [
        {"id": problem.id, "problem": problem.text, "answer": problem.gold.text, "solutions": texts[problem.id]}
        for problem in source.read("problems")
        if problem.id in texts
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_who_knows_nothing_has_labelled_all_the_same(
    source: OutputFolder, curated, label, recipe_of, tmp_path: Path
) -> None:
    """A dataset of the same solutions whose first errors are not known is no stranger; what it knows is told."""
    wrong = {row.solution_id for row in source.read("labels") if row.outcome == "wrong"}
    given = bring([s for s in source.read("solutions") if s.id in wrong], source, tmp_path / "given.jsonl")
    mine = label("wrong", recipe=recipe_of("math_shepherd", "annotator.k=2"), input=given).folder
    silent = OutputFolder(str(tmp_path / "silent"))
    list(relabel(mine, silent, Relabelling(policy=POLICIES["anytime"])))  # nobody forced an answer
    assert set(errors(silent)) == set(errors(mine))
    assert set(errors(silent).values()) == {None}
    _, summary = curated(of=mine, agree=(silent.path,))
    assert summary.notes[-1].endswith(f": knows the first error of 0 of the {len(errors(mine)):,} solutions")
    assert summary.after.rows == 0
    _, summary = curated("x", of=silent, agree=(mine.path,))
    known = len(first_errors(mine))
    assert summary.notes[-1].endswith(f": knows the first error of {known:,} of the {len(errors(mine)):,} solutions")


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
