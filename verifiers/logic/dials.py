"""How hard generated problems are and how they look."""

from __future__ import annotations

from dataclasses import dataclass

from steplabel.schemas import ConfigError
from steplabel.verifiers.logic import names
from steplabel.verifiers.logic.proofs import Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicDials:
    """How hard the problems are and how they look.

    Attributes:
        steps: fewest and most steps of the proof, the final answer not counted.
        distractors: fewest and most facts that the proof does not use.
        things: fewest and most named things of a first-order problem.
        symbols: most predicates or propositions in one problem; a proof ends early where they run out.
        first_order: share of problems with things and quantifiers; the others are propositional.
        quantified: chance that a rule about quantifiers is preferred where one applies.
        reuse: chance that a premise is made of symbols in use already: fewer symbols, more paths that lead nowhere.
        unknown, disproved: share of problems with these labels; the rest is `PROVED`.
        surfaces: how they look, each equally often.
    """

    steps: tuple[int, int] = (1, 6)
    distractors: tuple[int, int] = (0, 8)
    things: tuple[int, int] = (1, 4)
    symbols: int = 24
    first_order: float = 0.6
    quantified: float = 0.5
    reuse: float = 0.25
    unknown: float = 0.2
    disproved: float = 0.4
    surfaces: tuple[Surface, ...] = tuple(Surface)

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("distractors", 0), ("things", 1)):
            low, high = getattr(self, name)
            if not least <= low <= high:
                raise ConfigError(f"{name}={low, high}: give (fewest, most) with at least {least}")
        for name in ("first_order", "quantified", "reuse", "unknown", "disproved"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name}={getattr(self, name)} is not between 0 and 1")
        if self.unknown + self.disproved > 1 or not self.surfaces:
            raise ConfigError(f"unknown + disproved = {self.unknown + self.disproved}, surfaces={self.surfaces}")
        if not 6 <= self.symbols <= len(names.EVENTS) or self.things[1] > len(names.PEOPLE):
            raise ConfigError(
                f"symbols={self.symbols}, things={self.things}: 6 to {len(names.EVENTS)} symbols, "
                f"at most {len(names.PEOPLE)} things have names"
            )
