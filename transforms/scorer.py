"""Answers `Score` effects: how likely a model finds a text behind a prefix.

Two requests, one for the prefix and one for prefix and text, each for the log-probability of all that is read; their
difference is the text's own. Both generate one token, since engines generate at least that, and both are kept by a
store like any sample.

Whose blank it is. Prefix and text are tokenized together, as a model has seen them. Most tokenizers join a blank
between them to the text's first word, some to the sign before it (the bundled model reads ": " as one token). Where the
engine has the tokenizer, the prefix is sent with its blanks or without, whichever begins the tokens of the whole, so
that the difference is exactly log p(text | prefix). Where a token reaches across the border all the same, and on
servers that alone know their tokenizer, it is the difference of two texts' log-probabilities, each tokenized by itself.

Numbers. The difference is as exact as the two sums: some 1e-4 in float32. In half precision a sum over a long prefix
is uncertain by tenths, so a difference may come out above zero: it is then zero.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from typing import Final

from steplabel.annotators.effects import Score, Scored
from steplabel.engines.port import Completions, Engine, GenerateRequest
from steplabel.schemas import ConfigError, EngineError, SamplingParams
from steplabel.transforms.prompts import PromptTemplate, hold_back_blanks

READ_ONLY: Final = SamplingParams(temperature=0.0, max_tokens=1)
"""As little as an engine can be asked to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """The handler of `Score` for one engine, which must give log-probabilities of prompts."""

    engine: Engine
    prompt: PromptTemplate

    async def __call__(self, effect: Score) -> Scored:
        """Ask for both.

        Raises:
            ConfigError: the engine gives no log-probabilities of prompts, or there is no text to score.
            EngineError: it failed, gave something that is no number, or saw no token in the text.
            BudgetExhausted, StoreError: as the engine raises them.
        """
        if not effect.continuation.strip():
            raise ConfigError(f"there is no text to score behind the prefix of node {effect.node_key}")
        before, whole = self._requests(effect)
        read, heard = await asyncio.gather(self.engine.generate(before), self.engine.generate(whole))
        tokens = heard.prompt_tokens - read.prompt_tokens
        if tokens < 1:
            raise EngineError(f"{effect.continuation!r} added {tokens} tokens to its prefix: it cannot be scored")
        difference = self._logprob(heard) - self._logprob(read)
        return Scored(logprob=min(0.0, difference), tokens=tokens, completer=self.engine.identity.id)

    def _requests(self, effect: Score) -> tuple[GenerateRequest, GenerateRequest]:
        whole = GenerateRequest(
            prompt=self.prompt.prompt(effect.problem),
            prefix=effect.prefix + effect.continuation,
            prefix_ids=effect.prefix_ids,
            sampling=READ_ONLY,
            prompt_logprobs=0,
        )
        ids = self.engine.render(whole).token_ids
        bare = hold_back_blanks(effect.prefix)[0]
        if ids:
            opening = len(self.engine.render(replace(whole, prefix="", prefix_ids=())).token_ids)
            for prefix in (effect.prefix, bare):
                before = replace(whole, prefix=prefix, prefix_ids=ids[opening:])
                read = self.engine.render(before).token_ids
                if read == ids[: len(read)]:
                    return before, whole
        return replace(whole, prefix=bare), whole

    def _logprob(self, answer: Completions) -> float:
        if answer.prompt_logprob is None:
            raise ConfigError(
                f"{self.engine.identity.id} gives no log-probabilities of prompts, which scoring a text needs: "
                "use the transformers or vllm engine, or a vLLM server"
            )
        if not math.isfinite(answer.prompt_logprob):
            raise EngineError(f"the log-probability of a prompt is no number: {answer.prompt_logprob}")
        return answer.prompt_logprob
