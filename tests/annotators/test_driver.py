"""The driver: many programs on one loop, each failing on its own, none waiting for another."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from contextlib import aclosing
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.annotators import (
    Concurrently,
    Finished,
    MathShepherd,
    OmegaPRMLocate,
    Sample,
    answer_by,
    drive,
)
from steplabel.schemas import BudgetExhausted, ConfigError, EngineError, StoreError


@dataclass(frozen=True)
class Ask:
    """An effect as small as can be: what it is worth is up to the handler."""

    value: int = 0


def asking(times, log=None):
    """Ask 0, 1, ... and return the sum of the answers; write to the log when closed or done."""
    total = 0
    try:
        for i in range(times):
            total += yield Ask(i)
    finally:
        if log is not None:
            log.append(times)
    return total


async def double(effect):
    return 2 * effect.value


async def forever(effect):
    await asyncio.Event().wait()


async def settle():
    """Let everything on the loop go as far as it can without time passing."""
    for _ in range(200):
        await asyncio.sleep(0)


def numbered(*programs):
    return list(enumerate(programs))


class TestResults:
    """What comes out does not depend on how it was scheduled."""

    @settings(max_examples=25, deadline=None)
    @given(
        in_flight=st.integers(1, 30),
        order=st.permutations(range(16)),
        dice=st.randoms(use_true_random=False),
    )
    def test_invariant_to_width_order_and_latency(self, world, collect, in_flight, order, dice):
        """Annotations are the same for any in_flight, order of programs and latency of answers."""
        worlds = [world(steps=1 + i // 2) for i in range(16)]
        longest = world(steps=8)  # the others are its prefixes, so it can answer for all of them
        oracle = longest.oracle(lambda depth: depth <= 3)

        def program(i):
            annotator = (OmegaPRMLocate(), MathShepherd(k=2))[i % 2]
            return annotator.program(worlds[i].problem, worlds[i].solution, worlds[i].wrong, seed=3)

        async def answer(effect):
            await asyncio.sleep(dice.random() / 2000)
            return oracle(effect)

        programs = ((i, program(i)) for i in order)
        found = collect(lambda: drive(programs, {Sample: answer}, in_flight=in_flight))
        assert {f.key: f.result for f in found} == {i: answer_by(program(i), oracle) for i in range(16)}

    def test_ten_thousand_trivial_programs(self, collect):
        """Programs that ask nothing, or are answered at once, all come back exactly once."""
        programs = ((i, asking(i % 3)) for i in range(10_000))
        found = collect(lambda: drive(programs, {Ask: double}, in_flight=64))
        assert sorted(f.key for f in found) == list(range(10_000))
        assert all(f.result == (0, 0, 2)[f.key % 3] for f in found)

    @pytest.mark.parametrize("in_flight", [1, 5, 100_000])
    def test_no_programs_and_few(self, collect, in_flight):
        """No program gives no result; a width far above their number is fine."""
        assert collect(lambda: drive([], {}, in_flight=in_flight)) == []
        (only,) = collect(lambda: drive(numbered(asking(3)), {Ask: double}, in_flight=in_flight))
        assert only == Finished(key=0, result=6, error=None)

    def test_a_wide_run_of_few_programs_stays_small(self, run):
        """`in_flight=100_000` with three programs starts no more than four tasks."""

        async def main():
            seen = []

            async def count(effect):
                seen.append(len(asyncio.all_tasks()))
                return await double(effect)

            async with aclosing(drive(numbered(*map(asking, (1, 1, 1))), {Ask: count}, in_flight=100_000)) as d:
                assert len([f async for f in d]) == 3
            assert max(seen) <= 5

        run(main())

    def test_results_come_in_the_order_of_ending(self, collect):
        """A slow program does not hold back those that started after it: there is no barrier."""

        quick = 0
        all_quick_ones = asyncio.Event()

        async def slow_first(effect):
            nonlocal quick
            if effect.value == 99:
                await all_quick_ones.wait()
            quick += 1
            if quick == 20:
                all_quick_ones.set()

        def one(value):
            return (yield Ask(value))

        programs = [("slow", one(99)), *((i, one(i)) for i in range(20))]
        found = collect(lambda: drive(programs, {Ask: slow_first}, in_flight=2))
        assert found[-1].key == "slow"


class TestBounds:
    """What is held at once is bounded, whatever the length of the input."""

    @pytest.mark.parametrize("in_flight", [1, 3, 8])
    def test_never_more_in_flight_than_asked_for(self, collect, in_flight):
        """The widest moment is exactly `in_flight` when there is work enough."""
        running = widest = 0

        async def answer(effect):
            nonlocal running, widest
            running += 1
            widest = max(widest, running)
            await asyncio.sleep(0.001)
            running -= 1
            return 0

        collect(lambda: drive(((i, asking(2)) for i in range(40)), {Ask: answer}, in_flight=in_flight))
        assert widest == in_flight

    def test_endless_input_is_pulled_lazily(self, run):
        """An endless generator is pulled only as far as twice the width ahead of the reader."""
        pulled = 0

        def endless():
            nonlocal pulled
            while True:
                pulled += 1
                yield pulled, asking(1)

        async def main():
            async with aclosing(drive(endless(), {Ask: double}, in_flight=4)) as stream:
                for read in range(1, 51):
                    await anext(stream)
                    await asyncio.sleep(0.001 if read % 10 == 0 else 0)
                    assert pulled <= read + 2 * 4

        run(main())

    def test_a_pause_of_the_reader_does_not_stop_the_engine(self, run):
        """While the reader does something else, programs go on until their results wait to be read."""
        asked = 0

        async def answer(effect):
            nonlocal asked
            asked += 1
            return 0

        async def main():
            async with aclosing(drive(((i, asking(3)) for i in range(99)), {Ask: answer}, in_flight=5)) as stream:
                await anext(stream)
                await settle()
                assert asked == 3 * 11, "one was read, twice five wait"

        run(main())

    def test_memory_is_bounded(self, run):
        """Finished programs are let go: the generators alive stay near the width over a long input."""

        alive = weakref.WeakSet()  # only these: generators of other tests may still hang on their errors

        def programs():
            for i in range(3000):
                program = asking(1)
                alive.add(program)
                yield i, program

        async def main():
            most = 0
            async with aclosing(drive(programs(), {Ask: double}, in_flight=8)) as stream:
                async for finished in stream:
                    if finished.key % 500 == 0:
                        gc.collect()
                        most = max(most, len(alive))
            assert most <= 2 * 8 + 2

        run(main())

    @pytest.mark.parametrize("in_flight", [0, -3])
    def test_a_width_below_one_is_refused(self, in_flight):
        """It is refused where drive is called, before anything is awaited."""
        with pytest.raises(ConfigError, match=f"in_flight={in_flight}"):
            drive([], {}, in_flight=in_flight)


class TestFailures:
    """One program's failure is its own; what nobody can go on after stops everything."""

    def test_isolation(self, collect):
        """Programs that raise become Finished.error; the others end as if alone."""

        def raising():
            yield Ask()
            raise ZeroDivisionError("mine")

        def raising_at_once():
            raise LookupError("before any question")
            yield

        found = collect(
            lambda: drive(numbered(asking(2), raising(), raising_at_once(), asking(3)), {Ask: double}, in_flight=4)
        )
        errors = {f.key: type(f.error) for f in found}
        assert errors == {0: type(None), 1: ZeroDivisionError, 2: LookupError, 3: type(None)}
        assert all(f.result is None for f in found if f.error)

    @pytest.mark.parametrize("error", [EngineError("lost"), BudgetExhausted("spent"), OSError("net")], ids=repr)
    def test_handler_errors_arrive_at_the_yield(self, collect, error):
        """A program may catch what its question ran into, go on asking, and return what it has."""

        async def failing(effect):
            if effect.value == 1:
                raise error
            return effect.value

        def careful():
            first = yield Ask(10)
            try:
                yield Ask(1)
            except type(error) as caught:
                return first + (yield Ask(5)), caught

        (found,) = collect(lambda: drive(numbered(careful()), {Ask: failing}, in_flight=1))
        assert found.result == (15, error)

    def test_uncaught_handler_errors_are_the_programs_result(self, collect):
        """A program that does not catch ends with the handler's error."""

        async def failing(effect):
            raise EngineError("lost")

        (found,) = collect(lambda: drive(numbered(asking(1)), {Ask: failing}, in_flight=1))
        assert isinstance(found.error, EngineError)
        with pytest.raises(EngineError, match="lost"):
            found.unwrap()

    def test_unknown_effects_name_themselves(self, collect):
        """No handler: ConfigError in the program, with the effect's type and the known ones."""
        (found,) = collect(lambda: drive(numbered(asking(1)), {Sample: double}, in_flight=1))
        assert isinstance(found.error, ConfigError)
        assert "asked for Ask" in str(found.error)
        assert "only for: Sample" in str(found.error)

    @pytest.mark.parametrize("fatal", [StoreError("disk full"), asyncio.CancelledError()], ids=["store", "cancelled"])
    @pytest.mark.parametrize("nested", [False, True], ids=["plain", "in a branch"])
    def test_fatal_errors_stop_everything(self, run, fatal, nested):
        """A broken store or a cancelled handler ends the run at once and closes all other programs."""
        closed = []

        async def answer(effect):
            if effect.value == 99:
                raise fatal
            await forever(effect)

        def breaking():
            yield Concurrently(programs=(one(99), asking(1, closed))) if nested else Ask(99)

        def one(value):
            yield Ask(value)

        async def main():
            stream = drive(numbered(asking(1, closed), asking(1, closed), breaking()), {Ask: answer}, in_flight=8)
            with pytest.raises(type(fatal)):
                await anext(stream)
            assert len(asyncio.all_tasks()) == 1

        run(main())
        assert len(closed) == 2 + nested

    def test_a_program_cannot_swallow_a_broken_store(self, collect):
        """StoreError is not thrown into programs: no evidence must be built on a store that lost some."""

        def greedy():
            try:
                yield Ask()
            except Exception:  # noqa: BLE001  a program may be this greedy
                return "went on"

        async def broken(effect):
            raise StoreError("locked")

        with pytest.raises(StoreError):
            collect(lambda: drive(numbered(greedy()), {Ask: broken}, in_flight=1))

    def test_a_failing_input_is_raised(self, collect):
        """If the iterable itself raises, so does drive: a shorter run must not look like a whole one."""

        def broken():
            yield 0, asking(1)
            raise OSError("input gone")

        with pytest.raises(OSError, match="input gone"):
            collect(lambda: drive(broken(), {Ask: double}, in_flight=1))


