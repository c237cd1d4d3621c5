"""PROF, class balance, merging and compression over whole datasets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from steplabel.annotators.trees.mcts import ROUTE_SOURCE
from steplabel.labels.apply import label_evidence
from steplabel.labels.curation import ScoredSolution, error_class, filter_group
from steplabel.labels.policies import POLICIES
from steplabel.labels.scored import ScoredValue
from steplabel.pipelines.curation.balancing import Balance
from steplabel.pipelines.curation.steps import Batch
from steplabel.pipelines.relabelling import Relabelling, relabel
from steplabel.schemas import ConfigError, Outcome
from steplabel.transforms.answers import in_one_voice
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.evidence_files import read_evidence, read_table
from steplabel.verifiers import AnswerChecker


def relabelled(folder: OutputFolder, path: Path, policy: str) -> OutputFolder:
    target = OutputFolder(str(path))
    list(relabel(folder, target, Relabelling(policy=POLICIES[policy])))
    return target


def test_prof_is_the_rule_problem_by_problem(source: OutputFolder, curated) -> None:
    """What stays is what `filter_group` keeps of each problem's solutions."""
    target, _ = curated(prof=2)
    groups: dict[str, list[ScoredSolution]] = {}
    for row in source.read("labels"):
        scored = ScoredSolution(id=row.solution_id, outcome=Outcome(row.outcome), values=row.values)
        groups.setdefault(row.problem_id, []).append(scored)
    kept = {(problem, id_) for problem, group in groups.items() for id_ in filter_group(group, drop=2).kept}
    assert {(row.problem_id, row.solution_id) for row in target.read("labels")} == kept
    assert kept


def test_prof_wants_chances(source: OutputFolder, curated, tmp_path: Path) -> None:
    """Differences are no chances: the error says which view is."""
    progress = relabelled(source, tmp_path / "progress", "genprm_difference")
    with pytest.raises(ConfigError, match="--policy soft"):
        curated(of=progress, prof=1)


@pytest.mark.parametrize(("ratio", "per_clean"), [("1:1", 1.0), ("1:2", 0.5)])
def test_classes_stand_in_the_ratio(curated, ratio: str, per_clean: float) -> None:
    """Erroneous to clean, over all chunks; the scarce class stays whole."""
    target, summary = curated(balance=ratio)
    classes = Counter(error_class(row.first_error) for row in target.read("labels"))
    assert (summary.after.erroneous, summary.after.clean) == (classes["erroneous"], classes["clean"])
    assert abs(classes["erroneous"] - per_clean * classes["clean"]) <= 1
    assert classes["erroneous"] == summary.before.erroneous or classes["clean"] == summary.before.clean


def test_the_seed_draws(curated) -> None:
    """Another seed keeps as many, and others."""
    kept = [
        {row.solution_id for row in curated(f"seed-{seed}", balance="1:1", seed=seed)[0].read("labels")}
        for seed in (0, 1)
    ]
    assert len(kept[0]) == len(kept[1])
    assert kept[0] != kept[1]


def test_unknown_is_no_class(source: OutputFolder) -> None:
    """Without a known first error a row leaves with that reason."""
    chunk = source.require_manifest().chunks[0]
    rows = tuple(read_table(source, chunk, "labels"))
    batch = Batch(chunk=chunk, rows=(replace(rows[0], first_error=None), *rows[1:]))
    kept = Balance().open(source, lambda: iter([batch])).step(batch)
    assert rows[0].solution_id not in {row.solution_id for row in kept.rows}
    assert [r.record_id for r in kept.rejects if r.reason == "class_unknown"] == [rows[0].solution_id]


def test_a_class_without_members(source: OutputFolder) -> None:
    """No ratio to nothing: an error that names the class, before anything is written."""
    chunk = source.require_manifest().chunks[0]
    rows = tuple(replace(row, first_error=-1) for row in read_table(source, chunk, "labels"))
    with pytest.raises(ConfigError, match="no erroneous solution is left"):
        Balance().open(source, lambda: iter([Batch(chunk=chunk, rows=rows)]))


