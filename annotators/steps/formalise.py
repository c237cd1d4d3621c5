"""Have a model write a solution down as formulas: what is given, and what each step claims.

FoVer (arXiv:2505.15960) has models formalise steps and a prover judge them. Here the model writes JSON, never code:
names with sorts, what the problem gives, and one claim for each thing that a step asserts. The verifier
`z3_formalisation` reads it and has every claim decided; this program only asks, and takes the JSON out of the answer.

Covered: one answer a solution, kept as the evidence of one observation on the solution, without a verdict.
Not covered: whether the formulas say what the text says. A model that formalises wrongly makes right steps fail, so
measure it on solutions that are known to be right before its verdicts are trusted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from steplabel.annotators.annotation import Annotation, AnnotationStatus
from steplabel.annotators.asking.prefix import check_belong, prefix_seed
from steplabel.annotators.effects import Program, Sample, Samples
from steplabel.annotators.ending import failure_reason, status_of
from steplabel.schemas import (
    BudgetExhausted,
    CheckedOutcome,
    ConfigError,
    ContentPart,
    EngineError,
    Message,
    Observation,
    Problem,
    Reason,
    Role,
    SamplingParams,
    Solution,
    content_problem_id,
)

FORMALISED: Final = "formalised"
"""Reason of an observation whose evidence is a formalisation: no verdict, until a verifier has read it."""

MAX_ANSWER_CHARS = 200_000
MAX_OBJECT_CHARS = 64_000
MAX_DEPTH = 80
_MAX_CANDIDATES = 16

INSTRUCTIONS: Final = """\
Write the solution below as formulas. Answer with one JSON object and nothing else:

{"declarations": [{"name": "x", "sort": "Int"}],
 "assumptions": [{"label": "given 1", "formula": {"op": "=", "args": [{"op": "+", "args": [{"name": "x"}, 3]}, 11]}}],
 "steps": [{"step": 1, "claim": {"op": "=", "args": [{"name": "x"}, 8]}, "cites": ["given 1"], "kind": "derivation"}]}

declarations: every quantity once, by a name of its own; "sort" is "Int", "Real" or "Bool".
assumptions: what the problem gives, as it says it, and nothing that the solution found out.
steps: what each step asserts, exactly as it is written, even where it is wrong. Leave out what is no formula.
  "step": the step's number. "cites": labels of assumptions and numbers of earlier steps that it rests on, as text;
  leave it out if you cannot tell. "kind": "derivation" if it is to follow from what came before, "modelling" if it
  names a new quantity or puts the problem's words into a formula.
A formula is {"op": ..., "args": [...]} with "=", "!=", "<", "<=", ">" or ">=" and two terms, or with "and", "or",
"not", "implies" or "iff" and formulas. A term is an integer, a number as text such as "1/3" or "0.25", {"name": ...},
or {"op": ..., "args": [...]} with + - * / ** neg // % root abs min max and terms.

Problem:
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formalise:
    """Ask once for each solution.

    Attributes:
        instructions: put in front of problem and solution.
        sampling: of the answer; it needs room for some hundred tokens a step.
        chat: ask by a user turn; otherwise as plain text, which a prompt template of the run is put around.
    """

    name: ClassVar[str] = "formalisation"
    version: ClassVar[str] = "2"

    instructions: str = INSTRUCTIONS
    sampling: SamplingParams = SamplingParams(temperature=0.0, max_tokens=4_096)
    chat: bool = True

    def __post_init__(self) -> None:
        if not self.instructions.strip():
            raise ConfigError("a formalisation needs instructions: the model must be told what to write")

    def program(
        self, problem: Problem, solution: Solution, outcome: CheckedOutcome | None, *, seed: int
    ) -> Program[Annotation]:
        """Return a program that annotates one solution: see `Annotator.program`."""
        check_belong(problem, solution, outcome)
        asked = self._question(problem, solution)
        try:
            samples: Samples = yield Sample(
                problem=asked,
                node_key=asked.root_key,
                prefix="",
                n=1,
                sampling=self.sampling,
                seed=prefix_seed(seed, asked.root_key),
            )
        except (EngineError, BudgetExhausted) as error:
            failed = self._observation(solution, reason=failure_reason(error))
            return Annotation(status=status_of(error), observations=(failed,), detail=str(error))
        rollout = samples.rollouts[0]
        found = formalisation_in(rollout.text)
        observation = self._observation(
            solution,
            reason=Reason.UNPARSABLE if found is None else FORMALISED,
            evidence=found or "",
            completer=rollout.completer,
            tokens=rollout.completion_tokens,
        )
        return Annotation(status=AnnotationStatus.COMPLETE, observations=(observation,))

    def most_samples(self, steps: int) -> int:
        """One answer a solution, however many steps it has."""
        return min(steps, 1)

    def _question(self, problem: Problem, solution: Solution) -> Problem:
        """The request as a problem of its own, so that its answer is never counted among the problem's solutions."""
        steps = "\n".join(f"[step {number}] {step.text.strip()}" for number, step in enumerate(solution.steps, 1))
        text = f"{self.instructions}{problem.text}\n\nSolution:\n{steps}\n"
        turns = (Message(role=Role.USER, parts=(ContentPart(text=text),)),) if self.chat else ()
        return Problem(id=content_problem_id(text, turns), text=text, messages=turns)

    def _observation(
        self, solution: Solution, *, reason: str, evidence: str = "", completer: str = "", tokens: int = 0
    ) -> Observation:
        return Observation(
            subject=solution.id,
            source=self.name,
            source_version=self.version,
            reason=reason,
            evidence=evidence,
            tool_version=completer,
            cost_tokens=tokens,
        )


def formalisation_in(answer: str) -> str | None:
    """Take the JSON object with "steps" out of an answer, written anew without blanks; None if there is none.

    None also where several differ: which of them is meant, a draft, an example repeated or the last, nobody says. Only
    their outlines are looked at. Never raises: lengths, depth and the number of tries are bounded.
    """
    found = {one for one in map(_outlined, _objects(answer[:MAX_ANSWER_CHARS])) if one is not None}
    return found.pop() if len(found) == 1 else None


def _outlined(candidate: str) -> str | None:
    try:
        found = json.loads(candidate, parse_constant=_refuse)
    except ValueError:  # no JSON, NaN, or an integer with thousands of digits
        return None
    if not isinstance(found.get("steps"), list):
        return None
    return json.dumps(found, separators=(",", ":"), ensure_ascii=True)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _objects(text: str) -> Iterator[str]:
    """Texts between a brace and the one that closes it, from left to right."""
    start = text.find("{")
    for _ in range(_MAX_CANDIDATES):
        if start < 0:
            return
        end = _closing(text, start)
        if end is not None:
            yield text[start : end + 1]
        start = text.find("{", start + 1 if end is None else end + 1)


def _closing(text: str, start: int) -> int | None:
    """Where the brace at `start` is closed; None if nowhere, or only past the bounds."""
    depth, quoted, escaped = 0, False, False
    for at in range(start, min(len(text), start + MAX_OBJECT_CHARS)):
        sign = text[at]
        if quoted:
            quoted = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                return None
        elif sign in "]}":
            depth -= 1
            if depth == 0:
                return at
    return None
