"""Whole runs on the scripted solver: what comes out, what is kept, what resumes."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from steplabel.engines.bundled.solver import sloppy
from steplabel.engines.port import GenerateRequest
from steplabel.engines.scripted import ScriptedEngine
from steplabel.labels.policies import POLICIES
from steplabel.pipelines.evaluation import exact_truth
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.relabelling import Relabelling, relabel
from steplabel.pipelines.run import RunResult
from steplabel.schemas import ConfigError, EngineError, StepMark
from steplabel.transforms.dataset import MANIFEST, SUCCESS, OutputFolder

Label = Callable[..., RunResult]
MakeRecipe = Callable[..., Recipe]
Rows = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def whole(labelled_once: Callable[..., OutputFolder], recipe_of: MakeRecipe) -> OutputFolder:
    """What `label()` gives, for tests that leave it alone."""
    return labelled_once(recipe_of(), problems=40, chunk=1000)


def stable(rows: list[object]) -> list[object]:
    """Rows without what names the run, which differs by configuration."""
    names = {"run_id", "config_hash"}
    return [
        {f.name: getattr(r, f.name) for f in dataclasses.fields(r) if f.name not in names}  # type: ignore[arg-type]
        for r in rows
    ]


@pytest.mark.parametrize("name", ["omegaprm_locate", "math_shepherd"])
def test_a_run_labels_and_accounts_for_everything(
    label: Label, name: str, recipe_of: MakeRecipe, rows_of: Rows
) -> None:
    """Every input problem is in the problems table, every solution is labelled or refused with a reason."""
    result = label(recipe=recipe_of(name))
    folder = result.folder
    problems, solutions, labels = (rows_of(folder, t) for t in ("problems", "solutions", "labels"))
    rejects = rows_of(folder, "rejects")
    assert result.complete
    assert len(problems) == 40
    assert len(solutions) == 160
    dropped = {r.record_id for r in rejects if r.stage == "question_filter"}
    undecided = {r.record_id for r in rejects if r.kind == "solution"}
    for solution in solutions:
        labelled = any(row.solution_id == solution.id for row in labels)
        assert labelled == (solution.problem_id not in dropped and solution.id not in undecided)
    assert dropped
    assert labels


def test_rows_say_everything_they_must(whole: OutputFolder, rows_of: Rows) -> None:
    """Steps join to the solution; lists have one entry a step; provenance is filled."""
    texts = {s.id: s.text for s in rows_of(whole, "solutions")}
    for row in rows_of(whole):
        assert "".join(row.steps) == texts[row.solution_id]
        assert len(row.labels) == len(row.values) == len(row.rollouts) == len(row.steps)
        assert row.run_id == whole.require_manifest().run.run_id
        assert row.label_policy
        assert row.label_target == "reachable"
        assert row.policy_model.startswith("scripted")
        assert row.checker.startswith("answer@")


def test_the_search_finds_errors_better_than_chance(whole: OutputFolder, rows_of: Rows) -> None:
    """On erroneous solutions with a wrong answer most first errors are located exactly."""
    hits, total, truth = 0, 0, exact_truth()
    for row in rows_of(whole):
        true = truth(row.problem, row.steps)
        assert true is not None
        if true >= 0 and row.outcome == "wrong":
            total += 1
            hits += row.first_error == true
    assert total >= 20
    assert hits / total > 0.6


def test_a_second_run_asks_the_model_nothing(label: Label, tmp_path: Path) -> None:
    """Replay of a finished run from its store: no engine sample, equal rows, byte-equal files."""
    store = str(tmp_path / "shared.sqlite")
    first, again = label("a", store=store), label("b", store=store)
    assert first.usage.engine_samples > 0
    assert again.usage.engine_samples == 0
    manifests = [r.folder.require_manifest() for r in (first, again)]
    assert [f.sha256 for f in manifests[0].files()] == [f.sha256 for f in manifests[1].files()]


@pytest.mark.parametrize("chunk", [7, 13])
def test_chunks_change_nothing(
    whole: OutputFolder, label: Label, chunk: int, recipe_of: MakeRecipe, rows_of: Rows
) -> None:
    """The size of a chunk and of the crowd in flight change no row."""
    parts = label("parts", recipe=recipe_of("omegaprm_locate", "in_flight=3"), chunk=chunk)
    key = lambda r: r["solution_id"]  # noqa: E731
    assert sorted(stable(rows_of(parts.folder)), key=key) == sorted(stable(rows_of(whole)), key=key)  # type: ignore[arg-type]
    assert len(parts.folder.require_manifest().chunks) == -(-40 // chunk)


def test_a_budget_ends_cleanly_and_more_of_it_goes_on(label: Label, rows_of: Rows) -> None:
    """Out of budget the labels so far are there; with a larger one the same folder becomes the unlimited run's."""
    part = label("out", chunk=10, max_requests=60)
    assert not part.complete
    assert part.usage.engine_requests <= 60
    assert not Path(part.folder.join(SUCCESS)).exists()
    done = label("out", chunk=10)
    whole = label("whole", chunk=10)
    assert done.complete
    assert Path(done.folder.join(SUCCESS)).exists()
    assert rows_of(done.folder) == rows_of(whole.folder)
    assert done.usage.engine_samples == whole.usage.engine_samples


