"""A curated dataset is a whole dataset: nothing vanishes, evidence is copied, a killed command goes on."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steplabel.pipelines.curation.options import CurationOptions, curation_of
from steplabel.pipelines.curation.steps import STAGE
from steplabel.pipelines.curation.writing import curate, open_curation
from steplabel.schemas import ConfigError, DataError
from steplabel.schemas.codec import to_json
from steplabel.transforms.dataset import SUCCESS, OutputFolder

EVIDENCE = {"problems", "solutions", "rollouts", "outcomes", "observations"}
DROPPING: list[Any] = [
    pytest.param({"duplicates": "exact"}, id="exact duplicates"),
    pytest.param({"duplicates": "near"}, id="near duplicates"),
    pytest.param({"prof": 1}, id="prof"),
    pytest.param({"balance": "1:1"}, id="balance"),
    pytest.param({"duplicates": "exact", "prof": 1, "balance": "2:1"}, id="several"),
]


def keys(folder: OutputFolder) -> Counter[tuple[str, str]]:
    return Counter((row.problem_id, row.solution_id) for row in folder.read("labels"))


def drops(folder: OutputFolder) -> Counter[str]:
    return Counter(r.record_id for r in folder.read("rejects") if r.stage.startswith(f"{STAGE}."))


@pytest.mark.parametrize("options", DROPPING)
def test_every_row_is_kept_or_refused_with_a_reason(source: OutputFolder, curated, options: dict[str, Any]) -> None:
    """Kept and refused rows together are the rows of the source, each once; the summary counts them."""
    target, summary = curated(**options)
    before, after = keys(source), keys(target)
    assert after < before
    assert sum((before - after).values()) == sum(drops(target).values())
    assert Counter(solution for _, solution in (before - after).elements()) == drops(target)
    assert all(r.reason and r.detail for r in target.read("rejects"))
    assert (summary.before.rows, summary.after.rows) == (sum(before.values()), sum(after.values()))
    assert sum(n for step in summary.steps for _, n in step.dropped) == summary.before.rows - summary.after.rows
    assert summary.share_kept == summary.after.rows / summary.before.rows


def test_kept_rows_are_as_they_were_but_for_the_run(source: OutputFolder, curated) -> None:
    """Filters change no label; a row names the run that its dataset is."""
    target, _ = curated(balance="1:1")
    run = target.require_manifest().run
    before = {(r.problem_id, r.solution_id): r for r in source.read("labels")}
    for row in target.read("labels"):
        old = before[row.problem_id, row.solution_id]
        assert (row.steps, row.labels, row.values, row.label_policy) == (
            old.steps,
            old.labels,
            old.values,
            old.label_policy,
        )
        assert (row.run_id, row.config_hash) == (run.run_id, run.config_hash) != (old.run_id, old.config_hash)


def test_evidence_and_older_rejects_are_copied(source: OutputFolder, curated) -> None:
    """Evidence files are those of the source, byte by byte; what the run had refused stays refused."""
    target, _ = curated(prof=1)
    for new, old in zip(target.require_manifest().chunks, source.require_manifest().chunks, strict=True):
        assert new.name == old.name
        assert {f for f in new.files if f.table in EVIDENCE} == {f for f in old.files if f.table in EVIDENCE}
    assert set(source.read("rejects")) < set(target.read("rejects"))
    assert Path(target.join(SUCCESS)).exists()
    assert "labels/chunk-00000" in Path(target.join("README.md")).read_text()


def test_a_killed_command_goes_on(source: OutputFolder, curated, tmp_path: Path) -> None:
    """What was committed is not written again, and the end is that of an uninterrupted command."""
    whole, _ = curated("whole", duplicates="near", balance="1:1")
    how = curation_of(CurationOptions(duplicates="near", balance="1:1"))
    target = OutputFolder(str(tmp_path / "killed"))
    work = curate(open_curation(source, how), target)
    next(work), next(work)
    work.close()
    assert not Path(target.join(SUCCESS)).exists()
    committed = target.require_manifest().files()
    assert {f.path.split("-")[1] for f in committed} == {"00000", "00001"}
    written = {f.path: Path(target.join(f.path)).stat().st_mtime_ns for f in committed}
    list(curate(open_curation(source, how), target))
    assert target.require_manifest() == whole.require_manifest()
    assert {path: Path(target.join(path)).stat().st_mtime_ns for path in written} == written
    assert Path(target.join(SUCCESS)).exists()


def test_a_folder_of_something_else_is_refused(source: OutputFolder, curated) -> None:
    """Another curation, and the source itself; neither is touched."""
    target, _ = curated(prof=1)
    before = target.require_manifest()
    with pytest.raises(ConfigError, match="Choose another --output"):
        curated(prof=2)
    assert target.require_manifest() == before
    with pytest.raises(ConfigError, match="Choose another --output"):
        curated(Path(source.path).name, prof=1)
    assert Path(source.join(SUCCESS)).exists()


def test_one_folder_in_the_other_is_refused(source: OutputFolder, curated, tmp_path: Path) -> None:
    """Each would sweep or count what is the other's; a name that merely begins alike is another folder."""
    for output in (f"{Path(source.path).name}/labels/inside", "."):
        with pytest.raises(ConfigError, match="one lies in the other"):
            curated(output, prof=1)
    assert not Path(source.join("labels", "inside")).exists()
    assert not (tmp_path / "_MANIFEST.json").exists()
    assert curated(f"{Path(source.path).name}-beside", prof=1)[0].require_manifest()


