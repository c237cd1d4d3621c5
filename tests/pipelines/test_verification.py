"""`steplabel verify`, and verifiers in a run."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console
from typer.testing import CliRunner

from steplabel.pipelines import cli
from steplabel.pipelines.doctor import examine
from steplabel.pipelines.recipe import config_hash, describe
from steplabel.pipelines.report import count_dataset
from steplabel.pipelines.run import RunResult
from steplabel.pipelines.verification import command
from steplabel.pipelines.verification.coverage import CoverageCounter
from steplabel.pipelines.verification.reading import Which
from steplabel.pipelines.verification.tables import print_verification
from steplabel.pipelines.verification.verifying import Verification, VerifyOptions, verify_file
from steplabel.pipelines.verification.writing import VerifiedFolder
from steplabel.schemas import ConfigError, DataError, Evidence, Observation, Problem, Reason, Solution, Verdict
from steplabel.transforms.dataset import Manifest, OutputFolder
from steplabel.transforms.intake import READERS
from steplabel.verifiers import Claim, Finding, registry
from steplabel.verifiers.tasks.multistep_arithmetic import MultistepArithmetic
from steplabel.verifiers.tasks.word_sorting import WordSorting

TASKS = (MultistepArithmetic(), WordSorting())


@dataclass(frozen=True)
class Words:
    """A step fails that says so, holds if it says so, is unknown if it wonders; raises on `boom`."""

    name: ClassVar[str] = "words"
    version: str = "1"
    domains: frozenset[str] = frozenset()

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[str]]:
        for step, key in zip(solution.steps, solution.node_keys, strict=True):
            if step.text.strip() in ("holds", "fails", "wonders", "boom"):
                yield Claim(subject=key, body=step.text.strip())

    def verify(self, claim: Claim[str]) -> Finding:
        if claim.body == "boom":
            raise RuntimeError("boom")
        if claim.body == "wonders":
            return Finding(verdict=Verdict.UNKNOWN, reason=f"{Reason.TIMEOUT}: after 1 s")
        return Finding(verdict=Verdict(claim.body))


class Leaves(Words):
    """Ends the process by its first claim."""

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[str]]:
        sys.exit(0)


def marked(*steps: str, label: int, right: bool = False, **fields: Any) -> dict[str, Any]:
    """A ProcessBench row."""
    row = {"id": " ".join(steps), "generator": "m", "problem": "?", "steps": list(steps)}
    return {**row, "final_answer_correct": right, "label": label, **fields}


ROWS = (
    marked("holds", "fails", "fails", label=1),
    marked("fails", "holds", "fails", label=1),
    marked("holds", "says nothing", label=-1, right=True),
    marked("wonders", "fails", label=-1, right=True),
    marked("says nothing", "wonders", "holds", label=2),
)


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., str]:
    """Write rows, or lines as they are, to a file."""

    def write(*lines: Any, name: str = "rows.jsonl") -> str:
        path = tmp_path / name
        path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines))
        return str(path)

    return write


def words(path: str, **options: Any) -> Verification:
    return verify_file(VerifyOptions(input=path, verifiers=(Words(),), **options))


def test_coverage(rows: Callable[..., str]) -> None:
    """Every step is counted once: without a claim, decided, or unknown by its reason."""
    (found,) = words(rows(*ROWS)).verifiers
    assert (found.solutions, found.steps, found.claimed) == (5, 13, 11)
    assert (found.holds, found.fails, found.unknown, found.scored) == (4, 5, {Reason.TIMEOUT: 2}, 0)
    assert found.claimed == found.decided + sum(found.unknown.values())


def test_against_marks(rows: Callable[..., str]) -> None:
    """Steps behind a marked error count nowhere; the first failing step is the location."""
    marks = words(rows(*ROWS)).verifiers[0].marks
    assert marks is not None
    assert (marks.solutions, marks.errors, marks.found) == (5, 3, 1)
    assert (marks.right_steps, marks.right_decided, marks.false_alarms) == (1 + 1 + 2 + 2 + 2, 4, 2)
    assert (marks.precision, marks.recall) == (1 / 3, 1 / 3)
    assert marks.accuracy == 2 / 5  # the first row, and the third, in which nothing fails


def test_against_answers(rows: Callable[..., str]) -> None:
    """A failing step foretells a wrong answer, or does not."""
    answers = words(rows(*ROWS)).verifiers[0].answers
    assert answers is not None
    assert (answers.solutions, answers.wrong, answers.failing, answers.failing_wrong) == (5, 3, 3, 2)
    assert (answers.precision, answers.recall) == (2 / 3, 2 / 3)


def test_what_is_not_known_is_not_compared(rows: Callable[..., str]) -> None:
    """Without marks and answers there are no counts against them, rather than zeros."""
    path = rows({"question": "?", "answer": "1", "solutions": ["holds\nfails", "fails\nholds"]})
    found = words(path)
    assert found.solutions == 2
    assert found.verifiers[0].marks is None
    assert found.verifiers[0].answers is None
    assert (found.verifiers[0].holds, found.verifiers[0].fails) == (2, 2)


def test_nothing_vanishes(rows: Callable[..., str]) -> None:
    """Bad rows, equal ids and what a verifier raised are counted by stage and reason."""
    path = rows(*ROWS, ROWS[0], "{broken", marked("holds", label=7), marked("boom", label=0))
    found = words(path)
    assert found.rejects == {"intake: bad_row": 2, "intake: duplicate_id": 1, "verify: crash": 1}
    assert found.problems == len(ROWS) + 1
    assert found.first_rejects.keys() == found.rejects.keys()
    assert found.first_rejects["intake: bad_row"].startswith("rows.jsonl:7: not JSON")
    assert found.first_rejects["verify: crash"].endswith(": words v1 raised RuntimeError: boom")


def test_no_gold_answer_is_needed(rows: Callable[..., str]) -> None:
    """Steps can be judged without knowing where they should lead."""
    found = words(rows({"question": "?", "solutions": ["holds\nfails"]}))
    assert (found.rejects, found.solutions, found.verifiers[0].decided) == ({}, 1, 2)


def test_progress_reaches_all_rows(rows: Callable[..., str], tmp_path: Path) -> None:
    """Refused rows, done ones and those of chunks that were there add up to the rows of the file."""
    path = rows(*ROWS, "{broken", ROWS[0])
    for _ in range(2):
        seen: list[int] = []
        options = VerifyOptions(input=path, verifiers=(Words(),), output=str(tmp_path / "out"), chunk=2)
        verify_file(options, seen.append)
        assert sum(seen) == len(ROWS) + 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param(("{broken", "x"), r"refused rows \(2\), the first: rows.jsonl:1: not", id="nothing readable"),
        pytest.param(
            ({"question": "?", "answer": "1"},), r"no solution along: problems alone \(1\)$", id="no solution"
        ),
        pytest.param(
            ({"question": "?", "answer": "1"}, "x"), r"problems alone \(1\); refused rows \(1\)", id="and a bad row"
        ),
        pytest.param((), "holds no rows", id="empty"),
    ],
)
def test_a_file_without_solutions(rows: Callable[..., str], lines: tuple[Any, ...], message: str) -> None:
    """An error that says why, never an empty table."""
    with pytest.raises(DataError, match=message):
        words(rows(*lines))


def test_a_file_of_other_domains(rows: Callable[..., str]) -> None:
    """Verifiers of one task are silent on all others: that is said, too."""
    with pytest.raises(DataError, match="made for: multistep_arithmetic, word_sorting"):
        verify_file(VerifyOptions(input=rows(*ROWS), verifiers=TASKS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"verifiers": ()}, "at least one"),
        ({"verifiers": (Words(), Words(version="2"))}, "each once"),
        ({"layout": "xml"}, "there are auto, problems"),
        ({"limit": 0}, "--limit 0: must be at least 1"),
        ({"chunk": 0}, "--chunk 0: must be at least 1"),
        ({"input": "/no/such/file"}, "does not exist"),
    ],
)
def test_what_cannot_work(rows: Callable[..., str], options: dict[str, Any], message: str) -> None:
    """An error before anything is done."""
    chosen = {"input": rows(*ROWS), "verifiers": (Words(),), **options}
    with pytest.raises(ConfigError, match=message):
        verify_file(VerifyOptions(**chosen))


def test_a_damaged_file(tmp_path: Path) -> None:
    """What was read before the damage counts; the rest is a reject."""
    path = tmp_path / "rows.jsonl.gz"
    data = gzip.compress("\n".join(json.dumps({**r, "pad": str(i) * 999}) for i, r in enumerate(ROWS * 90)).encode(), 0)
    path.write_bytes(data[: len(data) // 2])
    found = words(str(path))
    assert found.problems == len(ROWS)
    assert found.rejects["intake: bad_row"] == 1


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
        ({"solutions": Which.GIVEN}, "differs in solutions: choose another --output"),
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


def test_a_solution_that_two_models_wrote_counts_twice(rows: Callable[..., str]) -> None:
    """Both have its nodes: what is said of them is said of both."""
    both = [{"text": "holds\nfails", "model": model} for model in "ab"]
    (found,) = words(rows({"question": "?", "answer": "1", "solutions": both})).verifiers
    assert (found.solutions, found.steps, found.claimed, found.holds, found.fails) == (2, 4, 4, 2, 2)


def test_only_its_own_version_is_counted(rows: Callable[..., str], tmp_path: Path) -> None:
    """What another version said stands in the evidence, and is not this one's word."""
    words(rows(*ROWS), output=str(tmp_path / "out"))
    folder = OutputFolder(str(tmp_path / "out"))
    evidence = Evidence(
        problem=next(folder.read("problems")),
        solutions=tuple(folder.read("solutions")),
        observations=tuple(folder.read("observations")),
    )
    counter = CoverageCounter(Words(version="2"))
    counter.add(evidence, None)
    assert (counter.said().steps, counter.said().claimed) == (13, 0)


