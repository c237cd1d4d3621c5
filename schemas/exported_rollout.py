"""A rollout as it stands in a file of its own, to be published and understood away from the run that drew it."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Final

from steplabel.schemas.errors import DataError
from steplabel.schemas.evidence import FinishReason
from steplabel.schemas.ids import ID_HEX_DIGITS, content_id
from steplabel.schemas.models import SamplingParams
from steplabel.schemas.validation import check_between

MAX_TEXT_BYTES: Final = 2**28
"""Longest text of a rollout or its prompt, in UTF-8: what SQLite and Arrow carry without any trouble."""
MAX_COUNT: Final = 2**63 - 1
MAX_TOKEN_ID: Final = 2**31 - 1
_KEY: Final = re.compile(f"[0-9a-f]{{{ID_HEX_DIGITS}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedRollout:
    """One sample of a rollout store, with the request that it answers.

    Attributes:
        key: content key of model, what it read, sampling parameters, seed and index: 32 hex digits. A store answers
            by it.
        text: what was generated, without the prompt.
        finish_reason: `stop`, `length` or `filtered`.
        prompt_tokens, completion_tokens, cached_tokens: counts; cached ones are among the prompt's, which were read
            once for all samples drawn together.
        token_ids: generated ones, the end token left out; empty where the engine gave none.
        cumulative_logprob: sum over the generated tokens; null where it was not asked for.
        prompt_logprob: the same of the prompt.
        request: content key that the samples of one request share; empty where a store of version 1 kept the rollout
            and nobody asked for it since. Then nothing below is known.
        model: `ModelIdentity.id`; `model_name` as people call it; `model_licence` may restrict the use of the text.
        prompt: everything that the model read, template and continued prefix included, as text.
        sampling: how it was drawn.
        seed: of the request; null where it has more than 64 bits.
        index: which of the samples drawn with this seed, from 0.
        checksum: of everything above, as `sealed` makes it: it tells a file that was damaged or changed on its way.

    Raises:
        DataError: a key is no key, a number or text is out of bounds, or a request is named and not told.
    """

    key: str
    text: str
    finish_reason: FinishReason
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    token_ids: tuple[int, ...] = ()
    cumulative_logprob: float | None = None
    prompt_logprob: float | None = None
    request: str = ""
    model: str = ""
    model_name: str = ""
    model_licence: str = ""
    prompt: str = ""
    sampling: SamplingParams | None = None
    seed: int | None = None
    index: int | None = None
    checksum: str = ""

    def __post_init__(self) -> None:
        for name in ("key", "request") if self.request else ("key",):
            if not _KEY.fullmatch(getattr(self, name)):
                raise DataError(f"{name} {getattr(self, name)[:40]!r} is not {ID_HEX_DIGITS} hex digits")
        for name in ("prompt_tokens", "completion_tokens", "cached_tokens"):
            check_between(getattr(self, name), field=name, low=0, high=MAX_COUNT)
        for token in self.token_ids:
            check_between(token, field="token id", low=-MAX_TOKEN_ID - 1, high=MAX_TOKEN_ID)
        for name in ("text", "prompt"):
            _check_text(getattr(self, name), name)
        self._check_request()

    @property
    def is_sealed(self) -> bool:
        """Whether the checksum is that of the fields."""
        return self.checksum == self._content_id()

    def sealed(self) -> ExportedRollout:
        """The same with its checksum."""
        return replace(self, checksum=self._content_id())

    def _content_id(self) -> str:
        # Fields at their default play no part, so that a column of a later release changes no checksum of before.
        names = (field.name for field in fields(self) if field.name != "checksum")
        told = ((name, getattr(self, name)) for name in names)
        return content_id("exported-rollout", *((name, value) for name, value in told if value != _DEFAULTS.get(name)))

    def _check_request(self) -> None:
        if bool(self.request) != (self.sampling is not None and self.index is not None):
            raise DataError("a rollout names its request, its sampling parameters and its index, or none of them")
        if self.index is not None:
            check_between(self.index, field="index", low=0, high=MAX_COUNT)
        if self.seed is not None:
            check_between(self.seed, field="seed", low=-MAX_COUNT, high=MAX_COUNT)


_DEFAULTS: Final = {field.name: field.default for field in fields(ExportedRollout)}


def _check_text(text: str, name: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise DataError(f"{name} has no UTF-8 form: {error}") from error
    if size > MAX_TEXT_BYTES:
        raise DataError(f"{name} has {size:,} bytes, more than the {MAX_TEXT_BYTES:,} allowed")
