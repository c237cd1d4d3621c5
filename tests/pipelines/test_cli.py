"""The command line as a user meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from steplabel.pipelines import cli
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.store_commands import store_app
from steplabel.transforms.dataset import OutputFolder
from steplabel.version import __version__

SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"
Run = Callable[..., Result]


@pytest.fixture
def steplabel(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command line and return exit code and everything it printed."""

    def call(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        code = cli.guarded(lambda: cli.app(list(map(str, arguments))))
        printed = capfd.readouterr()
        return code, printed.out + printed.err

    return call


@pytest.fixture(autouse=True)
def plain_consoles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wide enough for one line a thing."""
    monkeypatch.setenv("COLUMNS", "200")


Call = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def done(labelled_once: Callable[..., OutputFolder], recipe_of: Callable[..., Recipe]) -> Path:
    """A finished run, which is only read."""
    return Path(labelled_once(recipe_of("math_shepherd"), problems=40, chunk=1000).path)


def test_version(steplabel: Call) -> None:
    """--version prints the version."""
    assert steplabel("--version") == (0, f"steplabel {__version__}\n")


def commands_of(app: typer.Typer) -> list[str]:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    return list(group.commands)


def test_commands() -> None:
    """What there is to type, in the order in which --help lists it."""
    assert commands_of(cli.app) == [
        "verify",
        "run",
        "recipes",
        "relabel",
        "curate",
        "diagnose",
        "inspect",
        "export",
        "evaluate",
        "problems",
        "doctor",
        "store",
    ]


SAID = [[name] for name in commands_of(cli.app) if name != "store"] + [["store", n] for n in commands_of(store_app)]


@pytest.mark.parametrize("command", SAID, ids=" ".join)
def test_every_command_has_help_with_examples(command: list[str]) -> None:
    """--help explains each command and shows it, with options that it has."""
    result = CliRunner().invoke(cli.app, [*command, "--help"])
    assert result.exit_code == 0
    options, _, examples = result.output.partition("Example")
    assert f"steplabel {' '.join(command)}" in examples
    assert all(option in options for option in re.findall(r"--[a-z-]+", examples))


def test_help_answers_at_once() -> None:
    """The command line imports nothing that takes seconds."""
    heavy = {"apache_beam", "pyarrow", "datasets", "torch", "transformers", "numpy", "z3", "sympy", "fsspec"}
    probe = "import sys, steplabel.pipelines.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout.split()
    assert "typer" in loaded
    assert not heavy & set(loaded)


def test_run_ends_with_a_summary_and_the_next_command(steplabel: Call, problems: Path, tmp_path: Path) -> None:
    """The closing lines say what came out, what it cost, and what to type next."""
    folder = tmp_path / "out"
    code, text = steplabel("run", "omegaprm_locate", "--input", problems, "--output", folder, "--engine", SOLVER)
    assert code == 0
    for word in ("problems", "solutions", "right", "wrong", "all_right", "tokens per labelled step", "wall"):
        assert word in text
    assert f"steplabel inspect {folder}" in text


def test_set_limit_and_seed_change_the_run(steplabel: Call, problems: Path, tmp_path: Path) -> None:
    """--set, --limit and --seed reach the run."""
    folder = tmp_path / "out"
    code, _ = steplabel(
        "run",
        "math_shepherd",
        "--input",
        problems,
        "--output",
        folder,
        "--engine",
        SOLVER,
        "--set",
        "annotator.k=3",
        "--set",
        "solutions=6",
        "--limit",
        "10",
        "--seed",
        "5",
    )
    manifest = OutputFolder(str(folder)).require_manifest()
    config = json.loads(manifest.config)
    assert code == 0
    assert (config["annotator"]["k"], config["solutions"], config["seed"]) == (3, 6, 5)
    assert manifest.rows()["solutions"] == 60


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("run", "nope", "--input", "x", "--output", "y"), "math_shepherd", id="unknown recipe"),
        pytest.param(
            ("run", "math_shepherd", "--input", "/no/such", "--output", "OUT"),
            "does not exist",
            id="no input",
        ),
        pytest.param(
            ("run", "math_shepherd", "--input", "IN", "--output", "OUT", "--engine", "gpt"),
            "no engine of kind",
            id="unknown engine",
        ),
        pytest.param(
            ("run", "math_shepherd", "--input", "IN", "--output", "OUT", "--engine", "scripted:nope:f"),
            "nope",
            id="no such function",
        ),
        pytest.param(
            ("run", "math_shepherd", "--input", "IN", "--output", "OUT", "--set", "annotator.q=1"),
            "no field 'q'",
            id="unknown field",
        ),
        pytest.param(
            ("run", "math_shepherd", "--input", "IN", "--output", "OUT", "--limit", "0"),
            "at least 1",
            id="limit 0",
        ),
        pytest.param(
            ("run", "math_shepherd", "--input", "IN", "--output", "OUT", "--workers", "0"),
            "at least 1",
            id="no workers",
        ),
        pytest.param(
            ("run", "math_shepherd", "--input", "IN", "--output", "OUT", "--runner", "spark"),
            "local",
            id="unknown runner",
        ),
        pytest.param(("run", "math_shepherd", "--input", "IN", "--output", ""), "name a folder", id="empty output"),
        pytest.param(
            ("run", "math_shepherd", "--input", "IN", "--output", "/"), "name a folder", id="output is the root"
        ),
        pytest.param(
            ("run", "math_shepherd", "--input", "IN", "--output", "OUT", "--set", "labels=soft"),
            "labels.unknown_as",
            id="a group is set",
        ),
        pytest.param(("inspect", "OUT"), "no steplabel output", id="inspect no dataset"),
        pytest.param(("relabel", "OUT", "--output", "X", "--policy", "best"), "hard", id="unknown policy"),
        pytest.param(("evaluate", "OUT"), "no steplabel output", id="evaluate no dataset"),
    ],
)
def test_a_wrong_command_gets_one_clear_line(
    steplabel: Call, problems: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    """Mistakes end with exit code 2 and a message that says what would do, without a traceback."""
    places = {"IN": str(problems), "OUT": str(tmp_path / "nothing")}
    code, text = steplabel(*(places.get(a, a) for a in arguments))
    assert code == 2
    assert words in text
    assert "Traceback" not in text


def test_nothing_labelled_is_a_failure_that_says_why(steplabel: Call, tmp_path: Path) -> None:
    """A run without one labelled row exits non-zero and names the reasons."""
    source = tmp_path / "bad.jsonl"
    source.write_text('{"problem": "no answer here"}\nnot json\n')
    code, text = steplabel(
        "run",
        "math_shepherd",
        "--input",
        source,
        "--output",
        tmp_path / "o",
        "--engine",
        SOLVER,
        "--max-reject-share",
        "1",
    )
    assert code == 3
    assert "no solution was labelled" in text
    assert "bad_row" in text


def test_an_empty_file_is_a_failure_that_says_so(steplabel: Call, tmp_path: Path) -> None:
    """An empty input is told apart from everything being refused."""
    source = tmp_path / "empty.jsonl"
    source.touch()
    code, text = steplabel("run", "math_shepherd", "--input", source, "--output", tmp_path / "o", "--engine", SOLVER)
    assert code == 3
    assert "holds no row" in text


def test_inspect_shows_steps_with_evidence(steplabel: Call, done: Path) -> None:
    """Steps, marks, counts and the verdict are shown; --errors shows erroneous solutions only."""
    code, text = steplabel("inspect", done, "--errors", "-n", "2")
    assert code == 0
    assert text.count("first error at step") == 2
    assert "/ 8" in text
    assert "Answer:" in text


def test_relabel_needs_no_model(steplabel: Call, done: Path, tmp_path: Path) -> None:
    """Another policy over the same evidence; with --recheck the same answers come out."""
    again, soft = tmp_path / "again", tmp_path / "soft"
    assert steplabel("relabel", done, "--output", again, "--policy", "math_shepherd_hard", "--recheck")[0] == 0
    assert steplabel("relabel", done, "--output", soft, "--policy", "soft")[0] == 0
    before, rechecked = (list(OutputFolder(str(p)).read("labels")) for p in (done, again))
    assert [(r.solution_id, r.labels, r.values) for r in rechecked] == [
        (r.solution_id, r.labels, r.values) for r in before
    ]
    values = {r.label_target for r in OutputFolder(str(soft)).read("labels")}
    assert values == {"value"}


def test_relabel_twice_from_a_relabelled_dataset(steplabel: Call, done: Path, tmp_path: Path) -> None:
    """A relabelled dataset holds the evidence, so it can be relabelled again."""
    first, second = tmp_path / "first", tmp_path / "second"
    assert steplabel("relabel", done, "--output", first, "--policy", "soft")[0] == 0
    assert steplabel("relabel", first, "--output", second, "--policy", "math_shepherd_hard")[0] == 0
    there_and_back = [(r.solution_id, r.labels) for r in OutputFolder(str(second)).read("labels")]
    assert there_and_back == [(r.solution_id, r.labels) for r in OutputFolder(str(done)).read("labels")]


def test_export_trl(steplabel: Call, done: Path, tmp_path: Path) -> None:
    """The columns and types that TRL 1.13's trainer reads."""
    target = tmp_path / "train.jsonl"
    code, text = steplabel("export", done, "--format", "trl", "--output", target)
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert code == 0
    assert f"{len(rows):,} rows written" in text
    for row in rows:
        assert row.keys() == {"prompt", "completions", "labels"}
        assert len(row["completions"]) == len(row["labels"]) > 0
        assert all(isinstance(label, bool) for label in row["labels"])


def test_curate(steplabel: Call, done: Path, tmp_path: Path) -> None:
    """The summary says what each step dropped and what share is kept; the same command says it again, as JSON too."""
    command = ("curate", done, "--duplicates", "near", "--balance", "1:1", "--output", tmp_path / "curated")
    code, text = steplabel(*command)
    assert code == 0
    for word in ("duplicates", "near_duplicate", "balance", "too_many_", "% kept)", "erroneous", "dataset: "):
        assert word in text
    code, text = steplabel(*command, "--json")
    assert code == 0
    summary = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
    assert summary["after"]["erroneous"] == summary["after"]["clean"] > 0
    assert OutputFolder(str(tmp_path / "curated")).require_manifest().rows()["labels"] == summary["after"]["rows"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param((), 2, "nothing to do", id="no option"),
        pytest.param(("--duplicates", "some"), 2, "there are exact, near", id="unknown word"),
        pytest.param(("--merge", "all"), 2, "there are same-sign, random", id="unknown merge"),
        pytest.param(("--agree", "/no/such"), 2, "no steplabel output", id="no such dataset"),
        pytest.param(("--prof", "1000"), 3, "prof dropped", id="nothing left"),
    ],
)
def test_curate_says_what_is_wrong(
    steplabel: Call, done: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """One line, and an exit code of its kind."""
    found, text = steplabel("curate", done, "--output", tmp_path / "x", *arguments)
    assert found == code
    assert "error:" in text
    assert words in text


def test_diagnose(steplabel: Call, done: Path) -> None:
    """Tables, or JSON with every bin."""
    code, text = steplabel("diagnose", done, "--against", "exact")
    assert code == 0
    assert "Clip" in text
    assert "false alarms" in text
    code, text = steplabel("diagnose", done, "--json")
    assert code == 0
    assert len(json.loads(text)["lengths"]) == 6


def test_export_of_what_follows_from_evidence(steplabel: Call, done: Path, tmp_path: Path) -> None:
    """Rows written, and what was left out by kind and reason."""
    code, text = steplabel("export", done, "--layout", "refinements", "--output", tmp_path / "r.jsonl")
    assert code == 0
    assert "rows written" in text
    assert "solutions left out: no_error" in text
    code, text = steplabel("export", done, "--layout", "sft", "--output", tmp_path / "r.jsonl")
    assert (code, "value_pairs" in text) == (2, True)


def test_evaluate_prints_and_writes_json(steplabel: Call, done: Path) -> None:
    """F1 against exact truth, as a table and as JSON."""
    code, text = steplabel("evaluate", done)
    assert code == 0
    assert "First-error F1" in text
    code, text = steplabel("evaluate", done, "--json")
    (one,) = json.loads(text)
    assert 0 < one["report"]["f1"] <= 1
    assert one["tokens_per_solution"] > 0


def test_problems_are_repeatable(steplabel: Call, tmp_path: Path) -> None:
    """Equal seeds give equal files; a longer one begins like a shorter one."""
    for name, count in (("a", 5), ("b", 9)):
        assert steplabel("problems", "--output", tmp_path / name, "--count", count)[0] == 0
    assert (tmp_path / "b").read_text().startswith((tmp_path / "a").read_text())


def test_problems_says_how_many_rows(steplabel: Call, tmp_path: Path) -> None:
    """A problem with a right and a wrong proof is two rows."""
    path = tmp_path / "proofs.jsonl"
    code, text = steplabel("problems", "--kind", "proofs", "--output", path, "--count", 3)
    assert code == 0
    assert f"{len(path.read_text().splitlines())} rows written" in text
    assert "6 rows" in text


def test_paths_that_look_like_markup_are_paths(steplabel: Call, problems: Path, tmp_path: Path) -> None:
    """What is printed can be pasted: no markup, no line breaks, quoted where a shell needs it."""
    folder = tmp_path / "a [bold]b[x] [" / "out"
    code, text = steplabel("run", "omegaprm_locate", "--input", problems, "--output", folder, "--engine", SOLVER)
    assert code == 0, text
    assert f"steplabel inspect '{folder}'" in text


def test_an_output_that_cannot_be_written_is_one_clear_line(steplabel: Call, problems: Path, tmp_path: Path) -> None:
    """Operating system errors have no traceback either."""
    (tmp_path / "file").write_text("")
    code, text = steplabel(
        "run", "omegaprm_locate", "--input", problems, "--output", tmp_path / "file", "--engine", SOLVER
    )
    assert code == 2
    assert "is a file" in text
    code, text = steplabel("problems", "--output", tmp_path)
    assert code == 1
    assert "Traceback" not in text


def test_the_truth_is_about_whole_solutions(steplabel: Call, done: Path, tmp_path: Path) -> None:
    """A policy that cuts rows after the error is measured on the same errors as one that keeps them."""
    cut = tmp_path / "cut"
    assert steplabel("relabel", done, "--output", cut, "--policy", "qwen_hard")[0] == 0
    code, text = steplabel("evaluate", done, cut, "--json")
    kept, shortened = (one["report"] for one in json.loads(text))
    assert code == 0
    assert (kept["n_error"], kept["n_clean"]) == (shortened["n_error"], shortened["n_clean"])
    assert kept["f1"] == shortened["f1"]