@pytest.mark.parametrize("merge", ["same-sign", "random"])
def test_merging_keeps_every_text(source: OutputFolder, curated, merge: str) -> None:
    """The same solutions in fewer steps; no row leaves, and the policy's name says what was done."""
    target, summary = curated(merge=merge)
    texts = [{(r.problem_id, r.solution_id): "".join(r.steps) for r in f.read("labels")} for f in (source, target)]
    assert texts[0] == texts[1]
    assert summary.after.steps < summary.before.steps
    assert summary.share_kept == 1.0
    word = {"same-sign": "thoughts", "random": "merged"}[merge]
    assert any(row.label_policy == f"math_shepherd_hard_{word}" for row in target.read("labels"))


def test_prof_refuses_progress_before_it_writes(source: OutputFolder, curated, tmp_path: Path) -> None:
    """The refused folder is not there, so that the same command can be given again once the labels are others."""
    progress = OutputFolder(str(tmp_path / "progress"))
    list(relabel(source, progress, Relabelling(policy=POLICIES["pav"])))
    with pytest.raises(ConfigError, match="wants chances as values, pav says progress"):
        curated("x", of=progress, prof=1)
    assert not (tmp_path / "x").exists()


def test_compression_makes_evidence_and_labels_anew(source: OutputFolder, curated) -> None:
    """Texts stay; rows are those that the policy derives from the evidence that the new dataset holds."""
    target, summary = curated(compress=True, children=2)
    assert summary.after.steps < summary.before.steps
    texts = [Counter("".join(row.steps) for row in folder.read("labels")) for folder in (source, target)]
    assert texts[0] == texts[1]
    rows = {(row.problem_id, row.solution_id): row for row in target.read("labels")}
    seen = 0
    for chunk in target.require_manifest().chunks:
        for evidence in read_evidence(target, chunk):
            spoken = in_one_voice(evidence, AnswerChecker.name)
            for said in label_evidence([spoken], POLICIES["math_shepherd_hard"]):
                if (row := rows.get((evidence.problem.id, said.solution_id))) is not None:
                    seen += 1
                    assert (row.labels, row.values, row.first_error) == (said.marks, said.values, said.first_error)
                    assert row.label_policy in {"math_shepherd_hard", "math_shepherd_hard_compressed"}
    assert seen == len(rows) == summary.before.rows
    assert any(row.label_policy.endswith("_compressed") for row in rows.values())


def test_compression_keeps_what_the_steps_before_kept(other: OutputFolder, curated) -> None:
    """Solutions that were dropped do not come back, and who agreed is not forgotten."""
    alone, _ = curated("alone", agree=(other.path,))
    both, _ = curated("both", agree=(other.path,), compress=True, children=2)
    texts = [Counter((r.problem_id, "".join(r.steps)) for r in folder.read("labels")) for folder in (alone, both)]
    assert texts[0] == texts[1]
    assert {row.label_policy for row in both.read("labels")} == {
        "math_shepherd_hard_consensus",
        "math_shepherd_hard_consensus_compressed",
    }
    assert all(any("omegaprm_locate@" in s for s in row.label_sources) for row in both.read("labels"))


def test_compression_needs_a_policy_that_is_ready(curated) -> None:
    """Labels of a curated dataset are nobody's that could be asked again."""
    agreed, _ = curated("merged", merge="random")
    with pytest.raises(ConfigError, match="no ready policy"):
        curated("x", of=agreed, compress=True)


def test_route_values_do_not_survive_compression(curated, label, recipe_of, tmp_path: Path) -> None:
    """A route value counts the steps of the tree it was made in: no merged tree is labelled by it, then or later."""
    routes = label("routes", recipe=recipe_of("rest_mcts"), limit=2).folder
    with pytest.raises(ConfigError, match="relabel it first with --policy mcts"):
        curated("x", of=routes, compress=True, children=2)
    assert not (tmp_path / "x").exists()
    values, _ = curated("values", of=relabelled(routes, tmp_path / "mcts", "mcts"), compress=True, children=2)
    assert any(row.label_policy.endswith("_compressed") for row in values.read("labels"))
    relabelled(values, tmp_path / "counted", "soft")
    for policy in (POLICIES["rest_mcts"], ScoredValue(source=ROUTE_SOURCE)):
        with pytest.raises(ConfigError, match="steps of the tree"):
            list(relabel(values, OutputFolder(str(tmp_path / "again")), Relabelling(policy=policy)))
    assert not (tmp_path / "again").exists()
