"""The parent's side: questions go to a killable worker, in batches; what went wrong there is an answer, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from steplabel.schemas import ConfigError
from steplabel.schemas.codec import to_json
from steplabel.verifiers.entailment.answer import Answer
from steplabel.verifiers.entailment.question import Entailment
from steplabel.verifiers.entailment.wire import answer_from_message, question_to_message
from steplabel.verifiers.workers.frames import Message
from steplabel.verifiers.workers.pool import Reply, WorkerLimits, WorkerPool, pool_for

CHECK = "steplabel.verifiers.entailment.z3_task:check"
TOOL = "z3"
_BATCH = 32
_BATCH_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Solver:
    """Z3 in workers of its own.

    Attributes:
        rlimit: Z3's resource units for each check of a question, of which there are up to four and one for each
            assumption. Units are no time: 200,000 took a third of a second to two seconds where they ran out.
        timeout_s: wall-clock time of a question, or of a batch that is then asked one by one. Past it the worker is
            killed; it is there for what no resource unit counts, and far above what the units allow.
        memory_mb: address space of a worker.
        workers: processes that this process may start.
    """

    rlimit: int = 200_000
    timeout_s: float = 20.0
    memory_mb: int = 1_024
    workers: int = 1

    def __post_init__(self) -> None:
        if self.rlimit < 1 or self.timeout_s <= 0 or self.workers < 1:
            raise ConfigError(
                f"rlimit={self.rlimit}, timeout_s={self.timeout_s} and workers={self.workers} must all be above 0"
            )

    @property
    def budget(self) -> str:
        """What a check could have used."""
        return f"rlimit {self.rlimit}"

    @property
    def tool_version(self) -> str:
        """Of Z3."""
        return version("z3-solver")

    def decide(self, questions: Sequence[Entailment]) -> list[Answer | str]:
        """Decide checked questions, in order. Where the worker failed, the entry is a `Reason`.

        A batch that fails is asked again one by one, so that only the question that did it is quarantined.
        """
        found: list[Answer | str] = []
        for batch in _batches([question_to_message(question) for question in questions]):
            reply = self._ask(batch)
            if reply.failed and len(batch) > 1:
                for message in batch:
                    found += _answers(self._ask([message]), 1)
            else:
                found += _answers(reply, len(batch))
        return found

    def _ask(self, batch: list[Message]) -> Reply:
        return self.pool().ask({"questions": batch, "rlimit": self.rlimit})

    def pool(self) -> WorkerPool:
        """The workers; they are shared by all solvers with the same limits."""
        limits = WorkerLimits(timeout_s=self.timeout_s, memory_mb=self.memory_mb, workers=self.workers)
        return pool_for(CHECK, limits)


def _answers(reply: Reply, count: int) -> list[Answer | str]:
    if reply.failed:
        return [reply.failed] * count
    return [answer_from_message(answer) for answer in reply.answer["answers"]]


def _batches(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Cut into pieces that are neither many nor long."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        length = len(to_json(message))
        if batch and (len(batch) >= _BATCH or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield batch
