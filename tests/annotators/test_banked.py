"""A bank answers by prefix and index, refuses what it does not hold, and never repeats a rollout in silence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from steplabel.annotators import Finished, MathShepherd, Sample, answer_by, drive
from steplabel.annotators.banked import BankEngine, nodes_of
from steplabel.annotators.effects import Score
from steplabel.schemas import (
    ConfigError,
    DataError,
    FinishReason,
    GoldAnswer,
    Outcome,
    Problem,
    SamplingParams,
    Solution,
    Step,
)
from steplabel.schemas.bank import BankedPrefix, BankedProblem, BankedSolution, BankSplit

SAMPLING = SamplingParams(temperature=1.2, max_tokens=20)
ENDS = "ewrnlueeww"
"""Ten rollouts of every prefix; which prefix it is shows in their lengths."""


def row(text: str = "2+2*3?") -> BankedProblem:
    """Two solutions of three steps that part after the first."""
    paths = ((0, 0), (0, 1), (0, 2), (0, 3), (1, 2), (1, 3))
    return BankedProblem(
        problem=Problem(id=text, text=text, gold=GoldAnswer(text="8")),
        split=BankSplit.TRAIN,
        completer="model@1",
        licence="MIT",
        sampling=SAMPLING,
        checker="answer",
        checker_version="2",
        solutions=(solution("2+6=8\n", "Answer: 8", end="e"), solution("2+6=9\n", "Answer: 9", end="w")),
        prefixes=tuple(
            BankedPrefix(
                solution=owner,
                depth=depth,
                ends=ENDS,
                tokens=tuple(range(100 * place, 100 * place + len(ENDS))),
                prompt_tokens=10 + depth,
            )
            for place, (owner, depth) in enumerate(paths)
        ),
    )


def solution(*lines: str, end: str) -> BankedSolution:
    steps = tuple(Step(text=line) for line in ("2*3=6\n", *lines))
    wrong = -1 if end == "e" else 1
    return BankedSolution(
        steps=steps,
        seed=0,
        index=0,
        end=end,
        answer=None,
        finish_reason="stop",
        first_error=wrong,
        first_consequential=wrong,
    )


ROW = row()
ENGINE = BankEngine(nodes=nodes_of([ROW]))


def ask(depth: int = 0, *, n: int = 1, start: int = 0, of: int = 0, **fields: Any) -> Sample:
    one: Solution = ROW.rebuilt()[of]
    told = {
        "problem": ROW.problem,
        "node_key": one.node_keys[depth - 1] if depth else ROW.problem.root_key,
        "prefix": one.prefix(depth),
        "n": n,
        "start": start,
        "sampling": SAMPLING,
        "seed": 5,
    }
    return Sample(**{**told, **fields})


def test_answers_in_sample_order_with_all_that_is_known() -> None:
    """Outcome, reason, length and finish of each rollout are the bank's, in its order."""
    samples = ENGINE(ask(2, n=6))
    assert [o.outcome for o in samples.outcomes] == [
        Outcome.CORRECT,
        Outcome.WRONG,
        Outcome.CORRECT,
        Outcome.UNKNOWN,
        Outcome.UNKNOWN,
        Outcome.UNKNOWN,
    ]
    assert [o.reason for o in samples.outcomes] == ["exact", "", "", "no_answer", "length", "undecided"]
    assert [o.subject for o in samples.outcomes] == [r.key for r in samples.rollouts]
    assert [r.completion_tokens for r in samples.rollouts] == [200, 201, 202, 203, 204, 205]
    assert [r.index for r in samples.rollouts] == [0, 1, 2, 3, 4, 5]
    assert [r.finish_reason for r in samples.rollouts] == [FinishReason.STOP] * 4 + [
        FinishReason.LENGTH,
        FinishReason.STOP,
    ]
    (rollout, *_) = samples.rollouts
    assert (rollout.node_key, rollout.completer, rollout.problem_id) == (ask(2).node_key, "model@1", ROW.problem.id)
    assert (rollout.prompt_tokens, rollout.seed, rollout.sampling) == (12, 5, SAMPLING)


def test_no_step_can_be_made_of_a_text_that_is_not_kept() -> None:
    """A search that goes on from a rollout fails; an empty text would be a model with nothing to say."""
    (rollout,) = ENGINE(ask(1)).rollouts
    with pytest.raises(DataError, match="control character"):
        Step(text=rollout.text)


