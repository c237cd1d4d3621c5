"""Answers `Sample` effects: ask the engine, then check the final answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from steplabel.annotators.effects import Sample, Samples
from steplabel.engines.port import Completion, Completions, Engine, GenerateRequest
from steplabel.schemas import CheckedOutcome, FinishReason, Rollout, content_id
from steplabel.transforms.answers import judge
from steplabel.transforms.prompts import PromptTemplate, hold_back_blanks, without_blanks
from steplabel.verifiers import AnswerChecker


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """The handler of `Sample` for one engine. The answer is looked for in prefix and completion together."""

    engine: Engine
    prompt: PromptTemplate
    checker: AnswerChecker

    async def __call__(self, effect: Sample) -> Samples:
        """Sample and check. Raises what the engine raises: EngineError, BudgetExhausted, StoreError."""
        whole = GenerateRequest(
            prompt=self.prompt.prompt(effect.problem),
            prefix=effect.prefix + effect.probe,
            prefix_ids=effect.prefix_ids,
            n=effect.n,
            start=effect.start,
            sampling=effect.sampling,
            seed=effect.seed,
        )
        request, blanks = begun(self.engine, whole)
        answer = await self.engine.generate(request)
        rollouts = tuple(self._rollout(effect, answer, i, blanks) for i in range(len(answer.samples)))
        outcomes = [await check(self.checker, effect, rollout) for rollout in rollouts]
        return Samples(rollouts=rollouts, outcomes=tuple(outcomes))

    def _rollout(self, effect: Sample, answer: Completions, i: int, blanks: str) -> Rollout:
        sample = answer.samples[i]
        completer = self.engine.identity.id
        return Rollout(
            key=answer.keys[i] if answer.keys else _own_key(completer, effect, sample),
            node_key=effect.node_key,
            problem_id=effect.problem.id,
            completer=completer,
            sampling=effect.sampling,
            seed=effect.seed,
            index=sample.index,
            text=without_blanks(blanks, sample.text),
            finish_reason=sample.finish_reason,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=sample.completion_tokens,
            cached_tokens=answer.cached_tokens,
            token_ids=sample.token_ids,
            probe=effect.probe,
        )


def begun(engine: Engine, request: GenerateRequest) -> tuple[GenerateRequest, str]:
    """The request without the blanks at its prefix's end, and these; they stay where they are no token's beginning.

    The bundled model reads ": " as one token: without its blank a probe such as "Answer: " would end with a token
    that it has never seen there. As many tokens with the blanks as without: they belong to the token before them.
    """
    bare, blanks = hold_back_blanks(request.prefix)
    without = replace(request, prefix=bare)
    tokens = len(engine.render(request).token_ids) if blanks else 0
    return (request, "") if tokens and tokens == len(engine.render(without).token_ids) else (without, blanks)


async def check(checker: AnswerChecker, effect: Sample, rollout: Rollout) -> CheckedOutcome:
    """The rollout's outcome. What needs the maths worker waits in a thread, not on the loop."""
    text, gold = effect.prefix + effect.probe + rollout.text, effect.problem.gold

    def verdict() -> CheckedOutcome:
        return judge(checker, rollout.key, text, gold, rollout.finish_reason)

    whole = rollout.finish_reason is FinishReason.STOP  # a cut text is searched by other rules, which may ask more
    if gold is None or (whole and checker.fast(text, gold) is not None):
        return verdict()
    return await asyncio.to_thread(verdict)


def _own_key(completer: str, effect: Sample, sample: Completion) -> str:
    """Key of a rollout from an engine that stands alone, without a store to give one."""
    asked = (effect.node_key, effect.probe, effect.sampling, effect.seed)
    return content_id("unstored", completer, *asked, sample.index, sample.text)
