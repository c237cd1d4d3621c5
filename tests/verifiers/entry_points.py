"""Where text from outside enters the verifiers: each gets every hostile text, and is fuzzed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from steplabel.schemas import AnswerType, DataError, GoldAnswer, Observation, Problem, Solution, make_solution
from steplabel.schemas.solution import Step
from steplabel.verifiers import AnswerChecker, SiblingVerifier, observe
from steplabel.verifiers.expressions.reading import read_chain, read_terms
from steplabel.verifiers.logic.notation import Unreadable, read_formula
from steplabel.verifiers.logic.proofs import read_step, read_task
from steplabel.verifiers.registry import ENTRIES, verifier_named

EntryPoint = Callable[[str], object]

_OFFLINE = AnswerChecker(use_worker=False)


def _formula(text: str) -> object:
    try:
        return read_formula(text)
    except Unreadable:
        return None


def _solution(problem: Problem, texts: Sequence[str], index: int = 0) -> Solution:
    return make_solution(problem, tuple(Step(text=text) for text in texts if text), index=index)


def judged(name: str) -> Callable[[str], tuple[Observation, ...]]:
    """What a verifier of ours says of a text that stands in the problem, in a step, and in a step behind others."""
    verifier = verifier_named(name)
    example = ENTRIES[name]

    def ask(text: str) -> tuple[Observation, ...]:
        try:
            problem = Problem(id="p", text=f"{example.question}\n{text}", domain=min(verifier.domains, default=""))
            solution = _solution(problem, [f"{step}\n" for step in example.steps] + [text, f"so {text} = 5"])
            sibling = _solution(problem, [text, "7 = 7"], 1)
        except DataError:  # records refuse it before any verifier sees it
            return ()
        if isinstance(verifier, SiblingVerifier):
            return verifier.compare(problem, (solution, sibling))
        return observe(verifier, problem, solution)

    return ask


ENTRY_POINTS: Mapping[str, EntryPoint] = {
    "answers": lambda text: _OFFLINE.check(text, GoldAnswer(text="18", type=AnswerType.EXPRESSION)),
    "terms": read_terms,
    "chain": read_chain,
    "formula": _formula,
    "proof step": read_step,
    "logic task": read_task,
    **{name: judged(name) for name in ENTRIES},
}
"""By name, what is done with a text; the formalisation's is in tests/annotators."""
