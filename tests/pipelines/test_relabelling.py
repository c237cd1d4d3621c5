"""Relabelling by columns writes what relabelling by records writes, byte by byte."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from steplabel.labels.policies import POLICIES
from steplabel.labels.scored import ScoredValue
from steplabel.pipelines.generated import write_problems
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.relabelling import Relabelling, relabel
from steplabel.pipelines.run import run
from steplabel.pipelines.worksite import RunOptions, table_schemas
from steplabel.schemas import ConfigError, DataError
from steplabel.transforms.dataset import Manifest, OutputFolder
from steplabel.verifiers import AnswerChecker

MakeRecipe = Callable[..., Recipe]
EVIDENCE = {"problems", "solutions", "rollouts", "outcomes", "observations"}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory, recipe_of: MakeRecipe) -> Path:
    """Several chunks; some problems ask the same with another gold answer, some are filtered out."""
    folder = tmp_path_factory.mktemp("labelled")
    write_problems(folder / "problems.jsonl", count=12, seed=0, events=(4, 8))
    rows = [json.loads(line) for line in (folder / "problems.jsonl").read_text().splitlines()]
    twins = [row | {"id": row["id"] + "-twin", "answer": str(int(row["answer"]) + 1)} for row in rows[:4]]
    path = folder / "twins.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows + twins))
    options = RunOptions(input=str(path), output=str(folder / "out"), chunk=5)
    return Path(run(recipe_of("math_shepherd"), options, Console(file=io.StringIO())).folder.path)


@pytest.fixture
def source(labelled: Path, tmp_path: Path) -> OutputFolder:
    """A copy, to be done with as one likes."""
    return OutputFolder(str(shutil.copytree(labelled, tmp_path / "source")))


def relabelled(source: OutputFolder, target: Path, policy: str, **how: Any) -> OutputFolder:
    folder = OutputFolder(str(target))
    list(relabel(source, folder, Relabelling(policy=POLICIES[policy], **how)))
    return folder


def aged(folder: OutputFolder) -> Manifest:
    """Say that the folder was written under other schemas: then it is read as records."""
    manifest = folder.require_manifest()
    folder.write_manifest(dataclasses.replace(manifest, schemas={}))
    return manifest


@pytest.mark.parametrize("policy", ["math_shepherd_hard", "qwen_hard", "scan", "gigpo", "anytime", "mcts"])
def test_the_way_there_does_not_show(source: OutputFolder, tmp_path: Path, policy: str) -> None:
    """Files of equal names, and so of equal bytes, in every chunk; the manifests are equal, the card is, too."""
    columns = relabelled(source, tmp_path / "columns", policy)
    old = aged(source)
    records = relabelled(source, tmp_path / "records", policy)
    assert len(old.chunks) > 1
    assert columns.require_manifest() == records.require_manifest()
    cards = [tmp_path / name / "README.md" for name in ("columns", "records")]
    assert len({card.exists() and card.read_text() for card in cards}) == 1


def test_evidence_is_copied_as_it_is(source: OutputFolder, tmp_path: Path) -> None:
    """Its files are those of the source."""
    target = relabelled(source, tmp_path / "out", "soft")
    for chunk, old in zip(target.require_manifest().chunks, source.require_manifest().chunks, strict=True):
        assert {f for f in chunk.files if f.table in EVIDENCE} == {f for f in old.files if f.table in EVIDENCE}
    for file in target.require_manifest().files():
        assert Path(target.join(file.path)).stat().st_size == file.bytes


def test_other_schemas_are_brought_up_to_date(source: OutputFolder, tmp_path: Path) -> None:
    """What was written anew is of this program's schemas, and says so."""
    aged(source)
    manifest = relabelled(source, tmp_path / "out", "soft").require_manifest()
    assert manifest.schemas == table_schemas()


def test_damaged_evidence_is_not_passed_on(source: OutputFolder, tmp_path: Path) -> None:
    """A file that is not what was committed stops the command, though nobody reads what is wrong with it."""
    file = next(f for f in source.require_manifest().files("rollouts"))
    with open(source.join(file.path), "ab") as handle:
        handle.write(b"PAR1")
    with pytest.raises(DataError, match="damaged"):
        relabelled(source, tmp_path / "out", "tempo")


def test_answers_that_are_checked_again_take_records(source: OutputFolder, tmp_path: Path) -> None:
    """The outcomes are other ones then; the labels are those of the checker, as they were."""
    again = relabelled(source, tmp_path / "again", "soft", checker=AnswerChecker())
    plain = relabelled(source, tmp_path / "plain", "soft")
    labels = [[(r.solution_id, r.labels, r.values) for r in folder.read("labels")] for folder in (again, plain)]
    assert labels[0] == labels[1]


@pytest.mark.parametrize("policy", ["mcts", "rest_mcts"])
def test_values_that_a_search_backed_up_do_not_follow_other_outcomes(
    source: OutputFolder, tmp_path: Path, policy: str
) -> None:
    """Labels of old values beside new outcomes would contradict them: refused before a file is written."""
    with pytest.raises(ConfigError, match=f"--recheck.*{policy}"):
        relabelled(source, tmp_path / "out", policy, checker=AnswerChecker())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("policy", ["omegaprm", "igpo"])
def test_what_does_not_rest_on_a_search_s_values_may_be_checked_again(
    source: OutputFolder, tmp_path: Path, policy: str
) -> None:
    """Counts follow the outcomes; log-probabilities have nothing to do with them."""
    manifest = relabelled(source, tmp_path / "out", policy, checker=AnswerChecker()).require_manifest()
    assert len(manifest.chunks) == len(source.require_manifest().chunks)


def test_scores_of_the_users_own_sources_may_be_checked_again(source: OutputFolder, tmp_path: Path) -> None:
    """What a judge said has not changed; what answer probes came to has."""
    for scores, refused in ((ScoredValue(source="judge"), False), (ScoredValue(source="answer_probe"), True)):
        how = Relabelling(policy=scores, checker=AnswerChecker())
        with pytest.raises(ConfigError, match="--recheck") if refused else nullcontext():
            list(relabel(source, OutputFolder(str(tmp_path / scores.source)), how))


def test_not_into_itself(source: OutputFolder) -> None:
    """A dataset that lay in another one's folder would be read as part of it."""
    how = Relabelling(policy=POLICIES["soft"])
    with pytest.raises(ConfigError, match="one lies in the other"):
        list(relabel(source, OutputFolder(source.join("labels")), how))
