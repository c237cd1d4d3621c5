"""Processes that vLLM starts end with the one that started them. Shown with processes of our own: no vLLM needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.processes import assert_gone, is_alive

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of a process's end"),
]
# The front end starts a core, the core a worker, as vLLM does; each calls the plugin, and then waits for ever.
FAMILY = """
import multiprocessing, os, sys, time
from steplabel.engines.vllm.child import FRONT_END, end_with_parent

def member(generations):
    end_with_parent()
    print(os.getpid(), flush=True)
    if generations:
        multiprocessing.get_context("spawn").Process(target=member, args=(generations - 1,)).start()
    time.sleep(600)

if __name__ == "__main__":
    if sys.argv[1] == "ours":
        os.environ[FRONT_END] = str(os.getpid())
    member(2)
"""


def family(tmp_path_script: str, whose: str) -> tuple[subprocess.Popen[str], list[int]]:
    front = subprocess.Popen(
        [sys.executable, tmp_path_script, whose], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert front.stdout is not None
    return front, [int(front.stdout.readline()) for _ in range(3)]


@pytest.fixture
def script(tmp_path: object) -> str:
    path = f"{tmp_path}/family.py"
    with open(path, "w", encoding="utf-8") as file:
        file.write(FAMILY)
    return path


@pytest.mark.parametrize("killed", [0, 1], ids=["front end", "core"])
def test_children_die_with_their_parent(script: str, killed: int) -> None:
    """A SIGKILL ends all generations below the one that it hits."""
    front, pids = family(script, "ours")
    try:
        os.kill(pids[killed], signal.SIGKILL)
        if killed == 0:
            front.wait()
        assert_gone(pids[killed:])
        assert all(map(is_alive, pids[:killed]))
    finally:
        os.killpg(front.pid, signal.SIGKILL)
        front.wait()


def test_children_leave_ctrl_c_to_the_front_end(script: str) -> None:
    """Ctrl-C goes to the whole group: the front end decides what becomes of it, its children go on."""
    front, pids = family(script, "ours")
    try:
        for pid in pids[1:]:
            os.kill(pid, signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            front.wait(timeout=1)
        assert all(map(is_alive, pids))
    finally:
        os.killpg(front.pid, signal.SIGKILL)
        front.wait()


def test_other_users_of_vllm_are_left_alone(script: str) -> None:
    """Where no engine of ours was opened the plugin does nothing: the children survive."""
    front, pids = family(script, "others")
    try:
        os.kill(pids[0], signal.SIGKILL)
        front.wait()
        assert not gone_within_a_moment(pids[1:])
    finally:
        os.killpg(front.pid, signal.SIGKILL)


def gone_within_a_moment(pids: list[int]) -> bool:
    time.sleep(1)
    return not all(map(is_alive, pids))
