"""What an external value function looks like to a search: a configuration that makes one program a state.

A plain function is a program that asks nothing. A value model, a judge or a likelihood is one that yields effects
(`Score`, or one of your own with a handler of its own): the search stays free of models either way.

    @dataclass(frozen=True, kw_only=True)
    class Shorter:
        name: ClassVar[str] = "shorter"
        version: ClassVar[str] = "1"

        def value_program(self, problem, key, steps, *, seed):
            return 1 / (1 + len(steps))
            yield  # makes it a program, which asks nothing
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from steplabel.annotators.effects import Program
from steplabel.schemas import Problem, Step


class StateValue(Protocol):
    """Says how promising a prefix is. Frozen and picklable, as all configuration is."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same state would be given another value."""
        ...

    def value_program(self, problem: Problem, key: str, steps: Sequence[Step], *, seed: int) -> Program[float | None]:
        """Return a program for the value in [0, 1] of these steps, whose node key is `key`; None if not known.

        EngineError and BudgetExhausted may escape it: the search ends and keeps what it has.
        """
        ...