def test_six_and_then_two_are_eight() -> None:
    """Asking in portions gives what asking at once gives."""
    first, second, whole = ENGINE(ask(1, n=6)), ENGINE(ask(1, n=2, start=6)), ENGINE(ask(1, n=8))
    assert first.rollouts + second.rollouts == whole.rollouts
    assert first.outcomes + second.outcomes == whole.outcomes


def test_seed_of_a_question_plays_no_part() -> None:
    """Two annotators with seeds of their own see the same rollouts."""
    one, other = ENGINE(ask(1, n=4, seed=1)), ENGINE(ask(1, n=4, seed=2))
    assert [r.key for r in one.rollouts] == [r.key for r in other.rollouts]
    assert one.outcomes == other.outcomes


def test_solutions_share_the_rollouts_of_what_they_share() -> None:
    """The common step is one prefix with one set of rollouts; behind it each has its own."""
    assert ENGINE(ask(1, n=3, of=0)) == ENGINE(ask(1, n=3, of=1))
    lengths = [[r.completion_tokens for r in ENGINE(ask(2, n=2, of=i)).rollouts] for i in (0, 1)]
    assert lengths == [[200, 201], [400, 401]]


def test_a_shifted_bank_gives_other_rollouts() -> None:
    """Offsets as far apart as what is asked share nothing; indices stay those of the question."""
    first, second = ENGINE(ask(1, n=5)), ENGINE.shifted(5)(ask(1, n=5))
    assert not {r.key for r in first.rollouts} & {r.key for r in second.rollouts}
    assert first.rollouts[0].index == second.rollouts[0].index == 0
    whole = ENGINE(ask(1, n=10))
    assert first.outcomes + second.outcomes == whole.outcomes


@pytest.mark.parametrize(
    ("engine", "effect", "says"),
    [
        (ENGINE, ask(1, n=11), "holds 10 rollouts of each prefix, and samples 0 to 10 were asked for"),
        (ENGINE, ask(1, n=1, start=10), "samples 10 to 10"),
        (ENGINE.shifted(4), ask(1, n=7), "samples 0 to 6, shifted by 4, were asked for"),
        (ENGINE, ask(node_key="unheard"), "no rollouts of node unheard"),
        (ENGINE, ask(1, probe="Answer:"), "no answer to 'Answer:'"),
        (ENGINE, ask(1, sampling=SamplingParams(temperature=0.7)), "temperature=0.7"),
        (
            ENGINE,
            Score(problem=ROW.problem, node_key=ROW.problem.root_key, prefix="", continuation="8"),
            "cannot answer Score",
        ),
    ],
    ids=["beyond its end", "behind its end", "shifted beyond", "no such node", "a probe", "other sampling", "a score"],
)
def test_what_it_does_not_hold_is_a_clear_error(engine: BankEngine, effect: Any, says: str) -> None:
    """The message says what is held and what to do."""
    with pytest.raises(ConfigError, match=says):
        engine(effect)


def test_an_offset_below_zero_is_refused() -> None:
    """It would count from the end in silence."""
    with pytest.raises(ConfigError, match="offset=-1"):
        ENGINE.shifted(-1)


def test_the_error_ends_an_annotator_that_asks_too_much() -> None:
    """An annotator keeps a failing engine's error for itself; it cannot keep this one."""
    first = ROW.rebuilt()[0]
    with pytest.raises(ConfigError, match="holds 10 rollouts"):
        answer_by(MathShepherd(k=11).program(ROW.problem, first, None, seed=0), ENGINE)


def test_the_driver_and_the_oracle_find_the_same(run: Callable[[Awaitable[Any]], Any]) -> None:
    """`handle` under the driver gives what calling gives without a loop."""

    def program(of: int) -> Any:
        return MathShepherd(k=3).program(ROW.problem, ROW.rebuilt()[of], None, seed=0)

    async def driven() -> dict[int, Any]:
        programs = ((of, program(of)) for of in (0, 1))
        found: list[Finished[int, Any]] = [done async for done in drive(programs, {Sample: ENGINE.handle}, in_flight=2)]
        return {done.key: done.unwrap() for done in found}

    assert run(driven()) == {of: answer_by(program(of), ENGINE) for of in (0, 1)}


def test_two_rows_of_one_question_are_refused() -> None:
    """Which rollouts a prefix has must not depend on the order of the rows."""
    other = replace(ROW, problem=replace(ROW.problem, id="again"))
    with pytest.raises(DataError, match="2\\+2\\*3\\? and again hold rollouts of one prefix"):
        nodes_of([ROW, other])
    assert len(nodes_of([ROW, row("3+2*3?")])) == 12
