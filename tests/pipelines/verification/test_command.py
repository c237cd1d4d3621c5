"""`steplabel verify` as a user meets it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from steplabel.pipelines import cli
from steplabel.pipelines.verification import command
from steplabel.transforms.intake import READERS
from steplabel.verifiers.registry import ENTRIES
from tests.pipelines.verification import words

TRACE = {
    "input": "(1 + 2) =",
    "steps": ["It is 1 + 2 = 4. So the answer is 4"],
    "target": "3",
    "answer": "4",
    "mistake_index": 0,
}


def test_help_names_every_layout() -> None:
    """What `--layout` offers is what can be read, in both commands."""
    assert ("auto", *READERS) == command.LAYOUTS
    for name in ("verify", "run"):
        help_ = CliRunner().invoke(cli.app, [name, "--help"], env={"COLUMNS": "200"}).output
        assert all(layout in help_ for layout in command.LAYOUTS)


def test_help_names_every_verifier() -> None:
    """What `--verifier` offers, and takes by default, is what there is."""
    assert tuple(ENTRIES) == command.VERIFIERS
    help_ = CliRunner().invoke(cli.app, ["verify", "--help"], env={"COLUMNS": "200"}).output
    assert all(name in help_ for name in command.VERIFIERS)


def test_a_module_that_ends_the_process(
    steplabel: Callable[..., tuple[int, str]],
    rows: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When it is imported already: one clear line and the exit code of a wrong command, not silence and 0."""
    (tmp_path / "leaves_at_import.py").write_text("import sys\nsys.exit()\n")
    monkeypatch.syspath_prepend(tmp_path)
    code, text = steplabel("verify", rows(TRACE), "--verifier", "leaves_at_import:V")
    assert (code, text) == (2, "error: cannot import verifier 'leaves_at_import:V': SystemExit\n")


def test_a_verifier_that_ends_the_process(
    steplabel: Callable[..., tuple[int, str]],
    rows: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its word alone is lost: the JSON is there, and counts it."""
    monkeypatch.setitem(sys.modules, "some_users_verifier", words)
    code, text = steplabel("verify", rows(TRACE), "--verifier", "some_users_verifier:Leaves", "--json")
    assert (code, json.loads(text.splitlines()[0])["rejects"]) == (0, {"verify: crash": 1})


def test_a_verifier_that_hangs(
    steplabel: Callable[..., tuple[int, str]], rows: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a limit it is stopped, and unknown; the others are heard all the same."""
    (tmp_path / "hangs_for_ever.py").write_text(HANGS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    both = ("--verifier", "hangs_for_ever:Hangs", "--verifier", "arithmetic")
    code, text = steplabel("verify", rows(TRACE), *both, "--verifier-timeout", "1", "--json")
    hangs, arithmetic = json.loads(text.splitlines()[0])["verifiers"]
    assert (code, hangs["verifier"], hangs["stopped"], arithmetic["fails"]) == (0, "hangs", {"timeout": 1}, 1)
    assert hangs["marks"]["errors"] is not True, "a count is a number"
    assert "1 solution: timeout" in steplabel("verify", rows(TRACE), *both, "--verifier-timeout", "1")[1]


HANGS = """
class Hangs:
    name = "hangs"
    version = "1"
    domains = frozenset()

    def claims(self, problem, solution):
        while True:
            pass

    def verify(self, claim):
        raise AssertionError
"""


def test_command(steplabel: Callable[..., tuple[int, str]], rows: Callable[..., str], tmp_path: Path) -> None:
    """All verifiers by default; JSON holds what the tables hold."""
    path = rows(TRACE)
    code, text = steplabel("verify", path, "--output", tmp_path / "out")
    assert code == 0
    assert "multistep_arithmetic" in text
    assert f"dataset: {tmp_path / 'out'}" in text
    code, text = steplabel("verify", path, "--verifier", "multistep_arithmetic", "--json")
    (found,) = json.loads(text.splitlines()[0])["verifiers"]
    assert (code, found["fails"], found["marks"]["accuracy"]) == (0, 1, 1.0)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--verifier", "nope"), 2, "there are arithmetic"),
        (("--layout", "xml"), 2, "there are auto"),
        (("--solutions", "best"), 2, "--solutions 'best': there are auto, given, reference"),
        (("--chunk", "0"), 2, "--chunk 0: must be at least 1"),
        (("--layout", "processbench"), 3, "refused rows (1), the first: rows.jsonl:1: id must be str"),
        (("--verifier", "word_sorting", "--strict"), 2, "tells near misses apart"),
        (("--verifier", "word_sorting"), 3, "made for: word_sorting"),
        (("--verifier-timeout", "5"), 2, "those here bound themselves"),
    ],
)
def test_command_errors(
    steplabel: Callable[..., tuple[int, str]],
    rows: Callable[..., str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    """One line and an exit code of its kind."""
    found = steplabel("verify", rows(TRACE), *arguments)
    assert found[0] == code
    assert message in found[1]


def test_a_log_gets_a_line_now_and_then(
    steplabel: Callable[..., tuple[int, str]], rows: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal there is no bar."""
    monkeypatch.setattr(command, "PLAIN_SECONDS", 0.0)
    path = rows(TRACE, {**TRACE, "input": "(2 + 1) ="})
    code, text = steplabel("verify", path)
    assert code == 0
    assert "1 of 2 rows" in text
    assert "2 of 2 rows" in text


def test_a_log_begins_with_what_there_is_to_say(steplabel: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    """Without a terminal no empty line stands where the bar would have been."""
    code, text = steplabel("verify", tmp_path / "no.jsonl")
    assert code == 2
    assert text.startswith("error: input")
