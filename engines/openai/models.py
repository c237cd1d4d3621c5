"""Which models a server has, and which of them is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from steplabel.engines.openai.client import NoEndpoint, OpenAIClient, Server
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
        ModelLoadError: it does not answer, or refuses; NoEndpoint: it has no such list.
    """
    # In a thread of its own, since this one may be inside an event loop.
    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            return pool.submit(lambda: asyncio.run(_list(server))).result()
        except NoEndpoint as error:
            raise NoEndpoint(
                f"{server.base} lists no models ({error}): check url, or name a hosted one, with model=NAME and "
                "dialect=openai"
            ) from error
        except EngineError as error:
            raise ModelLoadError(f"cannot ask {server.base} for its models: {error}") from error


def choose_model(cards: Sequence[ModelCard], name: str, *, base: str) -> ModelCard:
    """The model called `name`, or the only one there is.

    Raises:
        ConfigError: there is none, or none that is meant.
    """
    shown = ", ".join(sorted(card.id for card in cards)[:LISTED]) or "none"
    if not name:
        if len(cards) != 1:
            raise ConfigError(f"{base} serves {len(cards)} models ({shown}): say which by model=NAME")
        return cards[0]
    card = _listed(cards, name)
    if card is None:
        raise ConfigError(f"{base} does not serve {name!r}; it has: {shown}")
    return card


def hosted_model(server: Server, name: str) -> ModelCard:
    """The hosted model called `name`, listed or not: hosts answer to more names than they list, and some list none.

    Raises:
        ModelLoadError: as `list_models`, but not where there is no list.
    """
    try:
        cards = list_models(server)
    except NoEndpoint:
        cards = []
    return _listed(cards, name) or ModelCard(id=name)


def _listed(cards: Sequence[ModelCard], name: str) -> ModelCard | None:
    return next((card for card in cards if card.id == name), None)


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