def test_a_foreign_folder_is_refused(curated, tmp_path: Path) -> None:
    """Somebody's README is not overwritten."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("mine")
    with pytest.raises(ConfigError, match="not written by steplabel"):
        curated("mine", prof=1)
    assert (tmp_path / "mine" / "README.md").read_text() == "mine"


def test_a_grown_source_is_another_curation(source: OutputFolder, curated) -> None:
    """The run id depends on the source's files: half a source and the whole one do not mix."""
    manifest = source.require_manifest()
    whole, _ = curated("whole", prof=1)
    source.write_manifest(dataclasses.replace(manifest, chunks=manifest.chunks[:2]))
    half, _ = curated("half", prof=1)
    assert half.require_manifest().run.run_id != whole.require_manifest().run.run_id
    assert len(half.require_manifest().chunks) == 2


def test_chunks_change_nothing(source: OutputFolder, curated, label, recipe_of) -> None:  # type: ignore[no-untyped-def]
    """The same rows stay, however the dataset was cut."""
    one = label("one", recipe=recipe_of("math_shepherd", "annotator.k=4"), limit=20).folder
    options = {"duplicates": "near", "prof": 1, "balance": "1:1"}
    assert keys(curated("a", **options)[0]) == keys(curated("b", of=one, **options)[0])


def test_damaged_evidence_is_not_passed_on(source: OutputFolder, curated) -> None:
    """A file that is not what was committed stops the command."""
    file = next(f for f in source.require_manifest().files("rollouts"))
    with open(source.join(file.path), "ab") as handle:
        handle.write(b"PAR1")
    with pytest.raises(DataError, match="damaged"):
        curated(prof=1)


def test_curating_again_counts_its_own_drops(curated) -> None:
    """What was dropped before is in the rejects, and not in the new summary."""
    first, _ = curated("first", prof=1)
    again, summary = curated("second", of=first, balance="1:1")
    assert {step.step for step in summary.steps} == {"balance"}
    assert sum(n for _, n in summary.steps[0].dropped) == summary.before.rows - summary.after.rows
    assert {r.stage for r in again.read("rejects")} >= {"curate.prof", "curate.balance"}


def test_the_summary_is_plain_data(curated) -> None:
    """As `--json` prints it."""
    _, summary = curated(prof=1)
    plain = json.loads(to_json(summary))
    assert plain["after"]["rows"] == summary.after.rows
    assert plain["steps"][0]["step"] == "prof"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({}, "nothing to do", id="nothing asked"),
        pytest.param({"rule": "majority", "prof": 1}, "needs --agree", id="rule alone"),
        pytest.param({"children": 2, "prof": 1}, "needs --compress", id="children alone"),
        pytest.param({"prof": 0}, "at least one", id="prof 0"),
        pytest.param({"compress": True, "children": 0}, "at least 1", id="children 0"),
        pytest.param({"balance": "1"}, "such as 1:1", id="one part"),
        pytest.param({"balance": "1:0"}, "such as 1:1", id="part of nothing"),
        pytest.param({"balance": "a:b"}, "such as 1:1", id="words"),
        pytest.param({"balance": "1:1:1"}, "such as 1:1", id="three parts"),
        pytest.param({"balance": "nan:1"}, "such as 1:1", id="no number"),
        pytest.param({"contamination": ("/no/such.jsonl",)}, "does not exist", id="no test set"),
        pytest.param({"agree": ("/no/such",)}, "no steplabel output", id="no other dataset"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], words: str) -> None:
    """They are refused before anything is read."""
    with pytest.raises(ConfigError, match=words):
        curation_of(CurationOptions(**options))


def test_the_order_of_the_steps() -> None:
    """It is stated, not the order of the options."""
    options = CurationOptions(balance="1:1", merge="random", compress=True, prof=1, duplicates="near")
    assert [step.name for step in curation_of(options).steps] == ["duplicates", "prof", "compress", "merge", "balance"]


def test_no_dataset(tmp_path: Path) -> None:
    """A folder without a manifest."""
    with pytest.raises(ConfigError, match="no steplabel output"):
        open_curation(OutputFolder(str(tmp_path)), curation_of(CurationOptions(prof=1)))


def test_an_empty_result_is_no_success(curated: Callable[..., Any]) -> None:
    """All rows dropped: the reasons are there, `_SUCCESS` is not."""
    target, summary = curated(prof=1000)
    assert summary.after.rows == 0
    assert not Path(target.join(SUCCESS)).exists()
