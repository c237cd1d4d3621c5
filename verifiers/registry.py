"""Verifiers by name, each imported when it is first wanted: solvers take a second to load.

To add one, write a line in `_ENTRIES`; or give `package.module:name` where a name is wanted, of a verifier, or of a
class or function that makes one.
"""

from __future__ import annotations

import dataclasses
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from steplabel.schemas import ConfigError, Observation, Problem, make_solution
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


_TASKS = "steplabel.verifiers.tasks"
_SORTING = 'The first letter: "ale": "a" (1). "ion": "i" (9).'
_ENTRIES = {
    "multistep_arithmetic": Entry(
        f"{_TASKS}.multistep_arithmetic:MultistepArithmetic", "6 - 1 =", ("It is 6 - 1 = 5.",)
    ),
    "word_sorting": Entry(f"{_TASKS}.word_sorting:WordSorting", "ion ale", (_SORTING,)),
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
    verifier = _made(name, _found(entry.made_by if entry else name))
    return _strict(verifier) if strict else verifier


def is_verifier(value: object) -> bool:
    """Whether something keeps one of the two contracts of `port.py`, as far as its names tell."""
    return isinstance(value, Verifier | SiblingVerifier) and not isinstance(value, type)


def has_strict(verifier: AnyVerifier) -> bool:
    """Whether a verifier has an option `strict`."""
    options: tuple[dataclasses.Field[Any], ...] = (
        dataclasses.fields(verifier) if dataclasses.is_dataclass(verifier) else ()
    )
    return any(option.name == "strict" for option in options)


def speaks_of(verifier: AnyVerifier, problem: Problem) -> bool:
    """Whether a problem's domain is one that the verifier is made for."""
    return not verifier.domains or problem.domain in verifier.domains


def verifiers_for(domain: str) -> tuple[str, ...]:
    """Names of ours that are made for a domain; those for any domain among them."""
    problem = Problem(id="any", text="any", domain=domain)
    return tuple(name for name in ENTRIES if speaks_of(verifier_named(name), problem))


def tried(name: str) -> tuple[Observation, ...]:
    """What one of ours says of its small example; a solver or worker that does not work shows here."""
    verifier, entry = verifier_named(name), ENTRIES[name]
    problem = Problem(id="example", text=entry.question, domain=min(verifier.domains, default=""))
    solution = make_solution(problem, GivenSteps(separator="\n").join(entry.steps))
    if isinstance(verifier, SiblingVerifier):
        return verifier.compare(problem, (solution, make_solution(problem, solution.steps, index=1)))
    return observe(verifier, problem, solution)


def _found(name: str) -> Any:
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"cannot import verifier {name!r}: {error}") from error
    if not callable(found) and not is_verifier(found):
        raise ConfigError(f"verifier {name!r} is a {type(found).__name__}: name a verifier, or what makes one")
    return found


def _made(name: str, found: Any) -> AnyVerifier:
    try:
        verifier: AnyVerifier = found if is_verifier(found) else found()
    except Exception as error:  # users' code may raise anything; what it raised is what they have to know
        raise ConfigError(f"verifier {name!r} cannot be made: {type(error).__name__}: {error}") from error
    if not is_verifier(verifier):
        raise ConfigError(f"verifier {name!r} makes a {type(verifier).__name__}, which is none: see verifiers/port.py")
    return verifier


def _strict(verifier: AnyVerifier) -> AnyVerifier:
    if not has_strict(verifier):
        return verifier
    strict: AnyVerifier = dataclasses.replace(verifier, strict=True)  # type: ignore[type-var]
    return strict
