"""A user's verifier in a process of its own that can be killed: one that hangs costs a solution its word, not the run.

    Bounded(made_by="my_package.checks:UnitsVerifier", timeout_s=10.0)

Covered: verifiers that have a name (`package.module:name`, or one of `registry.ENTRIES`) and make claims about one
solution. All claims of a solution are found and decided under one wall-clock limit and within an address space; past
them the process is killed and the solution's observation is unknown, with the reason `timeout` or `crash`. What it
raises is raised here, as it would be without this. Not covered: verifiers that compare solutions or read observations
(refused); importing and making it, which happens in this process, too; processes that it starts itself; what it prints,
which is lost. It is a limit, no sandbox: the verifier has all rights that this process has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from steplabel.schemas import ConfigError, Problem, Reason, Solution, Verdict
from steplabel.schemas.codec import from_builtins, to_builtins
from steplabel.verifiers.port import Claim, Finding, InformedVerifier, SiblingVerifier, Verifier, decided
from steplabel.verifiers.registry import AnyVerifier, verifier_named
from steplabel.verifiers.workers.frames import Message
from steplabel.verifiers.workers.pool import Reply, WorkerLimits, pool_for

TASK = "steplabel.verifiers.bounded:decide"
MIN_MEMORY_MB = 256
_MAX_TOLD = 2_000


class VerifierRaisedError(Exception):
    """The verifier raised in its process; the text is its error's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """A verifier that stops.

    Attributes:
        made_by: the verifier, or the class or function that makes it with its usual options.
        strict: with its option of this name, where it has one.
        timeout_s: wall-clock seconds for one solution.
        memory_mb: the process's address space; `MIN_MEMORY_MB` or more.
        workers: processes that this process may start.

    Raises:
        ConfigError: a limit that nothing could keep; no such verifier, or one that is not covered.
    """

    made_by: str
    strict: bool = False
    timeout_s: float = 30.0
    memory_mb: int = 2_048
    workers: int = 1

    def __post_init__(self) -> None:
        if self.timeout_s <= 0 or self.memory_mb < MIN_MEMORY_MB or self.workers < 1:
            raise ConfigError(
                f"timeout_s={self.timeout_s} and workers={self.workers} must be above 0, memory_mb={self.memory_mb} "
                f"at least {MIN_MEMORY_MB}"
            )
        _inner(self.made_by, self.strict)

    @property
    def name(self) -> str:
        """The verifier's own."""
        return _inner(self.made_by, self.strict).name

    @property
    def version(self) -> str:
        """The verifier's own: limits keep findings back and change none."""
        return _inner(self.made_by, self.strict).version

    @property
    def domains(self) -> frozenset[str]:
        """The verifier's own."""
        return _inner(self.made_by, self.strict).domains

    @property
    def budget(self) -> str:
        """What it could have used."""
        return f"{self.timeout_s:g} s, {self.memory_mb} MB"

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[Finding]]:
        """The verifier's claims, decided already; where it was stopped, one about the solution itself.

        Raises:
            VerifierRaisedError: it raised.
        """
        reply = self._ask(problem, solution)
        if reply.failed:
            stopped = Finding(verdict=Verdict.UNKNOWN, reason=reply.failed, budget=self.budget)
            yield Claim(subject=solution.id, body=stopped)
            return
        if "raised" in reply.answer:
            raise VerifierRaisedError(reply.answer["raised"])
        for subject, quote, finding in reply.answer["decided"]:
            yield Claim(subject=subject, body=from_builtins(finding, Finding), quote=quote)

    def verify(self, claim: Claim[Finding]) -> Finding:
        """What was found already."""
        return claim.body

    def _ask(self, problem: Problem, solution: Solution) -> Reply:
        limits = WorkerLimits(timeout_s=self.timeout_s, memory_mb=self.memory_mb, workers=self.workers)
        question = {
            "made_by": self.made_by,
            "strict": self.strict,
            "problem": to_builtins(problem),
            "solution": to_builtins(solution),
        }
        try:
            return pool_for(TASK, limits).ask(question)
        except ValueError as error:  # longer than a frame
            return Reply(failed=f"{Reason.BUDGET}: {error}")


def bounded_named(names: Sequence[str], *, strict: bool = False, timeout_s: float | None) -> tuple[AnyVerifier, ...]:
    """As `registry.verifier_named`, of each name; users' own bounded, if there is a limit.

    Ours bound themselves: names without a colon stay as they are.

    Raises:
        ConfigError: there is no such verifier; or it cannot be bounded, or there is none to bound.
    """
    if timeout_s is None:
        return tuple(verifier_named(name, strict=strict) for name in names)
    if not any(":" in name for name in names):
        raise ConfigError(f"--verifier-timeout {timeout_s:g} is for verifiers of your own: those here bound themselves")
    return tuple(
        Bounded(made_by=name, strict=strict, timeout_s=timeout_s)
        if ":" in name
        else verifier_named(name, strict=strict)
        for name in names
    )


@lru_cache(maxsize=64)
def _inner(made_by: str, strict: bool) -> Verifier[Any]:
    made = verifier_named(made_by, strict=strict)
    if isinstance(made, SiblingVerifier | InformedVerifier):
        raise ConfigError(f"verifier {made_by!r} compares solutions or reads observations: it cannot be bounded")
    return made


def decide(question: Message) -> Message:
    """The worker's side: `{"decided": [[subject, quote, finding], ...]}`, or `{"raised": ...}`."""
    try:
        verifier = _inner(question["made_by"], question["strict"])
        claims = tuple(
            verifier.claims(
                from_builtins(question["problem"], Problem),
                from_builtins(question["solution"], Solution),
            )
        )
        found = zip(claims, decided(verifier, claims), strict=True)
        return {"decided": [[claim.subject, claim.quote, to_builtins(finding)] for claim, finding in found]}
    except (MemoryError, RecursionError):
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - users' code may raise anything; it is told as one
        return {"raised": f"{type(error).__name__}: {error}"[:_MAX_TOLD]}
