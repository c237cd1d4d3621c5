"""How likely the model finds the gold answer after each step (IGPO, Wang et al. 2025, arXiv:2510.14967).

Behind each prefix stands a lead such as "Answer: ", and behind that the gold answer; the model is asked for the
probability of its tokens, and generates nothing. The paper's information gain of a step is the change of

    exp(log p(gold | prefix, lead) / tokens of gold)

from the prefix before it: the geometric mean over the tokens, so that long answers are not small ones. It is the
observation's score; the sums and both changes are in its evidence.

Covered: every prefix the policy wrote but the last, and the bare problem, without which the first step has no change.
Not covered: answers that have no text to score (unit tests, formal goals), which are skipped; other spellings of the
same answer, which get none of the probability.

Deviations. IGPO scores the turns of a search agent, here it is the steps of a solution. As there, the last one is not
scored, since it gives the answer away: an observation of source `outcome` on its node says how the solution ended. The
paper's lead is its own agent's format; here it is a setting.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from steplabel.annotators.annotation import Annotation, AnnotationStatus
from steplabel.annotators.asking.prefix import check_belong, labelable_depths
from steplabel.annotators.effects import Concurrently, Finished, Program, Score, Scored
from steplabel.annotators.ending import ending, failure_reason
from steplabel.annotators.outcome_claim import outcome_observation
from steplabel.schemas import (
    BudgetExhausted,
    CheckedOutcome,
    EngineError,
    GoldAnswer,
    Observation,
    Problem,
    Reason,
    Solution,
)
from steplabel.schemas.codec import to_json

ScoreAnswer: TypeAlias = Scored | EngineError | BudgetExhausted
"""What came back for one prefix: a score, or what kept it from coming."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldLikelihood:
    """How likely the gold answer was behind one prefix: the evidence of its observation, as JSON.

    Attributes:
        logprob: natural logarithm of its probability, summed over its `tokens`.
        change: of the geometric mean probability of a token since the prefix before: IGPO's information gain.
        logprob_change: of `logprob` since the prefix before. Both None where either prefix has no score.
        completer: `ModelIdentity.id` of the model that was asked.
    """

    lead: str
    completer: str
    logprob: float
    tokens: int
    change: float | None
    logprob_change: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldLogprob:
    """Score the gold answer behind every prefix, all prefixes at once. Needs an engine with prompt logprobs.

    Attributes:
        lead: text between prefix and gold answer; empty for none.
        closing: text scored behind the gold answer, such as a line end or a brace. Without it "7" is as likely as
            all answers that begin with it, 72 among them, where numbers are read digit by digit.
        ask_root: score it behind the bare problem too.
    """

    name: ClassVar[str] = "gold_logprob"
    version: ClassVar[str] = "1"

    lead: str = "Answer: "
    closing: str = ""
    ask_root: bool = True

    def program(
        self,
        problem: Problem,
        solution: Solution,
        outcome: CheckedOutcome | None,
        *,
        seed: int,  # noqa: ARG002
    ) -> Program[Annotation]:
        """Return a program that annotates one solution: see `Annotator.program`. Nothing is drawn: no seed."""
        check_belong(problem, solution, outcome)
        depths = labelable_depths(solution)
        if not depths:
            return Annotation(status=AnnotationStatus.SKIPPED, detail="no step of it is the policy's own")
        gold = problem.gold
        if gold is None or not gold.text:
            return Annotation(status=AnnotationStatus.SKIPPED, detail=f"{Reason.NO_GOLD}: no gold answer to score")
        wanted = (0, *depths[:-1]) if self.ask_root else depths[:-1]
        asked: tuple[Finished[int, ScoreAnswer], ...] = yield Concurrently(
            programs=tuple(_score(self._question(problem, gold, solution, depth)) for depth in wanted)
        )
        answers = [branch.unwrap() for branch in asked]
        status, detail = ending([None if isinstance(answer, Scored) else answer for answer in answers])
        nodes = [solution.node_keys[depth - 1] if depth else problem.root_key for depth in wanted]
        last = outcome_observation(solution.node_keys[depths[-1] - 1], outcome)
        return Annotation(status=status, observations=(*self._observations(nodes, answers), last), detail=detail)

    def most_samples(self, steps: int) -> int:
        """One score a prefix; each reads the prefix twice and generates next to nothing."""
        return max(0, steps - 1) + self.ask_root

    def _question(self, problem: Problem, gold: GoldAnswer, solution: Solution, depth: int) -> Score:
        return Score(
            problem=problem,
            node_key=solution.node_keys[depth - 1] if depth else problem.root_key,
            prefix=solution.prefix(depth) + self.lead,
            prefix_ids=solution.token_ids if depth else (),
            continuation=gold.text + self.closing,
        )

    def _observations(self, nodes: Sequence[str], answers: Sequence[ScoreAnswer]) -> tuple[Observation, ...]:
        before = [None, *answers[:-1]]
        return tuple(
            self._observation(node, answer, earlier)
            for node, answer, earlier in zip(nodes, answers, before, strict=True)
        )

    def _observation(self, node: str, answer: ScoreAnswer, before: ScoreAnswer | None) -> Observation:
        if not isinstance(answer, Scored):
            return Observation(
                subject=node, source=self.name, source_version=self.version, reason=failure_reason(answer)
            )
        known = before if isinstance(before, Scored) else None
        evidence = GoldLikelihood(
            lead=self.lead,
            completer=answer.completer,
            logprob=answer.logprob,
            tokens=answer.tokens,
            change=_likelihood(answer) - _likelihood(known) if known else None,
            logprob_change=answer.logprob - known.logprob if known else None,
        )
        return Observation(
            subject=node,
            source=self.name,
            source_version=self.version,
            score=_likelihood(answer),
            evidence=to_json(evidence).decode(),
        )


def _score(question: Score) -> Program[ScoreAnswer]:
    try:
        answer: Scored = yield question
    except (EngineError, BudgetExhausted) as error:
        return error
    return answer


def _likelihood(scored: Scored) -> float:
    """Geometric mean of the tokens' probabilities."""
    return min(1.0, math.exp(scored.logprob / scored.tokens))
