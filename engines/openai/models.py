"""Which models a server has, and which of them is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from steplabel.engines.openai.client import OpenAIClient, Server
from steplabel.engines.openai.retries import Passing
from steplabel.schemas import ConfigError, EngineError, ModelLoadError, content_id

LISTED: Final = 10  # names that an error repeats


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of GET /models, without what changes at every start (`created`, permission ids)."""

    id: str
    root: str | None = None
    parent: str | None = None
    owned_by: str | None = None
    max_model_len: int | None = None

    @property
    def fingerprint(self) -> str:
        """Stands for the weights, which cannot be read: where the server says it has them from, and its context."""
        return content_id("served model", self.id, self.root, self.parent, self.owned_by, self.max_model_len)


class _Models(msgspec.Struct):
    data: list[ModelCard]


def list_models(server: Server) -> list[ModelCard]:
    """Ask the server for its models. Blocks; may be called where an event loop runs.

    Raises:
        ModelLoadError: it does not answer, or refuses.
    """
    # In a thread of its own, since this one may be inside an event loop.
    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            return pool.submit(lambda: asyncio.run(_list(server))).result()
        except EngineError as error:
            raise ModelLoadError(f"cannot ask {server.base} for its models: {error}") from error


def choose_model(cards: Sequence[ModelCard], name: str, *, base: str, may_be_unlisted: bool) -> ModelCard:
    """The model called `name`, or the only one there is.

    Args:
        may_be_unlisted: take a name that is not in the list as it is: hosted models answer to more names.

    Raises:
        ConfigError: there is none, or none that is meant.
    """
    shown = ", ".join(sorted(card.id for card in cards)[:LISTED]) or "none"
    if not name:
        if len(cards) != 1:
            raise ConfigError(f"{base} serves {len(cards)} models ({shown}): say which by model=NAME")
        return cards[0]
    card = next((card for card in cards if card.id == name), None)
    if card is None and not may_be_unlisted:
        raise ConfigError(f"{base} does not serve {name!r}; it has: {shown}")
    return card or ModelCard(id=name)


async def _list(server: Server) -> list[ModelCard]:
    client = OpenAIClient(server)
    try:
        return await client.get("models", _read)
    finally:
        await client.close()


def _read(raw: bytes) -> list[ModelCard]:
    try:
        return msgspec.json.decode(raw, type=_Models).data
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Passing(f"its list of models is not what the protocol says: {error}") from error
