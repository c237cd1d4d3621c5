"""Questions and answers as messages between a process and its worker."""

from __future__ import annotations

from typing import Any

from steplabel.schemas.codec import from_builtins, to_builtins
from steplabel.verifiers.entailment.answer import Answer
from steplabel.verifiers.entailment.question import Assumption, Declared, Entailment, Sort
from steplabel.verifiers.expressions.json_form import formula_from_json, formula_to_json
from steplabel.verifiers.workers.frames import Message


def question_to_message(question: Entailment) -> Message:
    """A question without what the solver need not know: what its step was meant to do.

    Recursive: it must have been checked.
    """
    return {
        "names": [[declared.name, str(declared.sort)] for declared in question.declarations],
        "assume": [[one.label, formula_to_json(one.formula)] for one in question.assumptions],
        "claim": formula_to_json(question.claim),
    }


def question_from_message(message: Message) -> Entailment:
    """Read one back.

    Raises:
        DataError: a formula is out of the bounds of the JSON form, or a name is none that it can write.
    """
    return Entailment(
        declarations=tuple(Declared(name=name, sort=Sort(sort)) for name, sort in message["names"]),
        assumptions=tuple(
            Assumption(label=label, formula=formula_from_json(formula)) for label, formula in message["assume"]
        ),
        claim=formula_from_json(message["claim"]),
    )


def answer_to_message(answer: Answer) -> Message:
    """An answer as plain values."""
    return to_builtins(answer)


def answer_from_message(message: Any) -> Answer:
    """Read one back.

    Raises:
        DataError: it is not one.
    """
    return from_builtins(message, Answer)
