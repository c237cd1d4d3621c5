"""Terms and formulas as JSON: a round trip, and errors that say where and what."""

from __future__ import annotations

import contextlib
import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import DataError
from steplabel.verifiers.expressions.ast import (
    ARITY,
    MANY,
    Apply,
    Comparison,
    Connected,
    Connective,
    Constant,
    Formula,
    Name,
    Number,
    Operator,
    Relation,
    Term,
)
from steplabel.verifiers.expressions.json_form import (
    MAX_DEPTH,
    formula_from_json,
    formula_to_json,
    term_from_json,
    term_to_json,
)

READ = {
    "integer text": ("12", Number(Fraction(12))),
    "integer": (12, Number(Fraction(12))),
    "negative fraction": ("-3/4", Number(Fraction(-3, 4))),
    "decimal": ("0.50", Number(Fraction(1, 2), 2)),
    "negative decimal": ("-0.5", Number(Fraction(-1, 2), 1)),
    "name": ({"name": "x_1"}, Name("x_1")),
    "constant": ({"constant": "pi"}, Constant.PI),
    "operator": (
        {"op": "+", "args": ["1", {"name": "x"}]},
        Apply(Operator.ADD, (Number(Fraction(1)), Name("x"))),
    ),
}
REFUSED: dict[str, tuple[Any, str]] = {
    "float": (0.5, "expected an object"),
    "boolean": (True, "expected an object"),
    "null": (None, "expected an object"),
    "list": ([], "expected an object"),
    "word": ("x", "no number"),
    "code": ("__import__('os')", "no number"),
    "exponent": ("1e999999999", "no number"),
    "two numbers": ("1 2", "no number"),
    "foreign digits": ("\u0661", "no number"),
    "nul": ("1\x00", "no number"),
    "newline": ("1\n", "no number"),
    "digits": ("9" * 401, "no number"),
    "large integer": (10**500, "bits"),
    "zero below": ("1/0", "divides by zero"),
    "unknown operator": ({"op": "exec", "args": []}, "none of"),
    "operator of another type": ({"op": [], "args": []}, "expected the fields"),
    "arguments of another type": ({"op": "+", "args": "12"}, "must be a list"),
    "too few": ({"op": "+", "args": ["1"]}, "two or more"),
    "too many": ({"op": "/", "args": ["1", "2", "3"]}, "takes 2"),
    "too long": ({"op": "+", "args": ["1"] * 1_001}, "at most 1000"),
    "other fields": ({"op": "+", "args": ["1", "2"], "x": 1}, "expected the fields"),
    "name and more": ({"name": "x", "op": "+"}, "must stand alone"),
    "long name": ({"name": "x" * 65}, "at most 63"),
    "name with a space": ({"name": "x y"}, "letters"),
    "name of another type": ({"name": 1}, "letters"),
    "unknown constant": ({"constant": "inf"}, "none of"),
    "relation as term": ({"op": "<", "args": ["1", "2"]}, "none of"),
}


@pytest.mark.parametrize(("value", "term"), READ.values(), ids=READ)
def test_read(value: Any, term: Term) -> None:
    """Each form of a term."""
    assert term_from_json(value) == term


@pytest.mark.parametrize(("value", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(value: Any, message: str) -> None:
    """What is no term is refused with its place and what was expected."""
    with pytest.raises(DataError, match=message) as error:
        term_from_json(value, where="claim")
    assert str(error.value).startswith("claim")


def test_errors_name_the_place() -> None:
    """An error deep inside says where."""
    value = {"op": "and", "args": [True, {"op": "=", "args": ["1", {"op": "neg", "args": ["y"]}]}]}
    with pytest.raises(DataError, match=r"^formula\.args\[1\]\.args\[1\]\.args\[0\]: 'y'"):
        formula_from_json(value)


def test_depth_is_bounded() -> None:
    """Deeper than the bound is an error, not a stack overflow."""
    value: Any = "1"
    for _ in range(MAX_DEPTH):
        value = {"op": "neg", "args": [value]}
    assert term_from_json(value)
    for _ in range(100):
        value = {"op": "neg", "args": [value]}
    with pytest.raises(DataError, match="nested deeper"):
        term_from_json(value)


FORMULA_REFUSED = {
    "term": ("12", "expected an object"),
    "operator": ({"op": "+", "args": ["1", "2"]}, "none of"),
    "three sides": ({"op": "<", "args": ["1", "2", "3"]}, "takes 2"),
    "not of two": ({"op": "not", "args": [True, False]}, "takes 1"),
    "and of one": ({"op": "and", "args": [True]}, "two or more"),
    "quantifier": ({"op": "forall", "args": [True]}, "none of"),
}


@pytest.mark.parametrize(("value", "message"), FORMULA_REFUSED.values(), ids=FORMULA_REFUSED)
def test_formulas_refused(value: Any, message: str) -> None:
    """What is no formula is refused."""
    with pytest.raises(DataError, match=message):
        formula_from_json(value)


NUMBERS = st.fractions().map(Number) | st.tuples(st.integers(-(10**6), 10**6), st.integers(1, 8)).map(
    lambda pair: Number(Fraction(pair[0], 10 ** pair[1]), pair[1])
)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_']{0,8}", fullmatch=True).filter(str.isascii).map(Name)


def applied(parts: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    def of(operator: Operator) -> st.SearchStrategy[Term]:
        low, high = (2, 4) if ARITY[operator] == MANY else (ARITY[operator], ARITY[operator])
        return st.lists(parts, min_size=low, max_size=high).map(lambda terms: Apply(operator, tuple(terms)))

    return st.sampled_from(Operator).flatmap(of)


TERMS = st.recursive(NUMBERS | NAMES | st.sampled_from(Constant), applied, max_leaves=8)


def connected(parts: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    def of(connective: Connective) -> st.SearchStrategy[Formula]:
        low, high = {"not": (1, 1), "implies": (2, 2), "iff": (2, 2)}.get(connective, (2, 4))
        return st.lists(parts, min_size=low, max_size=high).map(lambda found: Connected(connective, tuple(found)))

    return st.sampled_from(Connective).flatmap(of)


COMPARISONS = st.builds(Comparison, st.sampled_from(Relation), TERMS, TERMS)
FORMULAS = st.recursive(COMPARISONS | NAMES | st.booleans(), connected, max_leaves=5)


@given(TERMS)
def test_terms_come_back(term: Term) -> None:
    """To JSON text and back is the identity, printed decimals included."""
    assert term_from_json(json.loads(json.dumps(term_to_json(term)))) == term


@given(FORMULAS)
def test_formulas_come_back(formula: Formula) -> None:
    """To JSON text and back is the identity."""
    assert formula_from_json(json.loads(json.dumps(formula_to_json(formula)))) == formula


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["+", "=", "and"]),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(st.sampled_from(["op", "args", "name", "constant", "x"]), parts, max_size=3)
    ),
    max_leaves=10,
)


@given(JSON)
def test_nothing_else_raises(value: Any) -> None:
    """Arbitrary JSON is read or refused with a DataError."""
    for read in (term_from_json, formula_from_json):
        with contextlib.suppress(DataError):
            read(value)