def test_limit_extends(whole: OutputFolder, label: Label, rows_of: Rows) -> None:
    """A folder begun with a small limit grows with a larger one."""
    label("out", limit=10)
    grown = label("out", limit=40)
    assert stable(rows_of(grown.folder)) == stable(rows_of(whole))


def test_another_configuration_is_refused(label: Label, recipe_of: MakeRecipe) -> None:
    """A folder never holds two runs."""
    label("out")
    with pytest.raises(ConfigError, match="Choose another --output"):
        label("out", recipe=recipe_of("omegaprm_locate", "annotator.k=4"))
    with pytest.raises(ConfigError, match="--chunk"):
        label("out", chunk=7)


def test_what_a_kill_leaves_behind_is_swept_away(label: Label, rows_of: Rows) -> None:
    """Files that no manifest names are removed by the next run and were never read."""
    result = label("out")
    before = rows_of(result.folder)
    orphan = Path(result.folder.join("labels", "chunk-00009-deadbeef0000.parquet"))
    orphan.write_bytes(b"half a file")
    assert rows_of(result.folder) == before
    label("out")
    assert not orphan.exists()


def test_the_manifest_tells_the_configuration(whole: OutputFolder) -> None:
    """The resolved configuration is saved with the run, with a type for every part."""
    manifest = json.loads(Path(whole.join(MANIFEST)).read_text())
    config = json.loads(manifest["config"])
    assert config["annotator"]["type"] == "OmegaPRMLocate"
    assert config["annotator"]["k"] == 8
    assert config["labels"]["type"] == "HardAny"


def test_labels_carry_marks_after_the_error(whole: OutputFolder, rows_of: Rows) -> None:
    """A located error is marked '-' and all steps before it '+'."""
    located = [r for r in rows_of(whole) if r.first_error is not None and r.first_error >= 0]
    assert located
    for row in located:
        assert row.labels[row.first_error] == StepMark.NEGATIVE
        assert set(row.labels[: row.first_error]) <= {StepMark.POSITIVE}


def test_output_reads_as_arrow_dataset(whole: OutputFolder) -> None:
    """pyarrow.dataset reads the labels folder as it lies there."""
    import pyarrow.dataset as ds

    table = ds.dataset(whole.join("labels"), format="parquet").to_table()
    assert table.num_rows == OutputFolder(whole.path).require_manifest().rows()["labels"]


def test_output_loads_with_datasets(whole: OutputFolder) -> None:
    """`datasets.load_dataset(folder)` gives the labels; every other table is a configuration of its own."""
    import datasets

    rows = whole.require_manifest().rows()
    assert len(datasets.load_dataset(whole.path, split="train")) == rows["labels"]
    assert len(datasets.load_dataset(whole.path, "rollouts", split="train")) == rows["rollouts"]