class TestClosing:
    """Leaving early cancels, closes and waits."""

    @pytest.mark.parametrize("nested", [False, True], ids=["plain", "in branches"])
    def test_early_close_cancels_handlers_and_closes_programs(self, run, nested):
        """After aclose every handler was cancelled, every program's `finally` ran, and no task is left."""
        log, cancelled = [], []

        async def answer(effect):
            if effect.value == 0 and not log:
                await asyncio.sleep(0)
            try:
                await forever(effect)
            finally:
                cancelled.append(effect)

        def quick():
            return "done"
            yield

        def branching():
            yield Concurrently(programs=(asking(1, log), asking(1, log)))

        async def main():
            some = [branching(), branching()] if nested else [asking(1, log) for _ in range(4)]
            async with aclosing(drive(numbered(quick(), *some), {Ask: answer}, in_flight=9)) as stream:
                assert (await anext(stream)).result == "done"
                await settle()
            assert len(log) == len(cancelled) == 4
            assert len(asyncio.all_tasks()) == 1

        run(main())

    def test_cancelling_the_reader_cancels_the_run(self, run):
        """A cancelled consumer task takes everything down with it."""
        log = []

        async def consume():
            async with aclosing(drive(numbered(*(asking(1, log) for _ in range(5))), {Ask: forever}, in_flight=5)) as d:
                async for _ in d:
                    pytest.fail("nothing can end")

        async def main():
            task = asyncio.create_task(consume())
            await settle()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(asyncio.all_tasks()) == 1

        run(main())
        assert log == [1] * 5

    def test_programs_not_reached_are_never_started(self, run):
        """Closing early leaves the rest of the input alone."""
        log = []

        async def main():
            async with aclosing(drive(((i, asking(1, log)) for i in range(50)), {Ask: double}, in_flight=1)) as stream:
                await anext(stream)

        run(main())
        assert len(log) <= 3

    def test_a_program_that_fails_while_closing_is_logged(self, run, caplog):
        """An error in a program's `finally` during cancellation stops neither the others nor the closing."""
        log = []

        def untidy():
            try:
                yield Ask()
            finally:
                raise ZeroDivisionError("in finally")

        async def main():
            stream = drive(numbered(untidy(), asking(1, log), asking(0)), {Ask: forever}, in_flight=3)
            await anext(stream)
            await stream.aclose()

        with caplog.at_level(logging.WARNING):
            run(main())
        assert log == [1]
        assert "while it was being cancelled" in caplog.text


