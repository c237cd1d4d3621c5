"""Consensus of rollouts and verifiers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from rich.console import Console

from steplabel.engines.bundled.task import parse_problem
from steplabel.engines.bundled.truth import check_solution, first_wrong
from steplabel.labels.curation import AllAgree
from steplabel.pipelines.curation.agreement import read_rule
from steplabel.pipelines.curation.options import CurationOptions, curation_of
from steplabel.pipelines.curation.verdicts import verdict_locations
from steplabel.pipelines.models import model_use
from steplabel.pipelines.overrides import apply_overrides
from steplabel.pipelines.recipe import describe
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import run
from steplabel.pipelines.worksite import RunOptions
from steplabel.schemas import ConfigError, Problem, Solution, Verdict, content_id
from steplabel.transforms.dataset import OutputFolder
from steplabel.verifiers import Claim, Finding

SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"


@dataclass(frozen=True)
class Truth:
    """Knows the exact truth of generated problems, and says it of some: of all solutions or none, which share nodes."""

    every: int = 1
    name: str = "truth"
    version: ClassVar[str] = "1"
    domains: ClassVar[frozenset[str]] = frozenset()

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[bool]]:
        if not _spoken_of(problem.id, self.every):
            return
        error = first_wrong(check_solution(parse_problem(problem.text), [s.text for s in solution.steps]), "strict")
        for i, key in enumerate(solution.node_keys):
            yield Claim(subject=key, body=error < 0 or i < error)

    def verify(self, claim: Claim[bool]) -> Finding:
        return Finding(verdict=Verdict.HOLDS if claim.body else Verdict.FAILS)


def _spoken_of(problem_id: str, every: int) -> bool:
    return int(content_id("choice", problem_id)[:4], 16) % every == 0


@pytest.fixture(scope="module")
def verified(datasets: Path) -> OutputFolder:
    """Monte Carlo labels, with what two verifiers said of the steps: one always, one of some solutions."""
    recipe = apply_overrides(RECIPES["math_shepherd"](model_use(SOLVER)), ["annotator.k=4"])
    recipe = replace(recipe, verifiers=(Truth(), Truth(every=3, name="sometimes")))
    options = RunOptions(input=str(datasets / "problems.jsonl"), output=str(datasets / "verified"), limit=20, chunk=8)
    return run(recipe, options, Console(file=io.StringIO())).folder


def truth_of(folder: OutputFolder) -> dict[str, int]:
    problems = {one.id: parse_problem(one.text) for one in folder.read("problems")}
    return {
        s.id: first_wrong(check_solution(problems[s.problem_id], [step.text for step in s.steps]), "strict")
        for s in folder.read("solutions")
    }


def test_locations(verified: OutputFolder) -> None:
    """The first failing step is where a verifier sees the error; all steps that hold are none; silence is not known."""
    true = truth_of(verified)
    annotated = {row.problem_id for row in verified.read("labels")}
    for chunk in verified.require_manifest().chunks:
        found = verdict_locations(verified, chunk, ("truth", "sometimes"))
        for (problem, solution), error in found["truth"].items():
            assert error == (true[solution] if problem in annotated else None)
        for (problem, solution), error in found["sometimes"].items():
            assert error == (true[solution] if problem in annotated and _spoken_of(problem, 3) else None)


def test_all_must_agree(verified: OutputFolder, curated) -> None:  # type: ignore[no-untyped-def]
    """Kept is what rollouts and verifier both locate; who agreed stands in the row."""
    target, summary = curated(of=verified, sources=("truth",))
    true = truth_of(verified)
    mine = {row.solution_id: row.first_error for row in verified.read("labels")}
    kept = {row.solution_id: row for row in target.read("labels")}
    assert set(kept) == {id_ for id_, error in mine.items() if error == true[id_]}
    assert 0 < len(kept) < len(mine)
    assert all("truth" in row.label_sources and row.label_policy.endswith("_consensus") for row in kept.values())
    assert all("truth: " in r.detail for r in target.read("rejects") if r.stage == "curate.agree")
    assert any(note.startswith("truth: decided ") for note in summary.notes)


def test_uncontradicted(verified: OutputFolder, curated) -> None:  # type: ignore[no-untyped-def]
    """A verifier that is silent takes nothing away; where it speaks it must agree."""
    target, _ = curated(of=verified, sources=("sometimes",), rule="uncontradicted")
    true = truth_of(verified)
    mine = {row.solution_id: row.first_error for row in verified.read("labels")}
    silent = {row.solution_id for row in verified.read("labels") if not _spoken_of(row.problem_id, 3)}
    kept = {row.solution_id for row in target.read("labels")}
    assert kept == {i for i, error in mine.items() if error is not None and (i in silent or error == true[i])}
    assert silent & kept
    assert set(mine) - silent - kept
    strict, _ = curated("strict", of=verified, sources=("sometimes",))
    assert {row.solution_id for row in strict.read("labels")} == kept - silent


def test_with_another_dataset(verified: OutputFolder, other: OutputFolder, curated) -> None:  # type: ignore[no-untyped-def]
    """Verifiers and datasets are counted alike."""
    target, _ = curated(of=verified, agree=(other.path,), sources=("truth",), rule="3")
    true = truth_of(verified)
    mine, theirs = ({row.solution_id: row.first_error for row in d.read("labels")} for d in (verified, other))
    expected = {id_ for id_, error in mine.items() if error == true[id_] == theirs.get(id_)}
    assert expected
    assert {row.solution_id for row in target.read("labels")} == expected


def test_a_source_that_decided_nothing(verified: OutputFolder, source: OutputFolder, curated) -> None:  # type: ignore[no-untyped-def]
    """A wrong name, or a dataset without verifiers: the error says who did decide."""
    with pytest.raises(ConfigError, match="those that did: outcome, sometimes, truth"):
        curated(of=verified, sources=("arithmetic",))
    with pytest.raises(ConfigError, match=r"those that did: outcome\. Run"):
        curated("x", of=source, sources=("truth",))


def test_rules() -> None:
    """A word of its own for sources that are mostly silent; without a source there is nothing to rule."""
    assert read_rule("uncontradicted", others=1) == AllAgree(at_least=1)
    with pytest.raises(ConfigError, match="needs --agree or --source"):
        curation_of(CurationOptions(rule="uncontradicted", duplicates="exact"))


def test_curations_without_verifiers_keep_their_identity(other: OutputFolder) -> None:
    """A folder that was begun before there was such an option goes on."""
    how = curation_of(CurationOptions(agree=(other.path,)))
    assert "verifiers" not in describe(how, speed=False)["steps"][0]
