"""Labelled rows from a short notation, and evidence of trees."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import pytest
from hypothesis import strategies as st

from steplabel.schemas import AfterError, LabelRow, LabelTarget, StepMark

MARKS = {"+": StepMark.POSITIVE, "-": StepMark.NEGATIVE, "?": StepMark.UNKNOWN}
KINDS = {"t": "text", "c": "code", "o": "observation"}


def make_row(
    signs: str,
    *,
    steps: Sequence[str] | None = None,
    kinds: str = "",
    values: Sequence[float | None] | None = None,
    first_error: int | None = None,
    target: LabelTarget = LabelTarget.REACHABLE,
    solution_id: str = "s1",
    policy: str = "hard",
) -> LabelRow:
    """A row with one step a sign. `kinds`: t text, c code, o observation (not labelable); all text if empty."""
    n = len(signs)
    letters = kinds or "t" * n
    texts = tuple(steps) if steps is not None else tuple(f"step {i}\n" for i in range(n))
    worth = tuple(values) if values is not None else tuple(i / 10 for i in range(n))
    return LabelRow(
        problem_id="p1",
        group_id="g1",
        solution_id=solution_id,
        problem="What is 2 + 2?",
        steps=texts,
        labels=tuple(MARKS[sign] for sign in signs),
        values=worth,
        value_lows=worth,
        value_highs=worth,
        first_error=first_error,
        after_error=AfterError.KEPT,
        confidence=None,
        step_kinds=tuple(KINDS[letter] for letter in letters),
        labelable=tuple(letter != "o" for letter in letters),
        rollouts=tuple(range(n)),
        successes=tuple(range(n)),
        unknowns=(0,) * n,
        tokens=n,
        label_policy=policy,
        label_policy_version="1",
        label_target=target,
        label_sources=("monte_carlo",),
        gold_answer="4",
        answer_type="number",
        final_answer="4",
        outcome="wrong",
        outcome_reason="",
        checker="answer@1",
        solution_source="sampled",
        policy_model="m",
        completer_model="m",
        model_licences=(),
        domain="maths",
        split="train",
        source="made",
        licence="MIT",
        source_row="{}",
        run_id="r",
        recipe="made",
        code_version="0",
        config_hash="0",
    )


def rows(max_steps: int = 8) -> st.SearchStrategy[LabelRow]:
    """Rows of any marks, kinds, values, claims and texts; the first error stands on a "-" or is not known."""
    return st.integers(0, max_steps).flatmap(_rows_of)


def _rows_of(n: int) -> st.SearchStrategy[LabelRow]:
    def build(signs: str, kinds: str, texts: list[str], values: list, target: LabelTarget, known: bool) -> LabelRow:
        first = signs.find("-") if known and "?" not in signs else None
        row = make_row(signs, kinds=kinds, steps=texts, values=values, target=target)
        return dataclasses.replace(row, first_error=first)

    return st.builds(
        build,
        st.text("+-?", min_size=n, max_size=n),
        st.text("ttco", min_size=n, max_size=n),
        st.lists(st.text(" \nab2+\u00e9\u20ac", min_size=1, max_size=6), min_size=n, max_size=n),
        st.lists(st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=n, max_size=n),
        st.sampled_from(list(LabelTarget)),
        st.booleans(),
    )


@pytest.fixture(scope="session")
def row_of() -> Callable[..., LabelRow]:
    """`make_row` as a fixture."""
    return make_row


@pytest.fixture(scope="session")
def any_row() -> Callable[..., st.SearchStrategy[LabelRow]]:
    """`rows`, for properties: draw with `st.data()`."""
    return rows
