"""Rows that are decoded together, one token at a time; rows join and leave between two steps.

Synchronous and without threads: `add` rows, `step` until they are returned as finished. What a row draws
depends on its own prompt, parameters and seed, so it does not matter beside which others it stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache

from steplabel.engines.port import Completion
from steplabel.engines.text.codec import TextCodec, stop_position, stop_window
from steplabel.engines.transformers.kv_cache import RowCache, SlotCache, WholeBatchCache, is_plain
from steplabel.engines.transformers.sampling import DrawRules, draw, log_probabilities, uniform_numbers
from steplabel.schemas import EngineError, FinishReason, SamplingParams, derive_seed

PREFILL_TOKENS: Final = 8192  # tokens, padding included, read in one forward pass: bounds its memory
PREFILL_LOGITS: Final = 2**27  # numbers: the same, where the logits of all its tokens are kept; half a GiB in float32


@dataclass(slots=True, eq=False, kw_only=True)
class Row:
    """One sample on its way.

    Attributes:
        prompt_ids: rows of one request hold the very same tuple, which is how they share its prefill.
        max_tokens: clipped to what the model's context leaves.
        want_prompt_logprob: whether `prompt_logprob` is to be filled when the prompt is read.
        prompt_logprob: sum over the prompt's tokens but the first, which nothing precedes.
        owner: whoever asked; the decoder does not look at it.
        finish: why it ended, None while it runs. `ended`: whether its last token was the model's own end.
    """

    prompt_ids: tuple[int, ...]
    index: int
    sampling: SamplingParams
    seed: int
    max_tokens: int
    want_logprob: bool = False
    want_prompt_logprob: bool = False
    owner: Any = None
    token_ids: list[int] = field(default_factory=list)
    logprob: float = 0.0
    prompt_logprob: float | None = None
    finish: FinishReason | None = None
    ended: bool = False
    uniforms: Iterator[float] = field(init=False)
    window: int = field(init=False)

    def __post_init__(self) -> None:
        self.uniforms = uniform_numbers(derive_seed(self.seed, self.index))
        self.window = stop_window(self.sampling.stop)

    @property
    def length(self) -> int:
        """Tokens in the cache: all but the newest."""
        return len(self.prompt_ids) + len(self.token_ids) - 1

    @property
    def need(self) -> int:
        """Tokens it may come to hold."""
        return len(self.prompt_ids) + self.max_tokens

    def fresh(self) -> Row:
        """The same row before its first token."""
        return Row(
            prompt_ids=self.prompt_ids,
            index=self.index,
            sampling=self.sampling,
            seed=self.seed,
            max_tokens=self.max_tokens,
            want_logprob=self.want_logprob,
            want_prompt_logprob=self.want_prompt_logprob,
        )


class Decoder:
    """Owns a causal language model. Not thread-safe: one thread calls it.

    Args:
        model: a transformers causal LM in eval mode, on its device.
        end_ids: tokens that end a row.
    """

    def __init__(self, model: Any, codec: TextCodec, end_ids: frozenset[int]) -> None:
        self.rows: list[Row] = []
        self._model = model
        self._codec = codec
        self._end_ids = end_ids
        self._config = model.config.get_text_config(decoder=True)
        self._device: torch.device = model.device
        self._plain = is_plain(self._config)
        # A ready-made 4D mask spares the model building one in each step, but only SDPA takes it as booleans.
        self._direct = self._plain and self._config._attn_implementation == "sdpa"
        self.reset()

    def reset(self) -> None:
        """Forget every row, and all that a failed step may have left behind."""
        self.rows = []
        self._cache: RowCache = SlotCache(self._config.num_hidden_layers) if self._plain else WholeBatchCache()
        self._rules: DrawRules | None = None

    @property
    def takes_rows(self) -> bool:
        """Whether `add` may be called now."""
        return self._cache.takes_rows

    @torch.inference_mode()
    def add(self, rows: Sequence[Row]) -> list[Row]:
        """Read the prompts of new rows and draw their first tokens; returns those that ended with it.

        Raises:
            EngineError: the model computed something that is no number.
        """
        batches = self._prefill_batches(rows) if self._plain else [list(rows)]
        finished = []
        for batch in batches:
            finished += self._add(batch)
        return finished

    @torch.inference_mode()
    def step(self) -> list[Row]:
        """Draw one more token for every row; returns those that ended. Raises EngineError as `add` does."""
        newest = torch.tensor([row.token_ids[-1:] for row in self.rows], device=self._device)
        lengths = torch.tensor([row.length for row in self.rows], device=self._device)
        columns = self._cache.columns + 1
        shown = torch.arange(columns, device=self._device) >= columns - 1 - lengths[:, None]
        output = self._model(
            input_ids=newest,
            position_ids=lengths[:, None],
            attention_mask=shown[:, None, None] if self._direct else shown.long(),
            past_key_values=self._cache.past,
            use_cache=True,
        )
        self._cache.advance()
        self._draw(output.logits[:, -1], self.rows, self._rules_of_rows())
        return self._dismiss(lambda row: row.finish is not None)

    @torch.inference_mode()  # rows move within buffers made in that mode, which only that mode may change
    def drop(self, unwanted: Callable[[Row], bool]) -> None:
        """Let rows go that nobody waits for any more."""
        if any(unwanted(row) for row in self.rows):
            self._dismiss(unwanted)

    def completion(self, row: Row) -> Completion:
        """What a finished row says."""
        ids = row.token_ids[:-1] if row.ended else row.token_ids
        text = self._codec.decode(ids)
        cut = stop_position(text, row.sampling.stop, include=row.sampling.include_stop)
        return Completion(
            index=row.index,
            text=text if cut is None else text[:cut],
            finish_reason=row.finish or FinishReason.LENGTH,
            token_ids=tuple(ids),
            completion_tokens=len(row.token_ids),
            cumulative_logprob=row.logprob if row.want_logprob else None,
        )

    def _add(self, rows: list[Row]) -> list[Row]:
        prompts = list({id(row.prompt_ids): row.prompt_ids for row in rows}.values())
        places = {id(prompt): place for place, prompt in enumerate(prompts)}
        sources = torch.tensor([places[id(row.prompt_ids)] for row in rows], device=self._device)
        every = any(row.want_prompt_logprob for row in rows)
        logits, cache = self._prefill(prompts, every_token=every)
        if every:
            _note_prompts(rows, {id(p): _prompt_logprob(logits[place], p) for place, p in enumerate(prompts)})
        self._draw(logits[:, -1][sources], rows, DrawRules.of([row.sampling for row in rows], self._device))
        self._cache.add(cache, sources)
        self.rows += rows
        self._rules = None
        return self._dismiss(lambda row: row.finish is not None)

    def _prefill_batches(self, rows: Sequence[Row]) -> list[list[Row]]:
        """Those whose prompts' logits are kept by themselves, in smaller batches."""
        kept = [row for row in rows if row.want_prompt_logprob]
        others = [row for row in rows if not row.want_prompt_logprob]
        few = min(PREFILL_TOKENS, PREFILL_LOGITS // self._config.vocab_size)
        return [*_prefill_batches(others), *_prefill_batches(kept, few)]

    def _prefill(self, prompts: Sequence[tuple[int, ...]], *, every_token: bool) -> tuple[Tensor, Any]:
        """Read left-padded prompts: the cache, and logits behind the last token of each, [prompts, 1, V].

        With `every_token`, logits behind all tokens, padding included: [prompts, width, V].
        """
        width = max(map(len, prompts))
        ids = torch.tensor([[0] * (width - len(p)) + list(p) for p in prompts], device=self._device)
        padding = torch.tensor([width - len(p) for p in prompts], device=self._device)
        columns = torch.arange(width, device=self._device)
        shown = columns >= padding[:, None]
        output = self._model(
            input_ids=ids,
            position_ids=(columns - padding[:, None]).clamp(min=0),
            attention_mask=_causal(shown) if self._direct else shown.long(),
            past_key_values=DynamicCache(config=self._config),
            use_cache=True,
            logits_to_keep=0 if every_token else 1,  # 0 stands for all
        )
        return output.logits, output.past_key_values

    def _draw(self, logits: Tensor, rows: Sequence[Row], rules: DrawRules) -> None:
        logits = logits.float()
        uniforms = torch.tensor([next(row.uniforms) for row in rows], dtype=torch.float64)
        seen = _seen_tokens(rows, logits) if rules.penalty is not None else None
        drawn = draw(logits, rules, uniforms.to(self._device), seen)
        tokens = drawn.tolist()
        if -1 in tokens:
            raise EngineError("the model's logits are not numbers: try another dtype")
        if any(row.want_logprob for row in rows):
            for row, logprob in zip(rows, log_probabilities(logits, drawn).tolist(), strict=True):
                row.logprob += logprob
        for row, token in zip(rows, tokens, strict=True):
            self._accept(row, token)

    def _accept(self, row: Row, token: int) -> None:
        row.token_ids.append(token)
        if token in self._end_ids:
            row.finish, row.ended = FinishReason.STOP, True
        elif row.sampling.stop and self._stopped(row):
            row.finish = FinishReason.STOP
        elif len(row.token_ids) >= row.max_tokens:
            row.finish = FinishReason.LENGTH

    def _stopped(self, row: Row) -> bool:
        tail = self._codec.decode(row.token_ids[-row.window :])
        return any(stop in tail for stop in row.sampling.stop)

    def _rules_of_rows(self) -> DrawRules:
        if self._rules is None:
            self._rules = DrawRules.of([row.sampling for row in self.rows], self._device)
        return self._rules

    def _dismiss(self, leaves: Callable[[Row], bool]) -> list[Row]:
        """Take rows out; the last ones fill their places, so that few of those that stay have to move."""
        gone = [row for row in self.rows if leaves(row)]
        if gone:
            order = _compacted([not leaves(row) for row in self.rows])
            self.rows = [self.rows[old] for old in order]
            self._cache.keep(order, max((row.length for row in self.rows), default=0))
            self._rules = None
        return gone


def _prompt_logprob(logits: Tensor, prompt: tuple[int, ...]) -> float:
    """Sum of log-probabilities of a prompt's tokens but the first, under the model itself; logits [width, V].

    Raises:
        EngineError: the model computed something that is no number.
    """
    behind = logits[len(logits) - len(prompt) : -1]
    tokens = torch.tensor(prompt[1:], device=logits.device)
    total = log_probabilities(behind.float(), tokens).sum(dtype=torch.float64).item()
    if not math.isfinite(total):
        raise EngineError("the model's logits are not numbers: try another dtype")
    return total


def _note_prompts(rows: Sequence[Row], logprobs: dict[int, float]) -> None:
    for row in rows:
        if row.want_prompt_logprob:
            row.prompt_logprob = logprobs[id(row.prompt_ids)]


def _prefill_batches(rows: Sequence[Row], most_tokens: int = PREFILL_TOKENS) -> list[list[Row]]:
    """Rows in batches of similar prompt length, none of more padded prompt tokens than `most_tokens`.

    A single prompt may be longer, alone.
    """
    batches: list[list[Row]] = []
    prompts: set[int] = set()
    for row in sorted(rows, key=lambda row: (-len(row.prompt_ids), id(row.prompt_ids))):
        prompts.add(id(row.prompt_ids))
        # The first row of a batch is its longest.
        if not batches or len(prompts) * len(batches[-1][0].prompt_ids) > most_tokens:
            batches.append([])
            prompts = {id(row.prompt_ids)}
        batches[-1].append(row)
    return batches


def _compacted(stays: Sequence[bool]) -> list[int]:
    """Old places of the rows that stay: those within the new size keep theirs, the rest fill the holes."""
    size = sum(stays)
    tail = [place for place in range(size, len(stays)) if stays[place]]
    return [place if stays[place] else tail.pop() for place in range(size)]


def _causal(shown: Tensor) -> Tensor:
    """[R, 1, C, C]: each token sees the real ones up to itself. Padding sees itself, lest it become NaN."""
    width = shown.shape[1]
    triangle = torch.ones((width, width), dtype=torch.bool, device=shown.device).tril()
    itself = torch.eye(width, dtype=torch.bool, device=shown.device)
    return ((shown[:, None] & triangle) | itself)[:, None]


def _seen_tokens(rows: Sequence[Row], logits: Tensor) -> Tensor:
    """[R, V]: which tokens stand in each row's prompt or answer."""
    seen = torch.zeros_like(logits, dtype=torch.bool)
    for place, row in enumerate(rows):
        if row.sampling.repetition_penalty != 1:
            ids = torch.tensor([*row.prompt_ids, *row.token_ids], device=logits.device)
            seen[place, ids] = True
    return seen
