"""CheckAnswers: say of every solution whether its final answer is right, where nobody has said so yet."""

from __future__ import annotations

from dataclasses import replace

import apache_beam as beam

from steplabel.schemas import CheckedOutcome, Evidence, FinishReason, GoldAnswer, Outcome, Reason, Solution
from steplabel.verifiers import AnswerChecker


def judge(
    checker: AnswerChecker, subject: str, text: str, gold: GoldAnswer | None, finish: FinishReason
) -> CheckedOutcome:
    """The outcome of one text; unknown (`no_gold`) where the data set states no answer to compare with."""
    if gold is not None:
        return checker.outcome(subject, text, gold, finish_reason=finish)
    return CheckedOutcome(
        subject=subject,
        checker=checker.name,
        checker_version=checker.version,
        outcome=Outcome.UNKNOWN,
        reason=Reason.NO_GOLD,
    )


def check_answers(evidence: Evidence, checker: AnswerChecker) -> Evidence:
    """Add our outcome of every solution that has none, and its final answer.

    What the data set itself says of a solution is kept beside ours; where there is no gold answer, it stands alone.
    """
    no_gold = evidence.problem.gold is None
    spoken = {outcome.subject for outcome in evidence.outcomes if no_gold or outcome.checker == checker.name}
    fresh = [_judged(evidence, s, checker) for s in evidence.solutions if s.id not in spoken]
    return _with_outcomes(evidence, (*evidence.outcomes, *fresh))


def recheck_answers(evidence: Evidence, checker: AnswerChecker) -> Evidence:
    """Judge every stored text again, solutions and rollouts alike; what other checkers said is kept.

    Where there is no gold answer, or a rollout's prefix is not known, there is nothing to judge by, and everything
    stays as it is.
    """
    if evidence.problem.gold is None:
        return evidence
    begun = _prefixes(evidence)
    outcomes = [_judged(evidence, solution, checker) for solution in evidence.solutions]
    for rollout in evidence.rollouts:
        if (prefix := begun.get(rollout.node_key)) is not None:
            text = prefix + rollout.probe + rollout.text
            outcomes.append(judge(checker, rollout.key, text, evidence.problem.gold, rollout.finish_reason))
    judged = {outcome.subject for outcome in outcomes}
    kept = (o for o in evidence.outcomes if o.checker != checker.name or o.subject not in judged)
    return _with_outcomes(evidence, (*kept, *outcomes))


def _prefixes(evidence: Evidence) -> dict[str, str]:
    """By node key, the text of each prefix of a solution.

    A search may keep rollouts of prefixes that lie on none of its solutions: their texts are not known here.
    """
    prefixes = {key: s.prefix(i) for s in evidence.solutions for i, key in enumerate(s.node_keys, start=1)}
    return prefixes | {evidence.problem.root_key: ""}


def _judged(evidence: Evidence, solution: Solution, checker: AnswerChecker) -> CheckedOutcome:
    finish = FinishReason(solution.finish_reason or FinishReason.STOP)
    return judge(checker, solution.id, solution.text, evidence.problem.gold, finish)


def _with_outcomes(evidence: Evidence, outcomes: tuple[CheckedOutcome, ...]) -> Evidence:
    answers = {outcome.subject: outcome.answer for outcome in outcomes if outcome.answer is not None}
    solutions = tuple(replace(s, final_answer=answers.get(s.id, s.final_answer)) for s in evidence.solutions)
    return replace(evidence, solutions=solutions, outcomes=outcomes)


def in_one_voice(evidence: Evidence, checker: str) -> Evidence:
    """Leave out what other checkers say of subjects that `checker` has judged: labels follow one rule throughout."""
    judged = {outcome.subject for outcome in evidence.outcomes if outcome.checker == checker}
    kept = tuple(o for o in evidence.outcomes if o.checker == checker or o.subject not in judged)
    return replace(evidence, outcomes=kept)


class CheckAnswers(beam.PTransform):  # type: ignore[misc]
    """Problems with solutions -> the same with an outcome for every solution."""

    def __init__(self, checker: AnswerChecker) -> None:
        super().__init__()
        self.checker = checker

    def expand(self, problems: beam.PCollection) -> beam.PCollection:
        """Wire one map."""
        return problems | "Check" >> beam.Map(check_answers, self.checker).with_output_types(Evidence)
