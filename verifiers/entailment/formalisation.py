"""A solution that was written down as formulas: JSON in, claims out.

    {"declarations": [{"name": "x", "sort": "Int"}],
     "assumptions": [{"label": "given 1", "formula": {"op": "=", "args": [{"name": "x"}, 3]}}],
     "steps": [{"step": 1, "claim": {...}, "cites": ["given 1", "2"], "kind": "derivation"}]}

Formulas are in the form of `expressions.json_form`. `step` is the number of one of the solution's steps, from 1; a step
may make several claims, in their order. `cites` names earlier steps that the claim rests on, beside the assumptions,
which always count; without it, or where it names something else, all earlier claims count. Nothing of it is evaluated;
sizes are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

from steplabel.schemas import DataError, Solution
from steplabel.schemas.codec import from_json
from steplabel.verifiers.entailment.findings import Posed
from steplabel.verifiers.entailment.formulas import names_in
from steplabel.verifiers.entailment.question import Assumption, Declared, Entailment, Inference
from steplabel.verifiers.expressions.ast import Formula
from steplabel.verifiers.expressions.json_form import formula_from_json
from steplabel.verifiers.port import Claim

MAX_CHARS = 64_000
MAX_CLAIMS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A claim's body where none could be made of what was written.

    Attributes:
        why: for people.
    """

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    label: str
    formula: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claimed:
    step: int
    claim: Any
    cites: tuple[str, ...] | None = None
    kind: Inference = Inference.UNMARKED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    declarations: tuple[Declared, ...]
    assumptions: tuple[_Given, ...]
    steps: tuple[_Claimed, ...]


@dataclass(frozen=True, slots=True)
class _Earlier:
    """An earlier claim: None if it could not be read."""

    step: int
    assumption: Assumption | None


def formalised_claims(solution: Solution, text: str) -> Iterator[Claim[Posed | Unreadable]]:
    """What a formalisation says that each labelable step claims, in its order.

    A formula of a step that cannot be read is a claim that is Unreadable, and claims that may rest on it are not
    trusted.

    Raises:
        DataError: the whole cannot be used: no such JSON, too large, an assumption that is no formula, or a step that
            the solution does not have.
    """
    document = _document(text)
    _check_steps(document.steps, len(solution.steps))
    given = tuple(
        Assumption(label=one.label, formula=formula_from_json(one.formula, where=f"assumption {one.label!r:.40}"))
        for one in document.assumptions
    )
    earlier: list[_Earlier] = []
    for claimed in document.steps:
        where = f"step {claimed.step}.{1 + sum(one.step == claimed.step for one in earlier)}"
        body, formula = _body(document.declarations, given, earlier, claimed, where)
        if solution.steps[claimed.step - 1].labelable:
            yield Claim(subject=solution.node_keys[claimed.step - 1], body=body, quote=where)
        earlier.append(_Earlier(claimed.step, None if formula is None else Assumption(label=where, formula=formula)))


def _document(text: str) -> _Document:
    if len(text) > MAX_CHARS:
        raise DataError(f"a formalisation of {len(text):,} characters; at most {MAX_CHARS:,} are read")
    try:
        return from_json(text, _Document)
    except RecursionError as error:
        raise DataError("a formalisation that nests too deep") from error


def _check_steps(claims: Sequence[_Claimed], steps: int) -> None:
    numbers = [claimed.step for claimed in claims]
    if len(numbers) > MAX_CLAIMS:
        raise DataError(f"a formalisation with {len(numbers)} claims; at most {MAX_CLAIMS} are read")
    if numbers != sorted(numbers) or not all(1 <= number <= steps for number in numbers):
        raise DataError(f"steps {numbers[:20]} of a formalisation must rise within 1 to {steps}")


def _body(
    declarations: tuple[Declared, ...],
    given: tuple[Assumption, ...],
    earlier: Sequence[_Earlier],
    claimed: _Claimed,
    where: str,
) -> tuple[Posed | Unreadable, Formula | None]:
    try:
        formula = formula_from_json(claimed.claim, where=where)
        cited = _cited(claimed, earlier, {one.label for one in given})
    except DataError as error:
        return Unreadable(why=str(error)), None
    used = tuple(one.assumption for one in cited if one.assumption is not None)
    beyond = tuple(one.assumption for one in earlier if one not in cited and one.assumption is not None)
    known = frozenset[str]().union(*(names_in(one.formula) for one in (*given, *used, *beyond)))
    question = Entailment(
        declarations=declarations,
        assumptions=given + used,
        claim=formula,
        inference=claimed.kind if names_in(formula) <= known else Inference.MODELLING,
    )
    return Posed(question=question, beyond=beyond, trusted=len(used) == len(cited)), formula


def _cited(claimed: _Claimed, earlier: Sequence[_Earlier], labels: Set[str]) -> list[_Earlier]:
    """The earlier claims that count for this one: all of them where a citation is of nothing that can be told."""
    if claimed.cites is None:
        return list(earlier)
    names = [cite.lower().removeprefix("step").strip() for cite in claimed.cites if cite not in labels]
    if not all(name.isascii() and name.isdigit() and len(name) < 6 for name in names):
        return list(earlier)
    numbers = {int(name) for name in names}
    late = [number for number in sorted(numbers) if number > claimed.step]
    if late:
        raise DataError(f"step {claimed.step} cites step {late[0]}, which comes later")
    return [one for one in earlier if one.step in numbers]
