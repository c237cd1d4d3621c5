"""The port every model stands behind: one verb, `generate`, and `close`.

A request asks for samples `start .. start + n - 1` of one prefix. Sample i is drawn with its own seed,
derived from the request's seed and i, so that asking for 6 samples and later for 2 more gives what asking for
8 gives (as far as the engine is batch-invariant), and a store that holds some of them asks only for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol

from steplabel.schemas import (
    ConfigError,
    EngineError,
    FinishReason,
    Message,
    ModelIdentity,
    SamplingParams,
    SteplabelError,
)

SPEED_ONLY: Final[Mapping[str, Any]] = MappingProxyType({"speed_only": True})
"""Metadata of a configuration's field that changes how fast a model writes, or where it is reached, never what
it writes: a run may be resumed with another value (`field(default=..., metadata=SPEED_ONLY)`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What the model is shown before its own words: plain text, or chat messages for the model's template.

    Attributes:
        data: spans (start, end) of `text`, in order, that hold a problem and not the prompt's own words: the text
            of a control token in them is plain text. All that messages hold is data.
        thinking: whether the model is to think before it answers, where its template has a switch for it
            (`enable_thinking`); None leaves it to the template. For messages only.
    """

    text: str = ""
    messages: tuple[Message, ...] = ()
    data: tuple[tuple[int, int], ...] = ()
    thinking: bool | None = None

    def __post_init__(self) -> None:
        if bool(self.text) == bool(self.messages):
            raise ConfigError("a prompt is either text or messages: give one of the two")
        if self.text and self.thinking is not None:
            raise ConfigError("thinking is switched by a chat template: a prompt of plain text has none")
        borders = [0, *(border for span in self.data for border in span), len(self.text)]
        if borders != sorted(borders):
            raise ConfigError(f"data spans {self.data} must rise within a prompt of {len(self.text)} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """Ask for `n` continuations of `prompt` + `prefix`.

    Attributes:
        prefix: what the model has already said; generation goes on from its last character.
        prefix_ids: the tokens it was sampled with, and perhaps more that followed them, where they are known. An
            engine that has the tokenizer sends as many of them as lie within the prefix; ids that do not spell
            the prefix are ignored, so those of another model do no harm.
        start: index of the first sample wanted.
        logprobs: most likely tokens to report for each generated one; None for none.
        prompt_logprobs: the same for the prompt's tokens.
    """

    prompt: Prompt
    prefix: str = ""
    prefix_ids: tuple[int, ...] = ()
    n: int = 1
    start: int = 0
    sampling: SamplingParams = field(default_factory=SamplingParams)
    seed: int = 0
    logprobs: int | None = None
    prompt_logprobs: int | None = None

    def __post_init__(self) -> None:
        if self.n < 1 or self.start < 0:
            raise ConfigError(f"a request needs n >= 1 and start >= 0, got n={self.n}, start={self.start}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One sample.

    Attributes:
        index: its sample index, `start <= index < start + n`.
        text: what was generated, without prompt and prefix, special tokens left out.
        token_ids: generated tokens where the engine gives them, the end token left out.
        cumulative_logprob: sum over the generated tokens, None unless asked for.
        completion_tokens: tokens generated, the end token included: what the sample cost.
    """

    index: int
    text: str
    finish_reason: FinishReason
    token_ids: tuple[int, ...] = ()
    completion_tokens: int = 0
    cumulative_logprob: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completions:
    """The answer to one request: exactly `n` samples in the order of their index.

    Attributes:
        keys: the store's content key of each sample; empty from an engine that stands alone.
        prompt_tokens, cached_tokens: of prompt and prefix together, counted once for the request.
        unused_tokens: generated beside the samples, and paid for: copies of one, choices that cannot be used.
        cost: what the request cost in money, by a price table the user set; 0 where there is none.
        requests: made of the model for it: several where a server takes fewer samples at once than were asked for.
        stored: how many of the samples came from a store instead of the model.
    """

    samples: tuple[Completion, ...]
    prompt_tokens: int = 0
    cached_tokens: int = 0
    unused_tokens: int = 0
    cost: float = 0.0
    prompt_logprob: float | None = None
    keys: tuple[str, ...] = ()
    stored: int = 0
    requests: int = 1

    @property
    def generated_tokens(self) -> int:
        """All that the model generated for it."""
        return sum(sample.completion_tokens for sample in self.samples) + self.unused_tokens


class PartlyAnswered(EngineError):  # noqa: N818 - says what happened
    """Some samples of a request came, and the rest failed: what came was paid for, and a store keeps it.

    Attributes:
        came: fewer samples than were asked for, by index; at least one.
        failure: what kept the rest from coming.
    """

    def __init__(self, came: Completions, failure: SteplabelError) -> None:
        super().__init__(f"{len(came.samples)} samples came, the rest did not: {failure}")
        self.came = came
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPrompt:
    """Exactly what the model reads: its token ids where the engine has the tokenizer, else the text."""

    text: str
    token_ids: tuple[int, ...] = ()


class Engine(Protocol):
    """A model that continues prefixes."""

    @property
    def identity(self) -> ModelIdentity:
        """Everything about the model that changes what it writes."""
        ...

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """Return what the model would read for `request`: the store's key depends on it.

        Raises:
            ConfigError: the request needs something this engine cannot do (messages without a template).
        """
        ...

    async def generate(self, request: GenerateRequest) -> Completions:
        """Sample.

        Raises:
            EngineError: the model failed; the answer is unknown and may be asked for again. PartlyAnswered, from
                engines that ask for a request in parts: only some of it is unknown.
            EngineClosed: `close` was called.
            ConfigError: the request can never work on this engine.
        """
        ...

    async def close(self) -> None:
        """Free the model. Waiting requests fail with EngineClosed. May be called twice."""
        ...


class EngineSpec(Protocol):
    """A picklable description of an engine: travels in recipes and Beam graphs, opens where work is done."""

    def open(self) -> Engine:
        """Load the model. May take seconds to minutes; called once per worker process."""
        ...
