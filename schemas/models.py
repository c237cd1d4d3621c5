"""Which model answered, and how it was asked.

Both enter the rollout's key, so nothing that changes text is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from steplabel.schemas.errors import ConfigError
from steplabel.schemas.ids import content_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelIdentity:
    """Everything about a completer that changes what it writes.

    Attributes:
        name: how people call it: a hub name, a served name, a folder's name.
        weights: hash of the weights, or a server's fingerprint where they cannot be read.
        dtype: number format the forward pass runs in, e.g. `float32`.
        quantization: method name; empty for none.
        adapter: hash or name of a LoRA adapter; empty for none.
        tokenizer: hash of tokenizer and chat template together; empty where the server keeps them.
        licence: SPDX id or name, copied into every row made with this model; empty if not known.
    """

    name: str
    weights: str = ""
    dtype: str = ""
    quantization: str = ""
    adapter: str = ""
    tokenizer: str = ""
    licence: str = ""

    @property
    def id(self) -> str:
        """Readable and exact: `name@` and 12 hex digits of all that changes its text (not the licence)."""
        exact = (self.name, self.weights, self.dtype, self.quantization, self.adapter, self.tokenizer)
        return f"{self.name}@{content_id('model', *exact)[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """How tokens are drawn. Names and meanings are those of the OpenAI protocol and of vLLM.

    Attributes:
        temperature: 0 means greedy.
        top_p: nucleus mass, in (0, 1]; 1 switches it off.
        top_k: 0 switches it off.
        min_p: 0 switches it off.
        max_tokens: most tokens to generate.
        stop: texts that end generation; the stop text itself is kept in the answer iff `include_stop`.
        repetition_penalty: 1 switches it off.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    include_stop: bool = False
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        # 0, 0.0 and -0.0 ask for the same, so they must be the same in every key.
        for number in ("temperature", "top_p", "min_p", "repetition_penalty"):
            object.__setattr__(self, number, float(getattr(self, number)) + 0.0)
        if isinstance(self.stop, str):
            raise ConfigError(f"sampling stop={self.stop!r} must be a tuple of texts")
        object.__setattr__(self, "stop", tuple(self.stop))
        limits = (
            (0 <= self.temperature <= 10, "temperature", self.temperature, "between 0 (greedy) and 10"),
            (0 < self.top_p <= 1, "top_p", self.top_p, "in (0, 1]"),
            (self.top_k >= 0, "top_k", self.top_k, "0 (off) or more"),
            (0 <= self.min_p <= 1, "min_p", self.min_p, "between 0 (off) and 1"),
            (self.max_tokens >= 1, "max_tokens", self.max_tokens, "at least 1"),
            (0 < self.repetition_penalty <= 10, "repetition_penalty", self.repetition_penalty, "in (0, 10]"),
            (all(self.stop), "stop", self.stop, "free of empty strings"),
        )
        for ok, name, value, rule in limits:
            if not ok:
                raise ConfigError(f"sampling {name}={value!r} must be {rule}")