class TestConcurrently:
    """Programs that run programs."""

    def test_results_in_order_failures_in_place(self, collect):
        """Branches answer in their own order whoever ends first; one that fails disturbs no other."""

        async def uneven(effect):
            await asyncio.sleep(0.02 if effect.value == 0 else 0)
            if effect.value == 2:
                raise EngineError("lost")
            return effect.value + 1

        def one(value):
            return (yield Ask(value))

        def parent():
            return (yield Concurrently(programs=tuple(one(v) for v in range(4))))

        (found,) = collect(lambda: drive(numbered(parent()), {Ask: uneven}, in_flight=1))
        assert [f.key for f in found.result] == [0, 1, 2, 3]
        assert [f.result for f in found.result] == [1, 2, None, 4]
        assert isinstance(found.result[2].error, EngineError)

    def test_branches_run_at_once(self, collect):
        """Ten branches that each wait for all ten to have asked can only end together."""
        arrived = 0
        everyone = asyncio.Event()

        async def gate(effect):
            nonlocal arrived
            arrived += 1
            if arrived == 10:
                everyone.set()
            await everyone.wait()
            return 1

        def parent():
            return (yield Concurrently(programs=tuple(asking(1) for _ in range(10))))

        (found,) = collect(lambda: drive(numbered(parent()), {Ask: gate}, in_flight=1))
        assert [f.result for f in found.result] == [1] * 10

    def test_nested_and_empty(self, collect):
        """Branches may branch again, and no branches answer with an empty tuple."""

        def inner():
            return (yield Concurrently(programs=(asking(2), asking(3))))

        def outer():
            none = yield Concurrently(programs=())
            (some,) = yield Concurrently(programs=(inner(),))
            return none, [f.result for f in some.result]

        (found,) = collect(lambda: drive(numbered(outer()), {Ask: double}, in_flight=1))
        assert found.result == ((), [2, 6])

    def test_stepping_gives_what_driving_gives(self, world, collect):
        """The hand-stepping `answer_by` and the driver end every program alike, errors included."""
        w = world(steps=9)
        answers = {2: EngineError("lost"), 5: BudgetExhausted("spent")}
        oracle = w.oracle(lambda depth: answers.get(depth, depth <= 4))

        async def answer(effect):
            return oracle(effect)

        def programs():
            return [
                (type(a).__name__, a.program(w.problem, w.solution, w.wrong, seed=1))
                for a in (MathShepherd(), OmegaPRMLocate(), OmegaPRMLocate(ask_root=True))
            ]

        found = collect(lambda: drive(programs(), {Sample: answer}, in_flight=1))
        assert [f.result for f in found] == [answer_by(program, oracle) for _, program in programs()]
