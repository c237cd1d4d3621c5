"""Proofs with exactly one wrong step, and a witness that it is wrong.

Each corruption changes one step so that it does not follow from what it cites, and keeps the model that shows it: all
that the step cites is true there and its conclusion is not. Steps before it stay as they are. Steps after it that
cite a changed conclusion become weakenings of it (`P v Q` from `P`), so they follow from what they cite, which is how
FoVer judges them; steps that cite nothing changed stay as they are. Where no witness is found there is no corruption
(None), so the truth of every step is certain without a solver. Not covered: several errors in one proof.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from steplabel.verifiers.logic.formulas import (
    Atom,
    Constant,
    Exists,
    ForAll,
    Formula,
    Implies,
    Or,
    constants,
    negated,
    parts_of,
    predicates,
    propositions,
    substitute,
    walk,
    with_parts,
)
from steplabel.verifiers.logic.generation import GeneratedLogic
from steplabel.verifiers.logic.proofs import NOT_HYPOTHESIS, ProofLabel, ProofStep
from steplabel.verifiers.logic.semantics import Model, refutes
from steplabel.verifiers.logic.world import X

_TRIES = 200


class Corruption(StrEnum):
    """What goes wrong."""

    NEGATE = "negate"
    """The conclusion is negated."""
    FRESH_SYMBOL = "fresh_symbol"
    """A symbol of the conclusion is replaced by one that occurs nowhere else."""
    DROPPED_PREMISE = "dropped_premise"
    """One of the citations is left out, and it was needed."""
    WRONG_CITATION = "wrong_citation"
    """One of the citations names another fact or step."""
    OVER_GENERALISE = "over_generalise"
    """What was shown of one thing is said of everything."""
    CONVERSE = "converse"
    """An implication is turned round."""
    WRONG_ANSWER = "wrong_answer"
    """The proof is right and the final answer is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorruptedProof:
    """A proof with one wrong step.

    Attributes:
        wrong: 0-based index of the wrong step; `len(steps)` is the final answer.
        witness: what its citations say is true in it, its conclusion is not; None for a wrong final answer.
    """

    kind: Corruption
    steps: tuple[ProofStep, ...]
    answer: ProofLabel
    wrong: int
    witness: Model | None


def conclusions(problem: GeneratedLogic) -> tuple[Formula, ...]:
    """What each step of the proof concludes."""
    return tuple(conclusion_of(step, problem) for step in problem.steps)


def conclusion_of(step: ProofStep, problem: GeneratedLogic) -> Formula:
    """What a step concludes: what it writes, or what its target stands for."""
    if step.conclusion is not None:
        return step.conclusion
    hypothesis = problem.task.hypothesis
    assert hypothesis is not None  # noqa: S101 - generated tasks have one
    return negated(hypothesis) if step.target == NOT_HYPOTHESIS else hypothesis


def corrupt(problem: GeneratedLogic, kind: Corruption, *, rng: random.Random) -> CorruptedProof | None:
    """Corrupt one step in this way; None if no step of the proof can be."""
    if kind is Corruption.WRONG_ANSWER:
        answer = rng.choice([label for label in ProofLabel if label is not problem.label])
        return CorruptedProof(kind=kind, steps=problem.steps, answer=answer, wrong=len(problem.steps), witness=None)
    for index in rng.sample(range(len(problem.steps)), len(problem.steps)):
        changed = _CHANGES[kind](problem, index, rng)
        if changed is None:
            continue
        witness = _shown_wrong(problem, changed, index, rng)
        steps = _carried_on(problem, changed, index, rng) if witness else None
        if steps is not None:
            return CorruptedProof(kind=kind, steps=steps, answer=problem.label, wrong=index, witness=witness)
    return None


def _shown_wrong(problem: GeneratedLogic, changed: ProofStep, index: int, rng: random.Random) -> Model | None:
    known = _known(problem, index)
    premises = tuple(known[name] for name in changed.cites)
    return find_witness(premises, conclusion_of(changed, problem), start=problem.worlds[0], rng=rng)


def _known(problem: GeneratedLogic, index: int) -> dict[str, Formula]:
    """What may be cited by the step of this index."""
    earlier = {step.target: conclusion_of(step, problem) for step in problem.steps[:index]}
    return {**problem.task.facts, **earlier}


def find_witness(premises: Sequence[Formula], conclusion: Formula, *, start: Model, rng: random.Random) -> Model | None:
    """A model in which the premises are true and the conclusion is false, by trying; None if none came up.

    Args:
        start: where the premises are true: models near to it are tried first.
    """
    model = start
    formulas = (*premises, conclusion)
    for attempt in range(_TRIES):
        if refutes(model, premises, conclusion):
            return model
        near = attempt % 2 == 0
        model = _varied(start if near else Model(size=start.size, constants=start.constants), formulas, rng)
    return None


