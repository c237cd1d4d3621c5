"""Ids are addresses: the same content has the same id on any machine, in any version, for ever."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import (
    ContentPart,
    GoldAnswer,
    Message,
    ModelIdentity,
    Problem,
    Role,
    SamplingParams,
    Step,
    StepKind,
    content_id,
    content_problem_id,
    derive_seed,
    make_solution,
)

PARTS = st.recursive(
    st.none() | st.text("ab\u00e9,[]\"'\n", max_size=4) | st.integers(-9, 9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


def test_golden_ids() -> None:
    """These values stand in data sets and stores; if one changes, old evidence can no longer be found."""
    problem = Problem(id="p", text="What is 2 + 3?", gold=GoldAnswer(text="5"))
    solution = make_solution(
        problem,
        (Step(text="2 + 3\n"), Step(text="print(5)", kind=StepKind.CODE)),
        policy="m",
        sampling=SamplingParams(temperature=0.7, stop=("\n\n",)),
        seed=7,
        index=1,
    )
    assert content_id("kind") == "8feb265c3aca9bef57e307ec778d242f"
    assert content_id("kind", "a", 1, 0.5, None, ("b", True)) == "542d21754c98fdaf6dbb80dca9f5c566"
    assert problem.root_key == "9fa937acd19883a6e69461980ec97f54"
    assert solution.node_keys == ("e64af660107ba39dca4668a7636739ff", "7cd973c34a4d03afa9ccd6541b97187d")
    assert solution.id == "18c5ba5b492fe89e5d03317c67b0c65b"
    assert content_problem_id("What is 2 + 3?") == "aaf241644f5b9d7ec757a7f9fce037e3"
    assert ModelIdentity(name="m", weights="w", dtype="float32").id == "m@bbe8f480dc83"
    assert derive_seed("a", 1) == 876460096384671431


@given(st.lists(PARTS, max_size=4), st.lists(PARTS, max_size=4))
def test_different_parts_have_different_ids(left: list[object], right: list[object]) -> None:
    """The framing is unambiguous: ids are equal iff the parts are, types included."""
    same = repr(left) == repr(right)
    assert (content_id("k", *left) == content_id("k", *right)) is same


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("ab", ""), ("a", "b")),
        (("a", ("b",)), ("a", "b")),
        (("1",), (1,)),
        ((1,), (1.0,)),
        ((None,), ("",)),
        ((), ("",)),
    ],
    ids=str,
)
def test_near_misses_differ(left: tuple[object, ...], right: tuple[object, ...]) -> None:
    """Joining, nesting and retyping the parts changes the id."""
    assert content_id("k", *left) != content_id("k", *right)
    assert content_id("k", *left) != content_id("l", *left)


def test_ids_do_not_depend_on_the_process() -> None:
    """Another interpreter with another hash seed computes the same id and seed."""
    code = "from steplabel.schemas import *; print(content_id('k', 'a', 1), derive_seed('a'))"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "77"}
    ).stdout.split()
    assert printed == [content_id("k", "a", 1), str(derive_seed("a"))]


@given(st.lists(PARTS, max_size=4))
def test_seeds_fit_every_engine(parts: list[object]) -> None:
    """Seeds are non-negative and fit a signed 64-bit column."""
    assert 0 <= derive_seed(*parts) < 2**63


def test_what_cannot_be_written_has_no_id() -> None:
    """A set has no order and a lone surrogate no bytes: neither may become an id by accident."""
    with pytest.raises(TypeError):
        content_id("k", object())
    with pytest.raises(UnicodeEncodeError):
        content_id("k", "\ud800")


@pytest.mark.parametrize("field", ["name", "weights", "dtype", "quantization", "adapter", "tokenizer"])
def test_model_id_covers_what_changes_text(field: str) -> None:
    """Every part of the identity but the licence is in the id."""
    base = {"name": "m", "weights": "w"}
    assert ModelIdentity(**base).id != ModelIdentity(**{**base, field: "x"}).id
    assert ModelIdentity(**base).id == ModelIdentity(**base, licence="MIT").id


def test_root_key_is_what_was_asked() -> None:
    """Name, answer and source of a problem do not change its root; its words, turns and images do."""
    said = Message(role=Role.USER, parts=(ContentPart(text="q"),))
    base = Problem(id="a", text="q", messages=(said,))
    assert base.root_key == Problem(id="b", text="q", messages=(said,), gold=GoldAnswer(text="1")).root_key
    other_role = Message(role=Role.SYSTEM, parts=said.parts)
    assert base.root_key != Problem(id="a", text="q").root_key
    assert base.root_key != Problem(id="a", text="q", messages=(other_role,)).root_key
    assert base.root_key != Problem(id="a", text="q", messages=(said, said)).root_key


def test_equal_settings_have_equal_ids() -> None:
    """Temperature 0, 0.0 and -0.0 are one setting, and a list of stops is a tuple of stops."""
    ids = {content_id("s", SamplingParams(temperature=t, top_p=p)) for t in (0, 0.0, -0.0) for p in (1, 1.0)}
    assert len(ids) == 1
    assert SamplingParams(stop=["a"]) == SamplingParams(stop=("a",))  # type: ignore[arg-type]