def test_a_budget_that_is_just_enough_completes(label: Label) -> None:
    """Spending exactly the budget is not the same as running out of it."""
    needed = label("free", chunk=10).usage.engine_requests
    assert label("exact", chunk=10, max_requests=needed).complete


def test_a_budget_that_failures_spent_ends_the_run(label: Label, recipe_of: MakeRecipe, rows_of: Rows) -> None:
    """Requests that fail are requests: a dead server is not asked for the rest of the input, now or later."""
    recipe = dataclasses.replace(recipe_of(), policy=DeadSpec(), completer=DeadSpec())
    for _ in range(2):
        result = label(recipe=recipe, chunk=1, limit=9, max_requests=3)
        assert not result.complete
        assert result.usage.engine_requests == 3
        assert len(result.folder.require_manifest().chunks) == 3
    more = label(recipe=recipe, chunk=1, limit=9, max_requests=7)
    assert more.usage.engine_requests == 7


@dataclasses.dataclass(frozen=True)
class DeadSpec:
    """A model whose server is down."""

    def open(self) -> ScriptedEngine:
        def fail(request: GenerateRequest, index: int, seed: int) -> str:
            raise EngineError("connection refused")

        return ScriptedEngine(fail)


def test_no_chunk_is_begun_on_a_spent_budget(label: Label, rows_of: Rows) -> None:
    """Where the budget ends with a chunk, nothing of the next is committed; more budget finds it undone."""
    needed = label("first", chunk=10, limit=10).usage.engine_requests
    result = label("out", chunk=10, limit=20, max_requests=needed)
    assert [entry.complete for entry in result.folder.require_manifest().chunks] == [True]
    assert "budget" not in {r.reason for r in rows_of(result.folder, "rejects")}
    assert not result.complete
    label("out", chunk=10, limit=20)
    assert rows_of(result.folder) == rows_of(label("whole", chunk=10, limit=20).folder)


def test_what_the_store_holds_is_labelled_on_a_spent_budget(label: Label, tmp_path: Path, rows_of: Rows) -> None:
    """Chunks that need no model go on: here those that another output paid for, once an own request is spent."""
    store = str(tmp_path / "shared.sqlite")
    whole = label("whole", chunk=10, limit=20, store=store)
    part = label("part", chunk=5, limit=5, store=store, max_requests=1)
    assert (part.complete, part.usage.engine_requests) == (True, 0)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE usage SET engine_requests = 1 WHERE run_id = ?", (_account(part),))
    rest = label("part", chunk=5, limit=20, store=store, max_requests=1)
    assert (rest.complete, rest.usage.engine_requests) == (True, 1)
    assert rows_of(rest.folder) == rows_of(whole.folder)


def _account(result: RunResult) -> str:
    return result.folder.require_manifest().account


def test_a_run_without_room_for_a_program_is_refused(label: Label, recipe_of: MakeRecipe) -> None:
    """Nothing could be in flight: that is said, not waited for."""
    with pytest.raises(ConfigError, match="in_flight=0"):
        label(recipe=recipe_of("omegaprm_locate", "in_flight=0"))


def test_a_card_that_a_kill_prevented_is_written_later(label: Label) -> None:
    """The next run writes the card of what was committed before."""
    card = Path(label("out").folder.join("README.md"))
    before = card.read_text()
    card.unlink()
    label("out")
    assert card.read_text() == before


def test_a_smaller_limit_is_refused(label: Label) -> None:
    """Rows of a larger and of a smaller limit never mix."""
    label("out", chunk=10)
    with pytest.raises(ConfigError, match="more rows"):
        label("out", chunk=10, limit=25)
    with pytest.raises(ConfigError, match="more rows"):
        label("out", chunk=10, limit=20)


