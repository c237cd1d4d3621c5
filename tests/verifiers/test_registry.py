"""Verifiers by name, ours and others'."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from steplabel.schemas import ConfigError, Observation, Problem, Solution, Verdict
from steplabel.verifiers.registry import (
    ENTRIES,
    checked_verifier,
    has_strict,
    speaks_of,
    tried,
    verifier_named,
)
from steplabel.verifiers.tasks.word_sorting import WordSorting


@dataclass(frozen=True)
class Twins:
    """A sibling verifier with an option."""

    strict: bool = False
    name: str = "twins"
    version: str = "1"
    domains: frozenset[str] = frozenset()

    def compare(self, problem: Problem, solutions: Sequence[Solution]) -> tuple[Observation, ...]:
        return ()


TWINS = Twins()


def broken() -> Twins:
    raise RuntimeError("no solver here")


def leaves() -> Twins:
    raise SystemExit(0)


class Nameless(Twins):
    """Its name raises."""

    @property
    def name(self) -> str:  # type: ignore[override]
        raise LookupError("who am I?")

    def __init__(self) -> None:
        pass


def one_domain() -> Twins:
    return Twins(domains="logic")  # type: ignore[arg-type]


def numbered() -> Twins:
    return Twins(version=1)  # type: ignore[arg-type]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> str:
    """This module under a name that can be imported."""
    monkeypatch.setitem(sys.modules, "some_users_verifiers", sys.modules[__name__])
    return "some_users_verifiers"


@pytest.mark.parametrize("name", ENTRIES)
def test_ours_decide_their_example(name: str) -> None:
    """Every line of the table makes a verifier of that name, which decides its own small example."""
    assert verifier_named(name).name == name
    said = tried(name)
    assert said
    assert all(one.verdict is not Verdict.UNKNOWN or one.score is not None for one in said)


@pytest.mark.parametrize("what", ["Twins", "TWINS"])
def test_others(here: str, what: str) -> None:
    """A class or function that makes one, or one that is there."""
    assert verifier_named(f"{here}:{what}") == Twins()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope", "word_sorting"),
        ("nope:", "word_sorting"),
        ("no_such_module:V", "cannot import"),
        ("math:nope", "cannot import"),
        ("math:pi", "makes a float"),
        ("os:getcwd", "makes a str"),
        ("math:sqrt", "cannot be made: TypeError"),
        ("some_users_verifiers:broken", "RuntimeError: no solver here"),
        ("some_users_verifiers:leaves", "cannot be made: SystemExit"),
        ("some_users_verifiers:Nameless", "LookupError: who am I"),
        ("some_users_verifiers:one_domain", "domains are 'logic', and must be a frozenset"),
        ("some_users_verifiers:numbered", "version is 1, and must be a text"),
    ],
)
def test_what_is_none(here: str, name: str, message: str) -> None:
    """The error says what there is, or what is wrong with what was named."""
    with pytest.raises(ConfigError, match=message):
        verifier_named(name)


def test_strict(here: str) -> None:
    """Where there is such an option it is set; others stay as they are."""
    assert verifier_named(f"{here}:Twins", strict=True) == Twins(strict=True)
    assert verifier_named("word_sorting", strict=True) == WordSorting()
    assert has_strict(Twins())
    assert not has_strict(WordSorting())


def test_checked() -> None:
    """What keeps the contract comes back as it is; what does not is called as the caller calls it."""
    assert checked_verifier(TWINS, called="of mine") is TWINS
    for bad in (Twins(domains="logic"), Twins(domains=["logic"]), Twins(name=""), Twins, 3):  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="verifier of mine"):
            checked_verifier(bad, called="of mine")


def test_domains() -> None:
    """One that names domains speaks of these alone, one that names none of all."""
    sorting = Problem(id="p", text="a b", domain="word_sorting")
    assert speaks_of(WordSorting(), sorting)
    assert not speaks_of(WordSorting(), Problem(id="p", text="a b"))
    assert speaks_of(Twins(), sorting)


def test_nothing_is_imported_before_it_is_wanted() -> None:
    """The table itself loads no verifier: solvers take a second."""
    probe = (
        "import sys, steplabel.verifiers.registry; "
        "print([m for m in sys.modules if m.startswith('steplabel.verifiers.tasks') or m in ('z3', 'sympy', 'cvc5')])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
