"""The workers, asked of formulas: killed when they hang, asked nothing twice that killed them, gone with us."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from steplabel.schemas import AnswerType, ConfigError, GoldAnswer, Outcome, Reason
from steplabel.verifiers import AnswerChecker, close_workers
from steplabel.verifiers.answers.checker import COMPARE
from steplabel.verifiers.workers.frames import Message
from steplabel.verifiers.workers.pool import Reply, WorkerLimits, WorkerPool, _Memory, pool_for
from tests.processes import assert_gone, processor_ticks, wait_until

# Passes no screening, so it is asked of the pool itself: hangs for minutes.
ENDLESS = "(a+b+c+d+e+f)^{60}"
GREEDY = "10^{10^{10}}"


@pytest.fixture
def pool(request: pytest.FixtureRequest) -> Iterator[WorkerPool]:
    """A pool of one worker with a short budget, unless a test names another one."""
    pool = WorkerPool(COMPARE, WorkerLimits(timeout_s=getattr(request, "param", 1.0), memory_mb=1_024, workers=1))
    yield pool
    pool.close()


def pair(gold: str, answer: str) -> Message:
    return {"gold": gold, "answer": answer}


def wait_until_computing(pid: int) -> None:
    """Until a worker that had answered computes: it has got its next question."""
    before = processor_ticks(pid)
    wait_until(lambda: processor_ticks(pid) > before + 5, "the worker was asked nothing")


def test_nothing_starts_before_the_first_question() -> None:
    """Making a checker, and deciding on the fast path, starts no process."""
    limits = WorkerLimits(timeout_s=4.5, memory_mb=1_024, workers=1)
    checker = AnswerChecker(worker_timeout_s=4.5)
    checker.check("1/2", GoldAnswer(text="0.5"))
    assert checker.fast(r"\sqrt{8}", GoldAnswer(text=r"2\sqrt{2}", type=AnswerType.EXPRESSION)) is None
    assert pool_for(COMPARE, limits).pids() == []


def test_a_hanging_question_is_killed_and_quarantined(pool: WorkerPool) -> None:
    """It is unknown, the second time without a worker, and the pool works on."""
    assert pool.ask(pair("1", "1")).answer["equal"]
    (first,) = pool.pids()
    assert pool.ask(pair("1", ENDLESS)).failed == Reason.TIMEOUT
    assert_gone([first])
    assert pool.ask(pair("1", ENDLESS)).failed == Reason.TIMEOUT
    assert pool.pids() == []
    assert pool.ask(pair(r"2\sqrt{2}", r"\sqrt{8}")).answer["equal"]
    assert pool.pids() != [first]


def test_memory_is_bounded() -> None:
    """What wants more than its address space, or seconds, is unknown; this process does not notice."""
    pool = WorkerPool(COMPARE, WorkerLimits(timeout_s=5.0, memory_mb=400, workers=1))
    reply = pool.ask(pair("1", GREEDY))
    assert reply.failed in (Reason.CRASH, Reason.TIMEOUT) or not reply.answer["equal"]
    pool.close()


def test_answers_are_remembered(pool: WorkerPool) -> None:
    """The same question again does not reach the worker."""
    asked = pool.ask(pair(r"2\sqrt{2}", r"\sqrt{8}"))
    pool.close()
    assert pool.ask(pair(r"2\sqrt{2}", r"\sqrt{8}")) is asked
    assert pool.pids() == []


def test_a_worker_that_died_between_questions_blames_neither(pool: WorkerPool) -> None:
    """Killed from outside while idle, it is replaced, and the next question is answered."""
    pool.ask(pair("1", "1"))
    (pid,) = pool.pids()
    os.kill(pid, signal.SIGKILL)
    assert_gone([pid])
    assert pool.ask(pair("2", "2")).answer["equal"]
    assert pool.pids() != [pid]


@pytest.mark.parametrize("pool", [60.0], indirect=True)
def test_threads_share_one_worker(pool: WorkerPool) -> None:
    """Many threads ask at once; each gets the answer to its own question, however busy the machine."""
    replies: dict[int, Reply] = {}

    def ask(number: int) -> None:
        replies[number] = pool.ask(pair(rf"\sqrt{{{number**2}}}", str(number if number % 2 else number + 1)))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(1, 17)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {n for n, reply in replies.items() if reply.answer["equal"]} == {n for n in range(1, 17) if n % 2}
    assert len(pool.pids()) == 1


@pytest.mark.parametrize("pool", [60.0], indirect=True)
def test_closing_ends_workers_and_blames_no_question(pool: WorkerPool) -> None:
    """A question under way when the pool closes is a crash at once, is asked anew the next time, and is answered."""
    slow = pair("1", "(a+b+c+d+e+f)^{40}")
    assert pool.ask(pair("1", "1")).answer["equal"]
    (pid,) = pool.pids()
    replies: list[Reply] = []
    thread = threading.Thread(target=lambda: replies.append(pool.ask(slow)))
    thread.start()
    wait_until_computing(pid)
    pool.close()
    thread.join(60.0)
    assert [reply.failed for reply in replies] == [Reason.CRASH]
    assert_gone([pid])
    again = threading.Thread(target=pool.ask, args=(slow,))
    again.start()
    wait_until(pool.pids, "it reached no worker: closing put the blame on it")
    pool.close()
    again.join(60.0)


def test_close_workers_may_be_called_twice_and_work_goes_on() -> None:
    """After `close_workers` the next question starts a new worker."""
    checker = AnswerChecker()
    gold = GoldAnswer(text=r"3\sqrt{2}", type=AnswerType.EXPRESSION)
    assert checker.check(r"\sqrt{18}", gold).outcome is Outcome.CORRECT
    close_workers()
    close_workers()
    assert checker.check(r"\frac{6}{\sqrt{2}}", gold).outcome is Outcome.CORRECT


TASKS = """
import time

