"""Clauses and their three forms of text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.verifiers.logic.sat.cnf import ClauseForm, Cnf, read_cnf, satisfied, write_cnf

CNF = Cnf(3, ((1, -2), (3,), (-1, 2, -3)))
CLAUSES = st.integers(1, 6).flatmap(
    lambda variables: st.builds(
        Cnf,
        st.just(variables),
        st.lists(
            st.lists(st.integers(1, variables).flatmap(lambda x: st.sampled_from([x, -x])), min_size=1, max_size=4).map(
                tuple
            ),
            min_size=1,
            max_size=6,
        ).map(tuple),
    )
)


def test_forms() -> None:
    """Each form as people know it."""
    assert write_cnf(CNF, ClauseForm.DIMACS) == "p cnf 3 3\n1 -2 0\n3 0\n-1 2 -3 0"
    formula = write_cnf(CNF, ClauseForm.FORMULA).splitlines()[1]
    assert formula == "(x1 \u2228 ¬x2) \u2227 (x3) \u2227 (¬x1 \u2228 x2 \u2228 ¬x3)"
    assert write_cnf(CNF, ClauseForm.SENTENCES).splitlines()[1:] == [
        "1. x1 is true or x2 is false",
        "2. x3 is true",
        "3. x1 is false or x2 is true or x3 is false",
    ]


@pytest.mark.parametrize("form", ClauseForm)
@given(cnf=CLAUSES)
def test_round_trip(form: ClauseForm, cnf: Cnf) -> None:
    """Whatever is written is read back, with text before and after it."""
    text = write_cnf(cnf, form)
    assert read_cnf(text) == cnf
    assert read_cnf(f"Here are clauses.\n\n{text}\n\nFind values.") == cnf


def test_satisfied() -> None:
    """One truth value for each clause."""
    assert satisfied(CNF, (True, True, False)) == (True, False, True)
    assert satisfied(CNF, (False, True, True)) == (False, True, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Find values.",
        "p cnf 3 2\n1 -2 0",
        "p cnf 3 2\n1 -2 0\n3",
        "p cnf 3 1\n4 0",
        "p cnf 3 1\n0",
        "p cnf 0 1\n1 0",
        "p cnf 3 1\n1 x 0",
        "p cnf 999 1\n1 0",
        "Variables: x1 to x3.\n",
        "Variables: x1 to x3.\n(x4)",
        "Variables: x1 to x3.\n(x1) or (x2)",
        "Variables: x1 to x3.\n(x1 \u2228 y)",
        "Variables: x1 to x3.\n2. x1 is true",
        "Variables: x1 to x3.\n1. x1 is true\n3. x2 is true",
        "p cnf 3 1\n1 0\nVariables: x1 to x3.\n1. x1 is true",
        "p cnf 3 1\n1 0\n" + " " * 100_000,
        "p cnf 1 1\n1 0\n-1 0",
        "p cnf 1 1\n1 0\n\nAnd:\n\u22121 0",
        "-1 0\np cnf 1 1\n1 0",
        "p cnf 2 1\n1 0\n2 0 and so on",
        "p cnf 2 1\n1 0\nc 2 0",
        "the last one: 2 -1 0\np cnf 2 1\n1 0",
        "p cnf 1 1\n1 0\np cnf 1 1\n-1 0",
        "p cnf 1 1\n1 0\n  P CNF 1 1 \nfollows",
        "Variables: x1 to x1.\n1. x1 is true\n2. x1 is not true",
        "Variables: x1 to x1.\n1. x1 is true\n2) either",
        "Variables: x1 to x1.\n1. x1 is true\nAlso x1 is false",
        "Variables: x1 to x1.\n1. x1 is true\nVariables: x1 to x2.",
        "Variables: x1 to x1.\n(x1)\n\u2227 (\u00acx1)",
        "(\u00acx1)\nVariables: x1 to x1.\n(x1)",
        "Variables: x1 to x1.\n(x1)\nVariables: x1 to x2.",
    ],
    ids=lambda text: text[:40] or "empty",
)
def test_what_is_refused(text: str) -> None:
    """Missing clauses, clauses left over, variables out of range, two forms at once: nothing is guessed."""
    assert read_cnf(text) is None


@pytest.mark.parametrize(
    ("variables", "clauses"),
    [(0, ((1,),)), (3, ()), (3, ((),)), (3, ((4,),)), (3, ((0,),)), (201, ((1,),)), (3, ((1,) * 5_001,))],
    ids=lambda value: str(value)[:20],
)
def test_impossible_clauses(variables: int, clauses: tuple[tuple[int, ...], ...]) -> None:
    """A formula out of bounds is never built."""
    with pytest.raises(ValueError, match=r"bounds|literal"):
        Cnf(variables, clauses)


def test_choosing_clauses() -> None:
    """Some of the clauses in their order; none is no formula."""
    assert CNF.only([2, 0]) == Cnf(3, ((1, -2), (-1, 2, -3)))
    assert CNF.only([]) is None


@pytest.mark.parametrize("head", ["{}", "p cnf 3 2\n{}", "Variables: x1 to x3.\n{}", "Variables: x1 to x3.\n1. {}"])
def test_hostile(hostile: str, head: str) -> None:
    """No hostile text holds clauses, and none takes a second to refuse."""
    started = time.process_time()
    assert read_cnf(head.format(hostile)) is None
    assert time.process_time() - started < 1.0
