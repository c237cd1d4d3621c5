"""The end of vLLM's processes: killed, closed, interrupted, and left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steplabel.engines import Completions, GenerateRequest
from steplabel.engines.vllm.spec import VLLMSpec
from steplabel.schemas import EngineClosed, EngineError
from tests.processes import listen_to_ctrl_c, wait_until

if TYPE_CHECKING:
    from steplabel.engines.vllm.engine import VLLMEngine

pytestmark = [pytest.mark.slow, pytest.mark.vllm, pytest.mark.timeout(1800)]

Ask = Callable[..., GenerateRequest]


Processes = Callable[[], dict[int, int]]


def kill_core(processes: Processes) -> None:
    """SIGKILL for the engine core: the one whose parent we are."""
    (core,) = (pid for pid, parent in processes().items() if parent == os.getpid())
    os.kill(core, signal.SIGKILL)


async def killed_in_mid_run(
    engine: VLLMEngine, requests: list[GenerateRequest], processes: Processes
) -> list[Completions | BaseException]:
    """Ask for everything at once, and kill the core when the first answer is there."""
    tasks = [asyncio.create_task(engine.generate(request)) for request in requests]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert not all(task.done() for task in tasks)
    kill_core(processes)
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_a_killed_engine_is_started_again_once(
    ask_problem: Ask, processes: Processes, caplog: pytest.LogCaptureFixture
) -> None:
    """First death: every request is answered as if nothing had happened. Second: all fail, and say what to do.

    Nothing is left of either engine after `close`.
    """
    threads = set(threading.enumerate())
    engine = VLLMSpec(max_num_seqs=32).open()
    requests = [ask_problem(i % 10, n=2, seed=i) for i in range(60)]

    async def run() -> None:
        first = await killed_in_mid_run(engine, requests, processes)
        assert [type(answer) for answer in first] == [Completions] * len(requests)
        assert sum("starting it again" in record.getMessage() for record in caplog.records) == 1
        again = await asyncio.gather(*map(engine.generate, requests[:20]))
        assert [answer.samples for answer in again] == [answer.samples for answer in first[:20]]

        second = await killed_in_mid_run(engine, requests, processes)
        failed = [error for error in second if isinstance(error, BaseException)]
        assert failed
        assert all(isinstance(error, EngineError) and "died 2 times" in str(error) for error in failed)
        with pytest.raises(EngineError, match="memory"):
            await engine.generate(requests[0])
        await engine.close()
        await engine.close()
        with pytest.raises(EngineClosed):
            await engine.generate(requests[0])

    asyncio.run(run())
    assert not [thread for thread in set(threading.enumerate()) - threads if thread.name.startswith("steplabel")]


def test_a_dead_engine_that_cannot_be_shut_down_is_replaced(
    ask_problem: Ask, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tidying up after the dead engine raises costs neither the restart nor an answer."""
    from vllm.v1.engine.async_llm import AsyncLLM

    shutdown, failed = AsyncLLM.shutdown, []

    def failing_once(engine: AsyncLLM, timeout: float | None = None) -> None:
        shutdown(engine, timeout=timeout)
        if not failed:
            failed.append(True)
            raise RuntimeError("no such process")

    engine = VLLMSpec(max_num_seqs=32).open()
    monkeypatch.setattr(AsyncLLM, "shutdown", failing_once)

    async def run() -> None:
        answers = await killed_in_mid_run(engine, [ask_problem(i % 10, n=2, seed=i) for i in range(60)], processes)
        assert [type(answer) for answer in answers] == [Completions] * len(answers)
        assert failed
        await engine.close()

    asyncio.run(run())


# What a run does: one engine on this process's host, closed when the process ends.
RUN = """
from steplabel.engines import GenerateRequest, Prompt
from steplabel.engines.vllm.spec import VLLMSpec
from steplabel.schemas import SamplingParams
from steplabel.transforms.host import engine_host

async def for_ever(engine):
    print("running", flush=True)
    while True:
        sampling = SamplingParams(max_tokens=400, temperature=2)
        await engine.generate(GenerateRequest(prompt=Prompt(text="Uma has 3 cards.\\n"), n=8, sampling=sampling))

if __name__ == "__main__":
    host = engine_host()
    host.run(for_ever(host.engine(VLLMSpec())))
"""


def members(group: int) -> list[int]:
    """Living processes of a process group."""
    import psutil

    found = []
    for process in psutil.process_iter(["pid", "status"]):
        try:
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except ProcessLookupError:
            continue
    return found


@pytest.mark.parametrize("how", ["killed", "interrupted", "terminated"])
def test_no_process_outlives_the_run(tmp_path: Path, how: str) -> None:
    """SIGKILL for the run, Ctrl-C for all its processes, SIGTERM for the run: nothing of it goes on."""
    script = tmp_path / "run.py"
    script.write_text(RUN)
    run = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=listen_to_ctrl_c,  # noqa: PLW1509 - it takes no lock
    )
    try:
        assert run.stdout is not None
        assert run.stdout.readline() == "running\n"
        wait_until(lambda: len(members(run.pid)) >= 2, "the engine has no process")
        if how == "interrupted":
            os.killpg(run.pid, signal.SIGINT)
        else:
            run.send_signal(signal.SIGKILL if how == "killed" else signal.SIGTERM)
        run.wait(timeout=300)
        wait_until(lambda: not members(run.pid), "a process was left behind")
        if how == "interrupted":
            assert run.stderr is not None
            said = run.stderr.read()
            assert "KeyboardInterrupt" in said
            assert "starting it again" not in said
    finally:
        if members(run.pid):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
