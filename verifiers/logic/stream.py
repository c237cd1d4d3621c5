"""Generated problems and solutions as the records that flow through the pipeline, each step's truth beside them.

    for problem in logic_problems(1000, seed=0): ...
    for written in logic_solutions(1000, seed=0): written.solution, written.holds

Streaming and repeatable: equal arguments give equal records, and a longer stream begins like a shorter one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from steplabel.schemas import (
    NO_ERROR,
    AnswerType,
    GivenSteps,
    GoldAnswer,
    GoldSteps,
    Problem,
    Solution,
    content_id,
    derive_seed,
    make_solution,
)
from steplabel.verifiers.logic.corruption import CorruptedProof, Corruption, corrupt
from steplabel.verifiers.logic.dials import LogicDials
from steplabel.verifiers.logic.generation import GeneratedLogic, generate
from steplabel.verifiers.logic.proofs import ProofLabel, ProofStep, Surface, write_answer, write_step, write_task

DOMAIN = "logic"
SOURCE = "steplabel-logic"
LICENCE = "Apache-2.0"
_LINES = GivenSteps(separator="\n")
_CLEAN = "generator"

_TASK = (
    "Decide whether the hypothesis can be proved or disproved from the facts, or whether they leave it unknown. Write "
    "one step a line: the facts and earlier steps that it follows from, its name (int1, int2, ...), and what it "
    'concludes; do not argue by contradiction. End with "The final answer is PROVED", "The final answer is DISPROVED" '
    'or "The final answer is UNKNOWN".'
)
_NOTATION = (
    "Names in braces: predicates and propositions, and behind a predicate the thing it is said of. & is and, v is or, "
    "¬ is not, -> is implies, (x) is for all x, (Ex) is for some x. A step looks like this: fact1 & int2 -> int3: ..."
)
_SENTENCES = "A step looks like this: From fact1 and int2 follows int3: ..."


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicSolution:
    """A solution whose truth is known.

    Attributes:
        holds: for each step whether it follows from what it cites; for the last one, whether the final answer is right.
        corruption: what was done to it; None for a clean proof.
    """

    problem: Problem
    solution: Solution
    holds: tuple[bool, ...]
    corruption: Corruption | None

    @property
    def first_error(self) -> int:
        """0-based index of the wrong step; -1 if there is none."""
        return NO_ERROR if all(self.holds) else self.holds.index(False)

    def gold_steps(self) -> GoldSteps:
        """What label quality is measured against."""
        return GoldSteps(
            id=self.solution.id,
            problem=self.problem.text,
            steps=tuple(step.text.rstrip("\n") for step in self.solution.steps),
            first_error=self.first_error,
            generator=self.solution.policy,
            final_answer_correct=self.holds[-1],
            source=SOURCE,
        )


_DEFAULT = LogicDials()


def logic_problems(count: int, *, seed: int, dials: LogicDials = _DEFAULT) -> Iterator[Problem]:
    """Problems with gold label (`PROVED`, `DISPROVED`, `UNKNOWN`) and the proof as reference solution."""
    for number in range(count):
        yield _problem(generate(seed=seed, number=number, dials=dials), seed, number, dials)


def logic_solutions(
    count: int, *, seed: int, dials: LogicDials = _DEFAULT, corrupted: int = 1
) -> Iterator[LogicSolution]:
    """For each of `count` problems its clean proof, then up to `corrupted` corrupted ones of different kinds.

    The problems are those of `logic_problems`. Fewer corruptions come where a proof has no step that fits one.
    """
    for number in range(count):
        generated = generate(seed=seed, number=number, dials=dials)
        problem = _problem(generated, seed, number, dials)
        clean = (True,) * (len(generated.steps) + 1)
        solution = _solution(problem, generated.steps, generated.label, generated.surface, policy=_CLEAN)
        yield LogicSolution(problem=problem, solution=solution, holds=clean, corruption=None)
        for proof in corruptions(generated, seed=derive_seed("logic corruption", seed, number), most=corrupted):
            yield LogicSolution(
                problem=problem,
                solution=_solution(
                    problem, proof.steps, proof.answer, generated.surface, policy=f"{_CLEAN}:{proof.kind.value}"
                ),
                holds=tuple(index != proof.wrong for index in range(len(proof.steps) + 1)),
                corruption=proof.kind,
            )


def corruptions(generated: GeneratedLogic, *, seed: int, most: int) -> Iterator[CorruptedProof]:
    """Up to `most` corrupted proofs of different kinds, in random order."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    left = most
    for kind in rng.sample(list(Corruption), len(Corruption)):
        proof = corrupt(generated, kind, rng=rng) if left > 0 else None
        if proof is not None:
            left -= 1
            yield proof


def _problem(generated: GeneratedLogic, seed: int, number: int, dials: LogicDials) -> Problem:
    notation = _SENTENCES if generated.surface is Surface.SENTENCES else _NOTATION
    return Problem(
        id=f"logic-{content_id('dials', dials)[:8]}-{seed}-{number:06d}",
        text=f"{_TASK} {notation}\n\n{write_task(generated.task, generated.surface)}",
        gold=GoldAnswer(text=generated.label.value, type=AnswerType.TEXT, chance=1 / len(ProofLabel)),
        reference_solution="\n".join(_lines(generated.steps, generated.label, generated.surface)),
        domain=DOMAIN,
        source=SOURCE,
        licence=LICENCE,
    )


def _lines(steps: tuple[ProofStep, ...], answer: ProofLabel, surface: Surface) -> list[str]:
    return [*(write_step(step, surface) for step in steps), write_answer(answer)]


def _solution(
    problem: Problem, steps: tuple[ProofStep, ...], answer: ProofLabel, surface: Surface, *, policy: str
) -> Solution:
    lines = _lines(steps, answer, surface)
    return make_solution(problem, _LINES.join(lines), policy=policy, final_answer=answer.value)
