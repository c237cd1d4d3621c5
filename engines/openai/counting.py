"""How many tokens texts have: as the server says, as far as it says it, and never fewer than there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

from steplabel.engines.openai.shapes import ChatMessage, Choice, Usage
from steplabel.schemas import ModelLoadError

SLACK: Final = 8  # tokens by which a server may count otherwise: an end token, or places that it keeps free


def tokens_each(choices: Sequence[Choice], usage: Usage, *, limit: int) -> list[int]:
    """Tokens of each choice.

    Exact where the server gives their ids. Else the total that it states is split by the number of
    log-probabilities, or by the length of the texts: each is an estimate then, their sum is exact. Where it states
    no total, or none at all, each is what its log-probabilities show, or as many as there can be.
    """
    if all(choice.token_ids is not None for choice in choices):
        return [len(choice.token_ids or ()) for choice in choices]
    shown = [(choice.logprobs.values() if choice.logprobs else None) or [] for choice in choices]
    if not usage.completion_tokens:
        return [len(values) or min(limit, _size(choice) + 1) for choice, values in zip(choices, shown, strict=True)]
    if not all(shown):
        return spread(usage.completion_tokens, [len(choice.said or "") + 1 for choice in choices])
    return spread(usage.completion_tokens, [len(values) for values in shown])


def _size(choice: Choice) -> int:
    """Bytes of all that a choice says, thoughts too: no token that is seen has less than one."""
    message = choice.message or ChatMessage()
    said = (choice.text, message.content, message.refusal, message.reasoning or message.reasoning_content)
    return sum(len(text.encode()) for text in said if text)


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` into whole numbers as the weights are (above 0); their sum is exactly `total`."""
    whole = sum(weights)
    ends = [total * part // whole for part in accumulate(weights, initial=0)]
    return [end - start for start, end in pairwise(ends)]


def check_length(choices: Sequence[Choice], usage: Usage, *, limit: int, room: int | None) -> None:
    """Refuse texts that the server cut though neither the limit nor the context did.

    Args:
        limit: most tokens of one text that were asked for.
        room: tokens that the context leaves behind the prompt; None if not known, and then nothing is refused.

    Raises:
        ModelLoadError: the server has a bound of its own.
    """
    if room is None:
        return
    least = min(limit, room) - SLACK
    cut = [_most_tokens(choice, usage) for choice in choices if choice.finish_reason == "length"]
    longest = max((tokens for tokens in cut if tokens is not None), default=least)
    if longest < least:
        raise ModelLoadError(
            f"the server cuts texts at {longest} tokens or fewer, {limit} were allowed: lift its bound (of "
            "vLLM: max_new_tokens in --override-generation-config or --generation-config), or allow no more"
        )


def _most_tokens(choice: Choice, usage: Usage) -> int | None:
    """Tokens that a choice has at most: its own, or those of all choices together; None if that is not said."""
    return len(choice.token_ids) if choice.token_ids else usage.completion_tokens or None
