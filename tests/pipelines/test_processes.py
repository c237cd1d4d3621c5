"""Runs in processes of their own: killed, resumed, spread over workers, staged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from steplabel.engines.store.progress import read_progress
from steplabel.pipelines.generated import write_problems
from steplabel.transforms.dataset import PRIVATE, SUCCESS, OutputFolder
from tests.processes import assert_gone, listen_to_ctrl_c, wait_until

pytestmark = pytest.mark.slow

IN_FLIGHT = 4
MOST_LOST = 200
"""Samples that a kill may cost: what is in flight (4 programs of up to 8 prefixes times 8 samples, of which one at a
time is drawn) and what the write-behind store had not flushed yet (50 ms of 2 ms each)."""


def with_path(folder: str) -> dict[str, str]:
    """A variable that puts a folder in front of the modules that are found anyway."""
    return {"PYTHONPATH": os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])])}


@dataclass(frozen=True)
class Site:
    """A run's command line, its output and the log of what its model was asked."""

    problems: Path
    folder: Path
    log: Path
    seconds: float = 0.002
    """Time that each sample takes: more where something must happen while this runs, however busy the machine."""

    def command(self, *extra: str, recipe: str = "omegaprm_locate") -> list[str]:
        arguments = ["--input", str(self.problems), "--output", str(self.folder), "--chunk", "15"]
        engine = ["--engine", "scripted:logged_solver:solve", "--set", f"in_flight={IN_FLIGHT}"]
        return [sys.executable, "-m", "steplabel.pipelines.cli", "run", recipe, *arguments, *engine, *extra]

    def environment(self) -> dict[str, str]:
        here = str(Path(__file__).parent)
        pace = {"STEPLABEL_TEST_SECONDS": str(self.seconds)}
        return os.environ | pace | {"STEPLABEL_TEST_LOG": str(self.log)} | with_path(here)

    def start(self, *extra: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command(*extra),
            env=self.environment(),
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=listen_to_ctrl_c,  # noqa: PLW1509 - it takes no lock
        )

    def finish(self, *extra: str) -> str:
        done = subprocess.run(
            self.command(*extra),
            env=self.environment(),
            check=False,
            capture_output=True,
            text=True,
            timeout=550,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def asked(self) -> Counter[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter(line.split()[0] for line in lines)

    def packages(self) -> dict[str, str]:
        return {line.split()[1]: line.split()[2] for line in self.log.read_text().splitlines()}

    def files(self) -> list[str]:
        return [f.sha256 for f in OutputFolder(str(self.folder)).require_manifest().files()]


@pytest.fixture
def site(tmp_path: Path, problems: Path) -> Callable[[str], Site]:
    def make(name: str) -> Site:
        return Site(problems=problems, folder=tmp_path / name, log=tmp_path / f"{name}.log")

    return make


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A run in one process that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    write_problems(folder / "problems.jsonl", count=40, seed=0, events=(4, 8))
    made = Site(problems=folder / "problems.jsonl", folder=folder / "out", log=folder / "log")
    made.finish()
    return made


def kill_at_some_point(site: Site, rng: random.Random, *extra: str) -> None:
    """Start the run and kill its whole process group once its model has been asked for some more samples."""
    before = site.asked().total()
    target = before + rng.randint(20, 150)
    process = site.start(*extra)
    wait_until(lambda: site.asked().total() >= target or process.poll() is not None, "the run did not get anywhere")
    assert process.poll() is None, "the run ended before it was killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("extra", [(), ("--workers", "2")], ids=["one process", "two workers"])
def test_killed_three_times_the_run_is_the_uninterrupted_one(
    whole: Site, site: Callable[[str], Site], extra: tuple[str, ...]
) -> None:
    """kill -9 at three random moments: equal files in the end, and nothing that was stored is asked again."""
    killed = site("killed")
    rng = random.Random(7)
    for _ in range(3):
        kill_at_some_point(killed, rng, *extra)
        assert not (killed.folder / SUCCESS).exists() or killed.asked().total() >= whole.asked().total()
    killed.finish(*extra)
    assert killed.files() == whole.files()
    assert (killed.folder / SUCCESS).exists()
    unique, asked = len(killed.asked()), killed.asked().total()
    assert unique == len(whole.asked())
    assert asked - unique <= 3 * MOST_LOST


def test_two_workers_do_the_work_in_two_processes(whole: Site, site: Callable[[str], Site]) -> None:
    """`--workers 2` draws samples in two processes, the same for all chunks, and writes what one process writes."""
    two = site("two")
    two.finish("--workers", "2", "--chunk", "15")
    assert len(two.packages()) == 2
    assert two.files() == whole.files()
    assert two.asked() == whole.asked()


def test_a_killed_worker_ends_the_run_with_a_word(whole: Site, site: Callable[[str], Site]) -> None:
    """kill -9 of one of two workers: the run says so and ends, its other worker too; the same command goes on."""
    hurt = site("hurt")
    process = replace(hurt, seconds=0.02).start("--workers", "2")
    workers = wait_for_workers(hurt, 2)
    os.kill(workers[0], signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 4, output.decode()
    assert b"was killed by signal 9" in output
    assert b"Traceback" not in output, output.decode()
    assert_gone(workers)
    hurt.finish("--workers", "2")
    assert hurt.files() == whole.files()


DIES = (
    "import os, sys, threading, time\n"
    + """
if "steplabel.pipelines.worker_process" in sys.orig_argv:
    seconds = float(os.environ["STEPLABEL_TEST_DIES_AFTER"])
    threading.Thread(target=lambda: (time.sleep(seconds), os._exit(7)), daemon=True).start()
"""
)


@pytest.mark.parametrize("seconds", [0, 0.7, 1.4, 2.1])
def test_a_worker_that_dies_at_its_start(site: Callable[[str], Site], tmp_path: Path, seconds: float) -> None:
    """Before it said that it is there or after: the run ends with a word, and does not wait for it."""
    (tmp_path / "sitecustomize.py").write_text(DIES)
    one = replace(site("one"), seconds=0.02)
    done = subprocess.run(
        one.command("--workers", "2"),
        env=one.environment() | with_path(f"{tmp_path}{os.pathsep}{Path(__file__).parent}")
        | {"STEPLABEL_TEST_DIES_AFTER": str(seconds)},
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 4, done.stdout + done.stderr
    assert "ended with code 7" in done.stderr + done.stdout


def test_workers_end_with_the_process_that_started_them(site: Callable[[str], Site]) -> None:
    """kill -9 of the command alone leaves no process behind."""
    left = replace(site("left"), seconds=0.02)
    process = left.start("--workers", "2")
    workers = wait_for_workers(left, 2)
    process.kill()
    process.wait()
    assert_gone(workers)


def wait_for_workers(site: Site, count: int) -> list[int]:
    """Process numbers of workers that have drawn samples."""
    wait_until(lambda: site.log.exists() and len(site.packages()) >= count, "not all workers got to work")
    return [int(number) for number in site.packages()]


def test_external_workers_run_the_staged_package(whole: Site, site: Callable[[str], Site], repository: Path) -> None:
    """Through Beam's job service, workers install what was staged and run that, with the same result."""
    there = site("there")
    there.finish("--runner", "external")
    for module in there.packages().values():
        assert not module.startswith(str(repository)), "the worker ran the checkout instead of the staged package"
    assert there.files() == whole.files()


def test_progress_can_be_read_while_it_runs(site: Callable[[str], Site]) -> None:
    """Another process sees samples and tokens grow before anything is committed."""
    running = site("running")
    process = running.start()
    store = running.folder / PRIVATE / "rollouts.sqlite"

    def much_is_seen() -> bool:
        runs = OutputFolder(str(running.folder)).manifest()
        return runs is not None and read_progress(store, runs.account).engine_samples > 20

    try:
        wait_until(much_is_seen, "no progress was ever seen")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_two_runs_in_one_folder_do_not_mix(site: Callable[[str], Site]) -> None:
    """A second process that wants the same folder is told to wait."""
    busy = replace(site("busy"), seconds=1.0)
    process = busy.start()
    try:
        wait_until(lambda: busy.asked().total() >= 5, "the first run did not get anywhere")
        second = subprocess.run(busy.command(), env=busy.environment(), check=False, capture_output=True, text=True)
        assert second.returncode == 2
        assert "another steplabel process" in second.stderr
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("extra", [(), ("--workers", "2")], ids=["one process", "two workers"])
def test_ctrl_c_leaves_nothing_behind(site: Callable[[str], Site], extra: tuple[str, ...]) -> None:
    """Ctrl-C ends within seconds with a word on how to go on, and the run goes on."""
    stopped = site("stopped")
    process = replace(stopped, seconds=0.1).start(*extra)
    wait_until(lambda: stopped.asked().total() >= 30, "the run did not get anywhere")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output.decode()
    assert b"goes on where it stopped" in output
    assert b"Traceback" not in output
    assert_gone([int(number) for number in stopped.packages()])
    stopped.finish()
    assert stopped.asked().total() - len(stopped.asked()) <= MOST_LOST