def _varied(model: Model, formulas: Sequence[Formula], rng: random.Random) -> Model:
    """A model that differs in some of the symbols that the formulas use; it may have one thing more."""
    size = model.size + rng.randint(0, 1)
    share = rng.choice((0.15, 0.5))
    extensions = dict(model.predicates)
    for name in predicates(formulas):
        flipped = {thing for thing in range(size) if rng.random() < share}
        extensions[name] = frozenset(extensions.get(name, frozenset()) ^ flipped)
    switched = {name for name in propositions(formulas) if rng.random() < share}
    return replace(model, size=size, predicates=extensions, propositions=frozenset(model.propositions ^ switched))


_Change: TypeAlias = Callable[[GeneratedLogic, int, random.Random], ProofStep | None]


def _concluding(problem: GeneratedLogic, index: int, conclusion: Formula) -> ProofStep:
    """The step with another conclusion; it can no longer call that the hypothesis."""
    return replace(problem.steps[index], target=f"int{index + 1}", conclusion=conclusion)


def _negate(problem: GeneratedLogic, index: int, _: random.Random) -> ProofStep | None:
    return _concluding(problem, index, negated(conclusions(problem)[index]))


def _fresh(problem: GeneratedLogic, index: int, rng: random.Random) -> ProofStep | None:
    conclusion = conclusions(problem)[index]
    names = sorted({part.name for part in walk(conclusion) if isinstance(part, Atom)})
    return _concluding(problem, index, _renamed(conclusion, rng.choice(names), problem.spare_names[0]))


def _renamed(formula: Formula, old: str, new: str) -> Formula:
    if isinstance(formula, Atom):
        return Atom(new, formula.term) if formula.name == old else formula
    return with_parts(formula, tuple(_renamed(part, old, new) for part in parts_of(formula)))


def _dropped(problem: GeneratedLogic, index: int, rng: random.Random) -> ProofStep | None:
    step = problem.steps[index]
    if len(step.cites) < 2:
        return None
    gone = rng.choice(step.cites)
    return replace(step, cites=tuple(name for name in step.cites if name != gone))


def _wrong_citation(problem: GeneratedLogic, index: int, rng: random.Random) -> ProofStep | None:
    step = problem.steps[index]
    others = [name for name in _known(problem, index) if name not in step.cites]
    if not others:
        return None
    gone, other = rng.choice(step.cites), rng.choice(others)
    return replace(step, cites=tuple(other if name == gone else name for name in step.cites))


def _over_generalise(problem: GeneratedLogic, index: int, rng: random.Random) -> ProofStep | None:
    conclusion = conclusions(problem)[index]
    if isinstance(conclusion, Exists):
        return _concluding(problem, index, ForAll(conclusion.variable, conclusion.body))
    things = constants([conclusion])
    if not things or any(isinstance(part, (ForAll, Exists)) for part in walk(conclusion)):
        return None
    general = substitute(conclusion, Constant(rng.choice(things)), X)
    return _concluding(problem, index, ForAll(X, general))


def _converse(problem: GeneratedLogic, index: int, _: random.Random) -> ProofStep | None:
    match conclusions(problem)[index]:
        case Implies(left, right):
            return _concluding(problem, index, Implies(right, left))
        case ForAll(variable, Implies(left, right)):
            return _concluding(problem, index, ForAll(variable, Implies(right, left)))
    return None


_CHANGES: Mapping[Corruption, _Change] = MappingProxyType(
    {
        Corruption.NEGATE: _negate,
        Corruption.FRESH_SYMBOL: _fresh,
        Corruption.DROPPED_PREMISE: _dropped,
        Corruption.WRONG_CITATION: _wrong_citation,
        Corruption.OVER_GENERALISE: _over_generalise,
        Corruption.CONVERSE: _converse,
    }
)


def _carried_on(
    problem: GeneratedLogic, changed: ProofStep, index: int, rng: random.Random
) -> tuple[ProofStep, ...] | None:
    """The proof with the changed step, and later steps that still follow; None if that cannot be made sure."""
    before, after = problem.steps[:index], problem.steps[index + 1 :]
    said = conclusion_of(changed, problem)
    if said == conclusions(problem)[index]:
        return (*before, changed, *after)
    tainted = {changed.target: said}
    carried: list[ProofStep] = []
    for number, step in enumerate(after, start=index + 1):
        source = next((name for name in step.cites if name in tainted), None)
        if source is None:
            carried.append(step)
            continue
        weaker = _weakened(tainted[source], conclusion_of(step, problem))
        carried.append(ProofStep(cites=(source,), target=f"int{number + 1}", conclusion=weaker))
        tainted[carried[-1].target] = weaker
    # A weakening of what is never true would follow from a contradiction.
    sound = len(tainted) == 1 or find_witness((said,), negated(said), start=problem.worlds[0], rng=rng)
    return (*before, changed, *carried) if sound else None


def _weakened(said: Formula, other: Formula) -> Formula:
    parts = said.parts if isinstance(said, Or) else (said,)
    return Or((*parts, other))
