"""A bank's rows hold what was sampled, refuse what cannot be, and give solutions and prefixes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import (
    CheckedOutcome,
    DataError,
    FinishReason,
    GoldAnswer,
    Outcome,
    Problem,
    SamplingParams,
    Solution,
    SolutionSource,
    Step,
    make_solution,
)
from steplabel.schemas.arrow import arrow_schema, from_table, schema_text, to_table
from steplabel.schemas.bank import (
    ENDS,
    BankedPrefix,
    BankedProblem,
    BankedSolution,
    BankSplit,
    SolutionKind,
    end_letter,
    finish_of,
)

PROBLEM = Problem(id="p", text="2+2*3?", gold=GoldAnswer(text="8"), group_id="g")
SAMPLING = SamplingParams(temperature=1.2, max_tokens=20)
RIGHT = ("2*3=6\n", "2+6=8\n", "Answer: 8")
WRONG = ("2*3=6\n", "2+6=9\n", "Answer: 9")


def banked(texts: tuple[str, ...] = RIGHT, **fields: Any) -> BankedSolution:
    steps = make_solution(PROBLEM, tuple(Step(text=text) for text in texts)).steps
    told = {"seed": 3, "index": 0, "end": "e", "answer": "8", "finish_reason": "stop"}
    truth = {"first_error": -1, "first_consequential": -1}
    return BankedSolution(steps=steps, **{**told, **truth, **fields})


def prefix(solution: int, depth: int, ends: str = "ewnl", tokens: tuple[int, ...] = (4, 5, 6, 20)) -> BankedPrefix:
    return BankedPrefix(solution=solution, depth=depth, ends=ends, tokens=tokens, prompt_tokens=9)


def row(**fields: Any) -> BankedProblem:
    """Two solutions that share their first step: six prefixes, not eight."""
    told = {
        "problem": PROBLEM,
        "split": BankSplit.TEST,
        "completer": "model@1",
        "licence": "MIT",
        "sampling": SAMPLING,
        "checker": "answer",
        "checker_version": "2",
        "solutions": (
            banked(),
            banked(WRONG, index=1, end="w", answer="9", first_error=1, first_consequential=1),
        ),
        "prefixes": (*(prefix(0, depth) for depth in range(4)), prefix(1, 2), prefix(1, 3)),
    }
    return BankedProblem(**{**told, **fields})


def outcome(kind: Outcome, reason: str = "") -> CheckedOutcome:
    return CheckedOutcome(subject="s", checker="c", checker_version="1", outcome=kind, reason=reason)


def test_schema_is_pinned(repository: Path) -> None:
    """The Arrow schema is the golden one: a change of the format shows in review."""
    golden = repository / "tests" / "schemas" / "golden" / "bank.txt"
    assert schema_text(BankedProblem) == golden.read_text("utf-8")


@given(
    ends=st.lists(st.tuples(st.sampled_from(sorted(ENDS)), st.integers(0, 4096)), max_size=70),
    depth=st.integers(0, 3),
)
def test_rows_come_back_from_arrow_as_they_were(ends: list[tuple[str, int]], depth: int) -> None:
    """Outcomes and lengths keep their values and their order."""
    one = prefix(0, depth, "".join(end for end, _ in ends), tuple(tokens for _, tokens in ends))
    rows = [row(prefixes=(one,)), row(prefixes=(), solutions=())]
    table = to_table(rows, BankedProblem)
    assert table.schema == arrow_schema(BankedProblem)
    assert from_table(table, BankedProblem) == rows


def test_a_row_of_a_second_completer_keeps_its_solutions() -> None:
    """Ids and writers are the policy's, whoever completes; without a policy the completer wrote them."""
    own = row()
    second = row(
        completer="other@2",
        licence="none",
        sampling=replace(SAMPLING, temperature=0.1),
        policy="model@1",
        policy_licence="MIT",
        policy_sampling=SAMPLING,
    )
    assert second.rebuilt() == own.rebuilt()
    assert {solution.policy for solution in own.rebuilt()} == {"model@1"}


@pytest.mark.parametrize("fields", [{"policy": "model@1"}, {"policy_sampling": SAMPLING}])
def test_a_policy_without_its_sampling_is_refused(fields: dict[str, Any]) -> None:
    """Ids of solutions depend on both: one without the other would make others of them."""
    with pytest.raises(DataError, match="goes with its own sampling"):
        row(**fields)


def test_rows_written_before_there_were_second_banks_are_read() -> None:
    """A file without the policy's columns is a bank whose completer wrote the solutions."""
    table = to_table([row()], BankedProblem).drop_columns(["policy", "policy_licence", "policy_sampling"])
    assert from_table(table, BankedProblem) == [row()]


