"""Does a conclusion follow from premises? The contract for provers, and three that keep it: tables, Z3, cvc5.

**The contract**, for whoever adds Isabelle, Lean or another server:

- `prove_all(questions)` gives one `Proved` for each `Entailment`, in order, and raises nothing but `ConfigError` (the
  prover is not installed). Time, memory, a lost server and what cannot be expressed are `unknown` with a
  `schemas.Reason`.
- `proved` and `refuted` are certain. A refutation carries a finite `Model`; `certified` evaluates it, and one that does
  not refute, or takes too long to evaluate, becomes `unknown`. A proof may carry its text for people and archives.
- Formulas travel as values. A server that takes text gets it from a printer of ours, never from a model's words.
- Equal questions get equal answers: fixed seeds, budgets in the prover's own steps rather than in seconds where it
  has them. `name`, `version` and `budget` say how to repeat them.
- What may hang or crash runs behind `WorkerPool` (or in a server with a deadline), never in this process.

Not covered: proof checking; `proved` is as good as the prover.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import ClassVar, Protocol, runtime_checkable

from steplabel.schemas import ConfigError, MissingExtra, Reason
from steplabel.verifiers.logic.formulas import Formula
from steplabel.verifiers.logic.semantics import Model, most_steps, refutes
from steplabel.verifiers.logic.tables import decide
from steplabel.verifiers.logic.wire import pack, unpack_model
from steplabel.verifiers.workers.frames import Message
from steplabel.verifiers.workers.pool import WorkerLimits, pool_for

INCONSISTENT = "inconsistent_premises"
"""Why an entailment is unknown whose premises contradict each other: everything would follow."""
MAX_PREMISES = 100
_BATCH = 16
"""Checks in one question to a worker: its wall-clock budget covers them all."""
_MAX_PACKED = 20_000
"""Characters of one check's formulas; a frame holds a batch of the longest."""
MAX_EVALUATED = 200_000
"""Steps of evaluating one countermodel, which happens in this process: 30 quantifiers over two things take 2**30."""


class Status(StrEnum):
    """What a prover says."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Entailment:
    """A question: do these premises entail the conclusion?"""

    premises: tuple[Formula, ...]
    conclusion: Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """An answer.

    Attributes:
        reason: why it is unknown: a `schemas.Reason` or `INCONSISTENT`.
        model: what refutes it: the premises are true in it, the conclusion is not.
        proof: a proof's text, where the prover gives one.
        prover, prover_version, budget: who said it.
    """

    status: Status
    reason: str = ""
    model: Model | None = None
    proof: str = ""
    prover: str = ""
    prover_version: str = ""
    budget: str = ""


@runtime_checkable
class Prover(Protocol):
    """Something that decides entailments, under the contract above."""

    def prove_all(self, questions: Sequence[Entailment]) -> tuple[Proved, ...]:
        """One answer for each question, in their order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProver:
    """Our own truth tables (see `tables`): exact, in this process, for small formulas without equality."""

    def prove_all(self, questions: Sequence[Entailment]) -> tuple[Proved, ...]:
        """As `Prover.prove_all`; larger formulas are `unsupported`."""
        return tuple(map(self._proved, questions))

    @staticmethod
    def _proved(question: Entailment) -> Proved:
        said = decide(question.premises, question.conclusion)
        if said is None:
            return Proved(status=Status.UNKNOWN, reason=Reason.UNSUPPORTED, prover="table")
        if not said.consistent:
            return Proved(status=Status.UNKNOWN, reason=INCONSISTENT, prover="table")
        if said.follows:
            return Proved(status=Status.PROVED, prover="table")
        return certified(Proved(status=Status.REFUTED, model=said.countermodel, prover="table"), question)


