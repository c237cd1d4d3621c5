"""The worker's side: questions in, answers out, Z3 in between.

A linear question is first tried in a context that all share: contexts take milliseconds to make, such questions
microseconds to decide. What holds, is refuted or inconsistent there is so for good. Where a model is to be shown, and
where products or powers of names are in it, a question has a context of its own: there the same question always ends
alike, while nonlinear ones in a context with a past were seen to run for minutes.
"""

from __future__ import annotations

import z3

from steplabel.schemas import DataError
from steplabel.verifiers.entailment.answer import Answer, Status
from steplabel.verifiers.entailment.lane import Lane
from steplabel.verifiers.entailment.linear import is_linear
from steplabel.verifiers.entailment.procedure import alone, decide
from steplabel.verifiers.entailment.question import Entailment
from steplabel.verifiers.entailment.wire import answer_to_message, question_from_message
from steplabel.verifiers.workers.frames import Message
from steplabel.verifiers.workers.z3_memory import limit_memory, memory_errors, words_of

_SHARED_FOR = 500
"""Questions, before the shared context is left: it keeps every name it has met."""
_FOR_GOOD = frozenset({Status.HOLDS, Status.REFUTED, Status.INCONSISTENT, Status.UNSUPPORTED})


class _Shared:
    """The lane that questions share, and how many it has seen."""

    def __init__(self, rlimit: int) -> None:
        self.rlimit, self.seen = rlimit, 0
        self.lane = Lane(rlimit=rlimit)


_shared: list[_Shared] = []


def check(message: Message) -> Message:
    """Decide `{"questions": [...], "rlimit": units a check}`: `{"answers": [...]}` in the same order.

    Raises:
        MemoryError: Z3 met its limit; this process must not be asked again.
    """
    limit_memory()
    rlimit: int = message["rlimit"]
    return {"answers": [answer_to_message(_answer(question, rlimit)) for question in message["questions"]]}


def _answer(message: Message, rlimit: int) -> Answer:
    try:
        question = question_from_message(message)
    except DataError as error:
        return Answer(status=Status.UNSUPPORTED, detail=str(error))
    try:
        with memory_errors():
            return decide_quickly(question, rlimit)
    except z3.Z3Exception as error:
        _shared.clear()
        return Answer(status=Status.UNSUPPORTED, detail=words_of(error))


def decide_quickly(question: Entailment, rlimit: int) -> Answer:
    """Decide a checked question in the shared context if that is quick and safe, or else in one of its own."""
    if is_linear(question):
        answer = decide(question, _lane(rlimit), models=False)
        if answer.status in _FOR_GOOD:
            return answer
    return alone(question, rlimit=rlimit)


def _lane(rlimit: int) -> Lane:
    if not _shared or _shared[0].rlimit != rlimit or _shared[0].seen >= _SHARED_FOR:
        _shared[:] = [_Shared(rlimit)]
    _shared[0].seen += 1
    return _shared[0].lane
