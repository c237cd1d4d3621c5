"""Output folders of `steplabel verify`: what stands in them, and which command goes on in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steplabel.pipelines.report import count_dataset
from steplabel.pipelines.verification.reading import SolutionChoice
from steplabel.pipelines.verification.verifying import Verification, VerifyOptions, verify_file
from steplabel.pipelines.verification.writing import VerifiedFolder
from steplabel.schemas import ConfigError
from steplabel.transforms.dataset import Manifest, OutputFolder
from tests.pipelines.verification.words import ROWS, Words, marked, words


@pytest.fixture
def written(rows: Callable[..., str], tmp_path: Path) -> tuple[VerifyOptions, Verification]:
    """A file that was verified into a folder, two rows a chunk."""
    path = rows(*ROWS, "{broken", marked("boom", label=0))
    options = VerifyOptions(input=path, verifiers=(Words(),), output=str(tmp_path / "out"), chunk=2)
    return options, verify_file(options)


def test_output(written: tuple[VerifyOptions, Verification]) -> None:
    """Problems, solutions, outcomes and observations, each of its problem, and every reject."""
    options, found = written
    folder = OutputFolder(options.output)
    rows = folder.require_manifest().rows()
    assert (rows["problems"], rows["solutions"], rows["labels"], rows["rejects"]) == (6, 6, 0, 2)
    solutions = {s.problem_id: s for s in folder.read("solutions")}
    for one in folder.read("observations"):
        place = solutions[one.problem_id].node_keys.index(one.subject)
        text = solutions[one.problem_id].steps[place].text.strip()
        assert (one.source, one.verdict) == ("words", "unknown" if text == "wonders" else text)
    assert rows["observations"] == found.verifiers[0].claimed
    assert sorted(r.stage for r in folder.read("rejects")) == ["intake", "verify"]
    assert (Path(options.output) / "_SUCCESS").exists()


def test_what_was_raised_is_counted_apart(written: tuple[VerifyOptions, Verification]) -> None:
    """A row that was refused is left out; a solution whose verifier raised is not."""
    counts = count_dataset(OutputFolder(written[0].output))
    assert (counts.rejects, counts.silenced) == ({"bad_row": 1}, 1)


def test_the_same_command_goes_on(written: tuple[VerifyOptions, Verification]) -> None:
    """Chunks that are there are counted from there, the others are done: the counts are those of one go."""
    options, found = written
    assert verify_file(options) == replace(found, kept=6)
    folder = OutputFolder(options.output)
    manifest = folder.require_manifest()
    folder.write_manifest(replace(manifest, chunks=manifest.chunks[:2]))
    assert verify_file(options) == replace(found, kept=4)
    assert folder.require_manifest() == manifest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verifiers": (Words(version="2"),)}, "differs in verifiers: choose another --output"),
        ({"layout": "processbench", "limit": 3}, "differs in layout, limit: choose another --output"),
        ({"solutions": SolutionChoice.GIVEN}, "differs in solutions: choose another --output"),
        ({"chunk": 5}, "was begun with --chunk 2, not 5: keep it"),
    ],
    ids=str,
)
def test_another_command_does_not(
    written: tuple[VerifyOptions, Verification], change: dict[str, Any], message: str
) -> None:
    """A folder holds one verification, and the error says in what another differs; what is there stays."""
    folder = OutputFolder(written[0].output)
    before = folder.require_manifest()
    with pytest.raises(ConfigError, match=message):
        verify_file(replace(written[0], **change))
    assert folder.require_manifest() == before


def test_an_input_that_has_changed(written: tuple[VerifyOptions, Verification], rows: Callable[..., str]) -> None:
    """Rows that were added since are another input."""
    rows(*ROWS)
    with pytest.raises(ConfigError, match="differs in input"):
        verify_file(written[0])


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (lambda m: replace(m, run=replace(m.run, recipe="scan")), r"\(scan\): choose another --output"),
        (lambda m: replace(m, schemas={**m.schemas, "outcomes": "old"}), "by a version with other tables"),
    ],
    ids=["a run", "an old version"],
)
def test_a_folder_that_is_no_verification_of_today(
    written: tuple[VerifyOptions, Verification], held: Callable[[Manifest], Manifest], message: str
) -> None:
    """Nothing is mixed."""
    folder = OutputFolder(written[0].output)
    folder.write_manifest(held(folder.require_manifest()))
    with pytest.raises(ConfigError, match=message):
        verify_file(written[0])


def test_chunks_that_another_process_has_just_written_count(written: tuple[VerifyOptions, Verification]) -> None:
    """What is there is read once the folder is held: whoever waited for it sees what was done meanwhile."""
    options, _ = written
    folder = OutputFolder(options.output)
    whole = folder.require_manifest()
    folder.write_manifest(replace(whole, chunks=()))
    opened = VerifiedFolder.open(options)
    folder.write_manifest(whole)
    with opened.locked():
        opened.begin()
    assert folder.require_manifest() == whole


def test_output_in_the_input(rows: Callable[..., str], tmp_path: Path) -> None:
    """It would read what it writes."""
    rows(*ROWS)
    with pytest.raises(ConfigError, match="lies in the input"):
        words(str(tmp_path), output=str(tmp_path / "out"))
