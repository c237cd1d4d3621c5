"""Strategies for formulas, and how tests ask for verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from steplabel.schemas import NewlineSteps, Observation, Problem, Verdict, make_solution
from steplabel.verifiers import observe
from steplabel.verifiers.logic import Entailment, LogicVerifier
from steplabel.verifiers.logic.formulas import (
    And,
    Atom,
    Constant,
    Equal,
    Exists,
    ForAll,
    Formula,
    Implies,
    Not,
    Or,
    Term,
    Variable,
)
from steplabel.verifiers.logic.notation import read_formula


def formulas(*, names: str = "AB", things: str = "ab", equality: bool = True) -> SearchStrategy[Formula]:
    """Closed formulas of up to a few levels."""
    return _formulas(names, things, (), 3, equality=equality)


@cache
def _formulas(
    names: str, things: str, bound: tuple[str, ...], levels: int, *, equality: bool
) -> SearchStrategy[Formula]:
    terms: list[Term] = [*map(Constant, things), *map(Variable, bound)]
    atoms = [st.builds(Atom, st.sampled_from(names)), st.builds(Atom, st.sampled_from(names), st.sampled_from(terms))]
    if equality:
        atoms.append(st.builds(Equal, st.sampled_from(terms), st.sampled_from(terms)))  # type: ignore[arg-type]
    if not levels:
        return st.one_of(atoms)

    def inner(*more: str) -> SearchStrategy[Formula]:
        return _formulas(names, things, (*bound, *more), levels - 1, equality=equality)

    variable = "xyz"[len(bound)]
    several = st.lists(st.deferred(inner), min_size=2, max_size=3).map(tuple)
    return st.one_of(
        *atoms,
        st.builds(Not, st.deferred(inner)),
        st.builds(And, several),
        st.builds(Or, several),
        st.builds(Implies, st.deferred(inner), st.deferred(inner)),
        st.builds(ForAll, st.just(Variable(variable)), st.deferred(lambda: inner(variable))),
        st.builds(Exists, st.just(Variable(variable)), st.deferred(lambda: inner(variable))),
    )


@pytest.fixture(scope="session")
def closed_formulas() -> Callable[..., SearchStrategy[Formula]]:
    """`closed_formulas(names=, things=, equality=)`: a strategy."""
    return formulas


def asked(premises: Sequence[str], conclusion: str) -> Entailment:
    """An entailment from notation."""
    return Entailment(tuple(map(read_formula, premises)), read_formula(conclusion))


@pytest.fixture(scope="session")
def ask() -> Callable[[Sequence[str], str], Entailment]:
    """`ask(premises, conclusion)` in FoVer's notation."""
    return asked


Observe = Callable[..., list[Observation]]


@pytest.fixture
def observed() -> Observe:
    """What the verifier says of each line of a solution: `observed(facts, hypothesis, lines)`."""

    def look(
        facts: Sequence[str], hypothesis: str, *lines: str, verifier: LogicVerifier | None = None
    ) -> list[Observation]:
        numbered = "\n".join(f"fact{number}: {fact}" for number, fact in enumerate(facts, start=1))
        problem = Problem(id="p", text=f"$hypothesis$: {hypothesis}\n\n$context$:\n{numbered}", domain="logic")
        solution = make_solution(problem, NewlineSteps().split("\n".join(lines)))
        return list(observe(verifier or LogicVerifier(), problem, solution))

    return look


@pytest.fixture
def verdicts(observed: Observe) -> Callable[..., list[Verdict]]:
    """The verdicts alone."""
    return lambda *args, **kwargs: [observation.verdict for observation in observed(*args, **kwargs)]
