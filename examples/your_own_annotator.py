"""Write an annotator in thirty lines and step through it with a plain function as the model.

    python examples/your_own_annotator.py

An annotator is a generator: it yields what it wants to know, is sent the answer, and returns what it found. It holds no
model, so the very same code runs here, in a test, and thousands at once inside a pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from steplabel.annotators.annotation import Annotation, AnnotationStatus
from steplabel.annotators.effects import Program, Sample, Samples
from steplabel.annotators.stepping import answer_by, samples_with
from steplabel.schemas import (
    CheckedOutcome,
    GoldAnswer,
    Outcome,
    Problem,
    SamplingParams,
    Solution,
    derive_seed,
    make_solution,
)
from steplabel.schemas.segmentation import NewlineSteps


@dataclass(frozen=True, slots=True, kw_only=True)
class MiddleProbe:
    """Asks one question: can the middle of the solution still lead to the right answer?"""

    name: ClassVar[str] = "middle_probe"
    version: ClassVar[str] = "1"

    k: int = 4

    def program(
        self, problem: Problem, solution: Solution, outcome: CheckedOutcome | None, *, seed: int
    ) -> Program[Annotation]:
        """Sample k completions of the first half."""
        middle = max(1, len(solution.steps) // 2)
        key = solution.node_keys[middle - 1]
        answer: Samples = yield Sample(
            problem=problem,
            node_key=key,
            prefix=solution.prefix(middle),
            n=self.k,
            sampling=SamplingParams(max_tokens=160),
            seed=derive_seed(seed, key),
        )
        return Annotation(status=AnnotationStatus.COMPLETE, rollouts=answer.rollouts, outcomes=answer.outcomes)

    def most_samples(self, steps: int) -> int:
        """One question, however long the solution is."""
        return self.k


def main() -> None:
    """Step through it: the model is a function that finishes right from a prefix without the wrong 9."""
    problem = Problem(id="p", text="What is 2+3, doubled?", gold=GoldAnswer(text="10"))
    solution = make_solution(problem, NewlineSteps().split("2+3=5\n5*2=9\nAnswer: 9"))

    def model(question: Sample) -> Samples:
        right = Outcome.WRONG if "9" in question.prefix else Outcome.CORRECT
        return samples_with(question, [right] * question.n)

    found = answer_by(MiddleProbe().program(problem, solution, None, seed=0), model)
    print(f"{found.status}: {[str(checked.outcome) for checked in found.outcomes]}")


if __name__ == "__main__":
    main()