def test_tables(written: tuple[VerifyOptions, Verification], capsys: pytest.CaptureFixture[str]) -> None:
    """Coverage, marks, answers, rejects and where the dataset is; verifiers that were not asked are named."""
    options, _ = written
    found = verify_file(replace(options, output="", verifiers=(Words(), WordSorting())))
    print_verification(Console(width=120), replace(found, output="there"))
    text = capsys.readouterr().out
    for word in (
        "Steps of 6 solutions",
        "2 timeout",
        "33.3%",
        "1 refused: verify: crash, the first: ",
        "dataset: there",
    ):
        assert word in text
    assert "made for none of these problems: word_sorting" in text


@dataclass(frozen=True)
class Grades:
    """Compares solutions, and never decides."""

    name: ClassVar[str] = "grades"
    version: ClassVar[str] = "1"
    domains: ClassVar[frozenset[str]] = frozenset()

    def compare(self, problem: Problem, solutions: Sequence[Solution]) -> tuple[Observation, ...]:
        keys = [key for solution in solutions for key in solution.node_keys]
        return tuple(Observation(subject=key, source=self.name, source_version="1", score=0.5) for key in keys)


def test_who_only_grades_has_missed_no_error(rows: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    """Such a source has its line in the table of coverage, and none in those that count what was found."""
    found = verify_file(VerifyOptions(input=rows(*ROWS), verifiers=(Words(), Grades())))
    assert (found.verifiers[1].scored, found.verifiers[1].decided) == (13, 0)
    print_verification(Console(width=120), found)
    coverage, _, compared = capsys.readouterr().out.partition("First errors")
    assert "13 graded" in coverage
    assert "words" in compared
    assert "grades" not in compared
    print_verification(Console(width=120), replace(found, verifiers=found.verifiers[1:]))
    assert "First errors" not in capsys.readouterr().out


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.fixture
def steplabel(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Run a command line and return exit code and everything it printed."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> tuple[int, str]:
        capfd.readouterr()
        code = cli.guarded(lambda: cli.app(list(map(str, arguments))))
        printed = capfd.readouterr()
        return code, printed.out + printed.err

    return call


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


def test_a_verifier_that_ends_the_process(
    steplabel: Callable[..., tuple[int, str]],
    rows: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its word alone is lost: the JSON is there, and counts it."""
    monkeypatch.setitem(sys.modules, "some_users_verifier", sys.modules[__name__])
    code, text = steplabel("verify", rows(TRACE), "--verifier", "some_users_verifier:Leaves", "--json")
    assert (code, json.loads(text.splitlines()[0])["rejects"]) == (0, {"verify: crash": 1})


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


# --- in a run ---------------------------------------------------------------------------------------------------------


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


# --- real data --------------------------------------------------------------------------------------------------------


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "verifier", "floor"),
    [("multistep_arithmetic.jsonl", MultistepArithmetic(), 0.97), ("word_sorting.first150.jsonl", WordSorting(), 0.85)],
    ids=["multistep_arithmetic", "word_sorting"],
)
def test_bigbench_mistake(data_dir: Path, name: str, verifier: Any, floor: float) -> None:
    """The first errors of real traces are located without a model, and no row is lost."""
    found = verify_file(VerifyOptions(input=str(data_dir / "bigbench_mistake" / name), verifiers=(verifier,)))
    marks = found.verifiers[0].marks
    assert marks is not None
    assert found.rejects == {}
    assert marks.accuracy is not None
    assert marks.accuracy >= floor