@pytest.mark.parametrize(
    ("checked", "letter"),
    [
        (outcome(Outcome.CORRECT, "exact"), "e"),
        (outcome(Outcome.CORRECT, "number"), "r"),
        (outcome(Outcome.WRONG, "number"), "w"),
        (outcome(Outcome.WRONG, "length"), "w"),
        (outcome(Outcome.UNKNOWN, "no_answer"), "n"),
        (outcome(Outcome.UNKNOWN, "length"), "l"),
        (outcome(Outcome.UNKNOWN, "length: 512 tokens"), "l"),
        (outcome(Outcome.UNKNOWN, "undecided: two answers"), "u"),
        (outcome(Outcome.UNKNOWN, "crash"), "u"),
        (outcome(Outcome.UNKNOWN, "filtered"), "u"),
        (outcome(Outcome.UNKNOWN), "u"),
    ],
)
def test_letters_keep_outcome_and_tell_silence_apart(checked: CheckedOutcome, letter: str) -> None:
    """What we failed to find out is `u`, never `w`; a model's silence is neither of the two."""
    assert end_letter(checked) == letter
    assert row().checked("s", letter).outcome is checked.outcome


@pytest.mark.parametrize("letter", sorted(ENDS))
def test_every_letter_is_read_back_as_itself(letter: str) -> None:
    """Letter to outcome to letter is the identity, so a bank made of a replay is the bank."""
    assert end_letter(row().checked("s", letter)) == letter


def test_only_a_cut_rollout_finished_by_length() -> None:
    """The finish reason follows from the letter."""
    assert {end: finish_of(end) for end in ENDS if finish_of(end) is FinishReason.LENGTH} == {"l": FinishReason.LENGTH}


@pytest.mark.parametrize(
    ("end", "first_error", "kind"),
    [
        ("e", -1, SolutionKind.CLEAN),
        ("r", -1, SolutionKind.CLEAN),
        ("w", 1, SolutionKind.FAILED),
        ("n", 1, SolutionKind.FAILED),
        ("e", 0, SolutionKind.LUCKY),
        ("l", -1, SolutionKind.UNFINISHED),
    ],
)
def test_kinds(end: str, first_error: int, kind: SolutionKind) -> None:
    """The kind follows from the strict truth and the final answer."""
    assert banked(end=end, first_error=first_error).kind is kind


def test_solutions_are_rebuilt_with_their_ids() -> None:
    """Ids and node keys are those of the solution that was sampled: evidence of a live run fits."""
    steps = tuple(Step(text=text) for text in RIGHT)
    sampled: Solution = make_solution(
        PROBLEM,
        steps,
        policy="model@1",
        policy_licence="MIT",
        source=SolutionSource.SAMPLED,
        sampling=SAMPLING,
        seed=3,
        index=0,
        token_ids=(1, 2, 3),
        finish_reason="stop",
        final_answer="8",
    )
    assert row().rebuilt()[0] == replace(sampled, token_ids=())


def test_shared_prefixes_stand_once() -> None:
    """Each prefix has the node key of its owner's path; two solutions of one beginning find the same."""
    one = row()
    first, second = one.rebuilt()
    keys = one.node_keys((first, second))
    assert keys == (PROBLEM.root_key, *first.node_keys, *second.node_keys[1:])
    assert second.node_keys[0] in keys
    assert one.rollouts == 4


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: prefix(0, 1, "ex", (1, 2)), "not x"),
        (lambda: prefix(0, 1, "ee", (1,)), "tokens has 1 entries"),
        (lambda: banked(end="?"), "not '\\?'"),
        (lambda: banked(end=""), "not ''"),
        (lambda: banked(first_error=3), "first error 3 of 3 steps"),
        (lambda: banked(first_consequential=-2), "first error -2"),
        (lambda: row(prefixes=(prefix(2, 0),)), "solution 2 of 2"),
        (lambda: row(prefixes=(prefix(-1, 0),)), "solution -1 of 2"),
        (lambda: row(prefixes=(prefix(0, 4),)), "has no 4 steps"),
        (lambda: row(prefixes=(prefix(0, 0), prefix(0, 1, "e", (1,)))), "different numbers of rollouts: \\[1, 4\\]"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, says: str) -> None:
    """A damaged row is an error when it is read, not a wrong figure later."""
    with pytest.raises(DataError, match=says):
        make()


def test_a_damaged_table_is_refused() -> None:
    """Reading checks rows as making them does."""
    table = to_table([row()], BankedProblem).to_pylist()
    table[0]["prefixes"][0]["ends"] = "ewn?"
    with pytest.raises(DataError, match=r"not \?"):
        from_table(arrow_table(table), BankedProblem)


def arrow_table(rows: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=arrow_schema(BankedProblem))