def think(question):
    match question["how"]:
        case "die":
            import os
            os._exit(0)
        case "eat":
            raise MemoryError
        case "break":
            raise ValueError("no")
        case "babble":
            return {"text": "x" * (2 << 20)}
        case "strange":
            return {"set": {1, 2}}
        case "sleep":
            time.sleep(60)
    return {"number": question["number"], "text": "y" * question.get("size", 0)}
"""


@pytest.fixture
def thinking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerPool]:
    """Three workers that do what they are asked to."""
    (tmp_path / "tasks_of_a_test.py").write_text(TASKS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    pool = WorkerPool("tasks_of_a_test:think", WorkerLimits(timeout_s=20.0, memory_mb=1_024, workers=3))
    yield pool
    pool.close()


@pytest.mark.parametrize(
    ("how", "failed", "kept"),
    [
        ("die", Reason.CRASH, False),
        ("eat", Reason.CRASH, False),
        ("break", Reason.UNSUPPORTED, True),
        ("babble", Reason.CRASH, False),  # its answer passes no frame
        ("strange", Reason.CRASH, False),  # nor does this one
    ],
)
def test_what_a_task_does_wrong_is_no_answer(thinking: WorkerPool, how: str, failed: str, kept: bool) -> None:
    """It costs the worker, unless the task only raised; asked again it reaches none; the next question is answered."""
    assert thinking.ask({"how": "well", "number": 1}).answer["number"] == 1
    before = thinking.pids()
    question = {"how": how, "number": 2}
    assert thinking.ask(question).failed == failed
    assert (thinking.pids() == before) is kept
    after = thinking.pids()
    assert thinking.ask(question).failed == failed
    assert thinking.pids() == after
    assert thinking.ask({"how": "well", "number": 3}).answer["number"] == 3


def test_many_threads_get_their_own_answers_whatever_dies(thinking: WorkerPool) -> None:
    """Among sixty threads and three workers, of which every fifth question kills one, no answer goes astray."""
    replies: dict[int, Reply] = {}

    def ask(number: int) -> None:
        replies[number] = thinking.ask({"how": "well" if number % 5 else "die", "number": number})

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120.0)
    assert {number for number, reply in replies.items() if reply.failed == Reason.CRASH} == set(range(0, 60, 5))
    assert all(reply.answer["number"] == number for number, reply in replies.items() if number % 5)
    assert len(thinking.pids()) <= 3


def test_a_pool_that_threads_close_meanwhile_answers_or_says_crash(thinking: WorkerPool) -> None:
    """Closed again and again while it is asked, and twice at the end, it never hangs and gives no wrong answer."""
    replies: dict[int, Reply] = {}

    def ask(number: int) -> None:
        replies[number] = thinking.ask({"how": "well", "number": number})

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
        thinking.close()
    for thread in threads:
        thread.join(120.0)
    assert len(replies) == 30
    assert all(reply.failed == Reason.CRASH or reply.answer["number"] == n for n, reply in replies.items())
    thinking.close()
    thinking.close()
    assert thinking.ask({"how": "well", "number": 99}).answer["number"] == 99


def test_a_worker_killed_in_the_middle_of_a_question(thinking: WorkerPool) -> None:
    """By somebody else, or while it starts: the question is a crash, and does not wait for the end of its budget."""
    replies: list[Reply] = []
    thread = threading.Thread(target=lambda: replies.append(thinking.ask({"how": "sleep", "number": 0})))
    thread.start()
    wait_until(thinking.pids, "no worker was started")
    (pid,) = thinking.pids()
    os.kill(pid, signal.SIGKILL)
    thread.join(10.0)
    assert [reply.failed for reply in replies] == [Reason.CRASH]


@pytest.mark.parametrize("pool", [1.5], indirect=True)
@pytest.mark.parametrize("size", [1, 500_000])
def test_a_worker_that_does_not_read_is_killed(pool: WorkerPool, size: int) -> None:
    """Stopped from outside, it takes no question; however long the question is, its time ends."""
    pool.ask(pair("1", "1"))
    (pid,) = pool.pids()
    os.kill(pid, signal.SIGSTOP)
    assert pool.ask(pair("1", "x" * size)).failed == Reason.TIMEOUT
    assert_gone([pid])
    assert pool.ask(pair("2", "2")).answer["equal"]


def test_a_question_that_does_not_travel_costs_nothing(thinking: WorkerPool) -> None:
    """Too long, or no JSON: the error is the caller's, and no worker starts for it."""
    with pytest.raises(ValueError, match="at most"):
        thinking.ask({"how": "x" * (1 << 20)})
    with pytest.raises(TypeError):
        thinking.ask({"how": object()})
    assert thinking.pids() == []


