"""Verifiers beside the evidence of a run, and in the doctor's round."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from steplabel.pipelines.doctor import examine
from steplabel.pipelines.recipe import config_hash, describe
from steplabel.pipelines.run import RunResult
from steplabel.schemas import ConfigError, Problem, Solution, Verdict
from steplabel.transforms.dataset import OutputFolder
from steplabel.verifiers import Claim, Finding, registry
from tests.pipelines.verification.words import Words


def test_verifiers_in_a_run(label: Callable[..., RunResult], recipe_of: Callable[..., Any]) -> None:
    """Their observations lie beside the run's own evidence; the labels are those of a run without them."""
    plain = label("plain", recipe=recipe_of("math_shepherd", "annotator.k=2"), limit=6).folder
    recipe = replace(recipe_of("math_shepherd", "annotator.k=2"), verifiers=(_Lines(),))
    verified = label("verified", recipe=recipe, limit=6).folder
    assert not [one for one in plain.read("observations") if one.source == "lines"]
    said = [one for one in verified.read("observations") if one.source == "lines"]
    annotated = {row.solution_id for row in verified.read("labels")}
    keys = {key for s in verified.read("solutions") if s.id in annotated for key in s.node_keys}
    assert keys <= {one.subject for one in said}
    shared = ("solution_id", "labels", "values", "first_error", "tokens")
    assert [[getattr(r, n) for n in shared] for r in plain.read("labels")] == [
        [getattr(r, n) for n in shared] for r in verified.read("labels")
    ]


@dataclass(frozen=True)
class _Lines:
    """Says of every step that it holds."""

    name: ClassVar[str] = "lines"
    version: ClassVar[str] = "1"
    domains: ClassVar[frozenset[str]] = frozenset()

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[int]]:
        return (Claim(subject=key, body=i) for i, key in enumerate(solution.node_keys))

    def verify(self, claim: Claim[int]) -> Finding:
        return Finding(verdict=Verdict.HOLDS)


class _NoRecord:
    """A verifier that is no dataclass."""

    name, version, domains = "no_record", "7", frozenset[str]()
    claims, verify = _Lines.claims, _Lines.verify


def test_verifiers_are_part_of_a_runs_identity(recipe_of: Callable[..., Any]) -> None:
    """Another one, or version, is another run; none at all is the run it was before there were any."""
    recipe = recipe_of()
    assert "verifiers" not in describe(recipe, speed=False)
    hashes = [
        config_hash(replace(recipe, verifiers=verifiers))
        for verifiers in ((), (Words(),), (Words(version="2"),), (_NoRecord(),))
    ]
    assert len(set(hashes)) == 4
    assert describe(_NoRecord()) == {"type": "_NoRecord", "name": "no_record", "version": "7"}
    with pytest.raises(ConfigError, match="two verifiers of one name"):
        replace(recipe, verifiers=(Words(), Words(version="2")))


def test_run_takes_verifiers_by_name(steplabel: Callable[..., tuple[int, str]], problems: Path, tmp_path: Path) -> None:
    """--verify adds to the recipe's."""
    solver = "scripted:steplabel.engines.bundled.solver:sloppy"
    arguments = ("run", "math_shepherd", "--input", problems, "--output", tmp_path / "out", "--engine", solver)
    code, text = steplabel(*arguments, "--limit", "2", "--verify", "word_sorting")
    assert code == 0, text
    config = json.loads(OutputFolder(str(tmp_path / "out")).require_manifest().config)
    assert [one["name"] for one in config["verifiers"]] == ["word_sorting"]
    assert steplabel(*arguments, "--verify", "nope")[0] == 2


@pytest.mark.slow
def test_doctor_tries_each_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line each; one that is silent on its own example, or cannot be made, fails."""
    for name, made_by in (("silent", "steplabel.verifiers.tasks.word_sorting:WordSorting"), ("gone", "no_such:thing")):
        monkeypatch.setitem(registry._ENTRIES, name, registry.Entry(made_by, "?", ("nothing to see",)))
    found = {finding.name: finding for finding in examine()}
    assert all(found[name].ok for name in registry.ENTRIES if name not in ("silent", "gone"))
    assert (found["silent"].ok, found["gone"].ok) == (False, False)
    assert "reads nothing in its own example" in found["silent"].detail
    assert "no_such" in found["gone"].detail