@dataclass(frozen=True, kw_only=True)
class SolverProver:
    """A solver in a killable worker process.

    Attributes:
        rlimit: the solver's own units for each of a check's two calls: repeatable, unlike seconds.
        timeout_s: wall-clock seconds for one question of up to 16 checks.
        memory_mb: the worker's address space.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    task: ClassVar[str]

    rlimit: int = 200_000
    timeout_s: float = 20.0
    memory_mb: int = 2_048
    workers: int = 1

    def __post_init__(self) -> None:
        if self.rlimit < 1 or self.timeout_s <= 0 or self.workers < 1:
            raise ConfigError(f"rlimit={self.rlimit}, timeout_s={self.timeout_s}, workers={self.workers}: give more")

    def prove_all(self, questions: Sequence[Entailment]) -> tuple[Proved, ...]:
        """As `Prover.prove_all`: up to 16 at a time; the members of a batch that died are asked one by one.

        Raises:
            MissingExtra: the solver is not installed.
        """
        self._installed_version  # noqa: B018 - raises if there is none
        answers: list[Proved] = []
        pending = iter(questions)
        while batch := list(islice(pending, _BATCH)):
            answers += self._batch(batch)
        return tuple(answers)

    @cached_property
    def _installed_version(self) -> str:
        try:
            return version(self.package)
        except PackageNotFoundError as error:
            raise MissingExtra(feature=f"the prover {self.name} (package {self.package})", extra="dev") from error

    def _batch(self, batch: Sequence[Entailment]) -> Iterator[Proved]:
        packed = [_packed(question) for question in batch]
        asked = [check for check in packed if check is not None]
        replies = iter(self._asked(asked) if asked else ())
        for question, check in zip(batch, packed, strict=True):
            if check is None:
                yield self._said(Status.UNKNOWN, reason=f"{Reason.UNSUPPORTED}: too large")
            else:
                yield certified(self._read(next(replies)), question)

    def _asked(self, checks: list[Message]) -> list[Message]:
        limits = WorkerLimits(timeout_s=self.timeout_s, memory_mb=self.memory_mb, workers=self.workers)
        reply = pool_for(self.task, limits).ask({"checks": checks, "rlimit": self.rlimit})
        if not reply.failed:
            answers: list[Message] = reply.answer["answers"]
            return answers
        if len(checks) == 1:
            return [{"status": "unknown", "why": reply.failed}]
        return [answer for check in checks for answer in self._asked([check])]

    def _read(self, answer: Message) -> Proved:
        match answer["status"]:
            case "proved":
                return self._said(Status.PROVED)
            case "refuted":
                return self._said(Status.REFUTED, model=unpack_model(answer["model"]))
            case "inconsistent":
                return self._said(Status.UNKNOWN, reason=INCONSISTENT)
        why = answer["why"]
        known = why in (Reason.TIMEOUT, Reason.CRASH, Reason.UNSUPPORTED)
        return self._said(Status.UNKNOWN, reason=why if known else f"{Reason.UNDECIDED}: {why}")

    def _said(self, status: Status, *, reason: str = "", model: Model | None = None) -> Proved:
        return Proved(
            status=status,
            reason=reason,
            model=model,
            prover=self.name,
            prover_version=self._installed_version,
            budget=f"rlimit {self.rlimit}",
        )


class Z3Prover(SolverProver):
    """Z3 (a dependency of this package)."""

    name: ClassVar[str] = "z3"
    package: ClassVar[str] = "z3-solver"
    task: ClassVar[str] = "steplabel.verifiers.logic.z3_task:check"


class Cvc5Prover(SolverProver):
    """cvc5, a second opinion: `pip install 'steplabel[dev]'`."""

    name: ClassVar[str] = "cvc5"
    package: ClassVar[str] = "cvc5"
    task: ClassVar[str] = "steplabel.verifiers.logic.cvc5_task:check"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstToAnswer:
    """Provers in turn: each is asked what those before it could not decide for want of means.

    Contradictory premises are an answer: the next prover is not asked about them.
    """

    provers: tuple[Prover, ...]

    def prove_all(self, questions: Sequence[Entailment]) -> tuple[Proved, ...]:
        """As `Prover.prove_all`; the last prover's word stands where none decided."""
        answers: dict[int, Proved] = {}
        for prover in self.provers:
            left = [i for i in range(len(questions)) if i not in answers or _open(answers[i])]
            answers |= dict(zip(left, prover.prove_all([questions[i] for i in left]), strict=True))
        return tuple(answers[i] for i in range(len(questions)))


def _open(answer: Proved) -> bool:
    return answer.status is Status.UNKNOWN and answer.reason != INCONSISTENT


def certified(answer: Proved, question: Entailment) -> Proved:
    """The answer, if its model refutes as it should; otherwise unknown: nobody's refutation is taken on trust."""
    model = answer.model
    if answer.status is not Status.REFUTED:
        return answer
    if model is not None and _steps(question, model) > MAX_EVALUATED:
        reason = f"{Reason.BUDGET}: the countermodel takes too many steps to evaluate"
    elif model is not None and refutes(model, question.premises, question.conclusion):
        return answer
    else:
        reason = f"{Reason.UNDECIDED}: the countermodel does not refute"
    return replace(answer, status=Status.UNKNOWN, reason=reason, model=None)


def _steps(question: Entailment, model: Model) -> int:
    return sum(most_steps(formula, model.size) for formula in (*question.premises, question.conclusion))


def _packed(question: Entailment) -> Message | None:
    if len(question.premises) > MAX_PREMISES:
        return None
    check = {"premises": [pack(premise) for premise in question.premises], "conclusion": pack(question.conclusion)}
    return check if len(str(check)) <= _MAX_PACKED else None