def test_what_is_remembered_is_bounded_in_bytes() -> None:
    """A few long answers push out older ones, as many short ones do; what was used last stays."""
    memory = _Memory(replies=3, size=100)
    kept, long = Reply(answer={"kept": 1}), Reply(answer={"long": 1})
    memory.put(b"kept", kept, 40)
    memory.put(b"long", long, 50)
    assert memory.get(b"kept") is kept
    memory.put(b"new", long, 50)
    assert (memory.get(b"long"), memory.get(b"kept")) == (None, kept)
    memory.put(b"kept", kept, 10)  # the same again counts once
    memory.put(b"third", long, 40)
    assert memory.get(b"new") is long
    memory.put(b"fourth", long, 0)
    assert memory.get(b"kept") is None  # three at most
    memory.put(b"too long", long, 101)
    assert memory.get(b"too long") is None


PARENT = """
import sys, threading
from steplabel.verifiers.answers.checker import COMPARE
from steplabel.verifiers.workers.pool import WorkerLimits, WorkerPool
pool = WorkerPool(COMPARE, WorkerLimits(timeout_s=60.0, memory_mb=1024, workers=1))
def pair(gold, answer):
    return {"gold": gold, "answer": answer}
pool.ask(pair("1", "1"))
print(pool.pids()[0], flush=True)
pool.ask(pair("1", sys.argv[1])) if len(sys.argv) > 1 else threading.Event().wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize("question", [[], [ENDLESS]], ids=["idle", "computing"])
def test_no_orphan_when_the_parent_is_killed(question: list[str]) -> None:
    """A worker ends with its parent: at once if idle, within seconds if it computes."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *question], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    assert_gone([worker])


@pytest.mark.slow
def test_a_worker_ends_at_exit() -> None:
    """A program that ends in the ordinary way leaves no worker, and does not wait for it."""
    code = PARENT.replace("threading.Event().wait()", "None")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert_gone([int(done.stdout)])


@pytest.mark.slow
def test_the_working_directory_shadows_nothing(tmp_path: Path) -> None:
    """A file named like a standard module in the working directory is not imported by the worker."""
    (tmp_path / "numbers.py").write_text("raise RuntimeError('shadowed')", encoding="utf-8")
    code = PARENT.replace("threading.Event().wait()", "None")
    subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, timeout=120, check=True)


def test_a_forked_child_has_workers_of_its_own() -> None:
    """After a fork the child starts its own worker, and the parent's goes on."""
    checker = AnswerChecker()
    gold = GoldAnswer(text=r"5\sqrt{2}", type=AnswerType.EXPRESSION)
    assert checker.check(r"\sqrt{50}", gold).outcome is Outcome.CORRECT
    child = os.fork()
    if child == 0:
        right = checker.check(r"\frac{10}{\sqrt{2}}", gold).outcome is Outcome.CORRECT
        close_workers()
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert checker.check(r"\sqrt{2} \cdot 5", gold).outcome is Outcome.CORRECT


def test_configuration_travels() -> None:
    """A checker is equal to what pickle makes of it."""
    checker = AnswerChecker(markers=("=>",), worker_timeout_s=2.0)
    assert pickle.loads(pickle.dumps(checker)) == checker
    assert hash(checker) == hash(pickle.loads(pickle.dumps(checker)))


@pytest.mark.parametrize(
    "bad", [{"worker_timeout_s": 0.0}, {"worker_memory_mb": 10}, {"workers": 0}, {"markers": ("",)}], ids=str
)
def test_bad_configuration_is_refused(bad: dict[str, object]) -> None:
    """What cannot work is refused where it is written, with the offending value."""
    with pytest.raises(ConfigError, match=next(iter(bad))):
        AnswerChecker(**bad)  # type: ignore[arg-type]
