"""Verifiers by name, each imported when it is first wanted: solvers take a second to load.

To add one, write a line in `_ENTRIES`; or give `package.module:name` where a name is wanted, of a verifier, or of a
class or function that makes one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from steplabel.schemas import ConfigError, Observation, Problem, make_solution
from steplabel.schemas.named import named_object
from steplabel.schemas.segmentation import GivenSteps
from steplabel.verifiers.port import SiblingVerifier, Verifier, observe

AnyVerifier: TypeAlias = Verifier[Any] | SiblingVerifier


class Entry(NamedTuple):
    """A verifier that comes with this package.

    Attributes:
        made_by: class or function that makes it with its usual options, as `module:name`.
        question, steps: something small that it can decide: `steplabel doctor` tries it.
    """

    made_by: str
    question: str
    steps: tuple[str, ...]


_HERE = "steplabel.verifiers"
_SAT = (
    "p cnf 2 2\n1 0\n-1 -2 0\n\nFind values that satisfy all clauses. "
    "Answer with one digit for each variable, in order: 1 for true, 0 for false."
)
_SORTING = 'The first letter: "ale": "a" (1). "ion": "i" (9).'
_ENTRIES = {
    "arithmetic": Entry(f"{_HERE}.arithmetic.verifier:ArithmeticVerifier", "What is 2 + 3?", ("2 + 3 = 5",)),
    "latex_arithmetic": Entry(
        f"{_HERE}.latex.verifier:LatexVerifier",
        "What is a half and a third?",
        (r"$\frac{1}{2} + \frac{1}{3} = \frac{5}{6}$",),
    ),
    "step_agreement": Entry(f"{_HERE}.step_agreement:StepAgreement", "What is 2 + 3?", ("2 + 3 = 5",)),
    "z3_entailment": Entry(
        f"{_HERE}.entailment.text_verifier:EntailmentVerifier",
        "Let x be a number with 2x + 1 = 7.",
        ("So 2x = 6.", "So x = 3."),
    ),
    "logic": Entry(
        f"{_HERE}.logic.checker:LogicVerifier",
        "hypothesis: {B}\nfacts:\nfact1: {A} -> {B}\nfact2: {A}",
        ("fact1 & fact2 -> int1: {B}", "The final answer is PROVED"),
    ),
    "sat_task": Entry(f"{_HERE}.logic.sat.checker:SatTaskVerifier", _SAT, ("The final answer is 10",)),
    "multistep_arithmetic": Entry(
        f"{_HERE}.tasks.multistep_arithmetic:MultistepArithmetic", "6 - 1 =", ("It is 6 - 1 = 5.",)
    ),
    "word_sorting": Entry(f"{_HERE}.tasks.word_sorting:WordSorting", "ion ale", (_SORTING,)),
}
ENTRIES: Mapping[str, Entry] = MappingProxyType(_ENTRIES)


def verifier_named(name: str, *, strict: bool = False) -> AnyVerifier:
    """The verifier of this name, or at `package.module:name`.

    Args:
        strict: with its option of this name, where it has one.

    Raises:
        ConfigError: there is none of that name, or what is there is no verifier.
    """
    entry = ENTRIES.get(name)
    if entry is None and not all(name.partition(":")):
        raise ConfigError(f"verifier {name!r}: there are {', '.join(ENTRIES)}; or give package.module:name")
    verifier = _made(name, named_object(entry.made_by if entry else name, what="verifier"))
    return _strict(verifier) if strict else verifier


def is_verifier(value: object) -> bool:
    """Whether something keeps one of the two contracts of `port.py`, as far as its names tell."""
    return isinstance(value, Verifier | SiblingVerifier) and not isinstance(value, type)


def checked_verifier(made: object, *, called: str) -> AnyVerifier:
    """A verifier whose name, version and domains are of the port's types.

    Args:
        called: how the error calls it.

    Raises:
        ConfigError: it is none, or one of them is of another type: one text for `domains` would match by its letters.
    """
    if not is_verifier(made):
        raise ConfigError(
            f"verifier {called} is or makes a {type(made).__name__}, which is none: see verifiers/port.py"
        )
    verifier: AnyVerifier = made  # type: ignore[assignment]
    for field in ("name", "version"):
        if not isinstance(value := getattr(verifier, field), str) or not value:
            raise ConfigError(f"verifier {called}: its {field} is {value!r}, and must be a text")
    if not isinstance(verifier.domains, Set) or not all(isinstance(domain, str) for domain in verifier.domains):
        raise ConfigError(f"verifier {called}: its domains are {verifier.domains!r}, and must be a frozenset of texts")
    return verifier


def has_strict(verifier: AnyVerifier) -> bool:
    """Whether a verifier has an option `strict`."""
    options: tuple[dataclasses.Field[Any], ...] = (
        dataclasses.fields(verifier) if dataclasses.is_dataclass(verifier) else ()
    )
    return any(option.name == "strict" for option in options)


def speaks_of(verifier: AnyVerifier, problem: Problem) -> bool:
    """Whether a problem's domain is one that the verifier is made for."""
    return not verifier.domains or problem.domain in verifier.domains


def tried(name: str) -> tuple[Observation, ...]:
    """What one of ours says of its small example; a solver or worker that does not work shows here."""
    verifier, entry = verifier_named(name), ENTRIES[name]
    problem = Problem(id="example", text=entry.question, domain=min(verifier.domains, default=""))
    solution = make_solution(problem, GivenSteps(separator="\n").join(entry.steps))
    if isinstance(verifier, SiblingVerifier):
        return verifier.compare(problem, (solution, make_solution(problem, solution.steps, index=1)))
    return observe(verifier, problem, solution)


def _made(name: str, found: Any) -> AnyVerifier:
    try:
        return checked_verifier(found if is_verifier(found) or not callable(found) else found(), called=repr(name))
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:  # users' code may raise anything, and so may their properties
        raise ConfigError(f"verifier {name!r} cannot be made: {type(error).__name__}: {error}") from error


def _strict(verifier: AnyVerifier) -> AnyVerifier:
    if not has_strict(verifier):
        return verifier
    strict: AnyVerifier = dataclasses.replace(verifier, strict=True)  # type: ignore[type-var]
    return strict