def test_a_model_that_cannot_be_opened_ends_the_run_with_its_reason(label: Label, recipe_of: MakeRecipe) -> None:
    """A broken model is one clear error, not a reject for every problem."""
    recipe = dataclasses.replace(recipe_of(), completer=BrokenSpec(), policy=BrokenSpec())
    with pytest.raises(ConfigError, match="out of memory"):
        label(recipe=recipe)


@dataclasses.dataclass(frozen=True)
class BrokenSpec:
    """A model whose files can be seen but not loaded."""

    def preview(self) -> ScriptedEngine:
        return ScriptedEngine(lambda request, index, seed: "")

    def open(self) -> ScriptedEngine:
        raise ConfigError("cannot load the model: out of memory")


def test_samples_without_any_step_are_told(label: Label, recipe_of: MakeRecipe, rows_of: Rows) -> None:
    """A problem whose samples are all empty stays in the problems table, its samples among the rejects."""
    recipe = dataclasses.replace(recipe_of(), policy=SilentSpec(), completer=SilentSpec())
    result = label(recipe=recipe, limit=3)
    assert len(rows_of(result.folder, "problems")) == 3
    assert {r.reason for r in rows_of(result.folder, "rejects")} == {"no_steps"}
    assert not Path(result.folder.join(SUCCESS)).exists()


@dataclasses.dataclass(frozen=True)
class SilentSpec:
    """A model that says nothing."""

    def open(self) -> ScriptedEngine:
        return ScriptedEngine(lambda request, index, seed: "")


def test_equal_questions_with_other_golds_survive_relabelling(
    tmp_path: Path, label: Label, rows_of: Rows, recipe_of: MakeRecipe, problems: Path
) -> None:
    """Two problems that share their text keep their own labels however often they are relabelled."""
    rows = [json.loads(line) for line in problems.read_text().splitlines()[:5]]
    twins = [row | {"id": row["id"] + "-twin", "answer": str(int(row["answer"]) + 1)} for row in rows]
    source = tmp_path / "twins.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in rows + twins))
    keep_all = dataclasses.replace(recipe_of(), question_filter=None)
    result = label("twins", input=str(source), recipe=keep_all)
    again = OutputFolder(str(tmp_path / "again"))
    policy = POLICIES["locate"]
    list(relabel(result.folder, again, Relabelling(policy=policy)))
    first = rows_of(result.folder)
    gold = {row["id"]: row["answer"] for row in rows + twins}
    assert {row.problem_id.endswith("-twin") for row in first} >= {False}
    for row in first:
        assert row.gold_answer == gold[row.problem_id]
        if row.outcome == "correct":  # the locating policy scores right answers clean, so labels must be this twin's
            assert set(row.labels) == {"+"}
        else:
            assert row.first_error != -1
    key = lambda r: (r.problem_id, r.solution_id, r.labels)  # noqa: E731
    assert sorted(map(key, rows_of(again))) == sorted(map(key, rows_of(result.folder)))
    assert again.require_manifest().rows()["rollouts"] == result.folder.require_manifest().rows()["rollouts"]


def test_a_problem_that_no_engine_can_serve_does_not_stop_the_others(
    label: Label, recipe_of: MakeRecipe, rows_of: Rows
) -> None:
    """A request refused for what it asks (too long, an image) is that problem's reject; the run goes on."""
    recipe = dataclasses.replace(recipe_of(), policy=PickySpec(), completer=PickySpec())
    result = label(recipe=recipe)
    refused = [r for r in rows_of(result.folder, "rejects") if r.reason == "unsupported"]
    assert refused
    assert "too long" in refused[0].detail
    assert rows_of(result.folder)


@dataclasses.dataclass(frozen=True)
class PickySpec:
    """A model that refuses problems of more than seven lines."""

    def open(self) -> ScriptedEngine:
        def solve(request: GenerateRequest, index: int, seed: int) -> str:
            if request.prompt.text.count("\n") > 7:
                raise ConfigError("the prompt is too long for this model")
            return sloppy(request, index, seed)

        return ScriptedEngine(solve)
