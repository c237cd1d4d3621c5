"""Which server, which model on it and how it is spoken to, as a picklable description."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from steplabel.engines.checkpoints.checkpoint import tokenizer_hash
from steplabel.engines.openai.address import api_key, base_address
from steplabel.engines.openai.dialects import Dialect, Mode, PrefixStyle, PromptAs, choose_dialect
from steplabel.engines.openai.prices import TokenPrices
from steplabel.engines.openai.requests import RequestWriter
from steplabel.engines.openai.retries import RetryPolicy
from steplabel.engines.port import SPEED_ONLY, GenerateRequest, RenderedPrompt
from steplabel.schemas import ConfigError, ModelIdentity

if TYPE_CHECKING:
    from steplabel.engines.openai.client import Server
    from steplabel.engines.openai.engine import OpenAIEngine
    from steplabel.engines.openai.models import ModelCard
    from steplabel.engines.text.codec import TextCodec

LIST_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAISpec:
    """A model for `OpenAIEngine`.

    The identity is what the server says of the model: its name, root and context. It cannot see that somebody
    serves other weights under the same names.

    Attributes:
        url: `http://host:port`, or with the path that the endpoints lie under (`.../v1` where none is given).
        model: as the server calls it; empty takes the only one there is (see `resolve`).
        mode: completions continue a prefix exactly; chats leave the template to the server.
        dialect: whose extensions the server knows; None takes what the server says of itself.
        prefix: in chats, how a prefix is sent; None takes the dialect's way.
        tokenizer, tokenizer_revision: folder or hub name of the model's tokenizer (or `bundled`), for completions.
            With it, chat messages are rendered here, by its template, and prompts are sent as token ids.
        prompt_as: `text` for servers that take no ids. What the problem says is then read as the server likes: a
            control token's text in it may become the token.
        token_ids: ask for the generated ids, where the dialect can: they make token counts exact. For 8 samples
            of 300 tokens after 1,000 they cost vLLM 1.1 ms of a processor's time, and 50 KB.
        licence: of the model's outputs.
        answers_as: model name in the server's answers where it is not the name it is asked by.
        max_n: most samples of one HTTP request, where the server takes fewer than its dialect lets one expect.
        max_in_flight: HTTP requests at once, at most and at first; on each event loop.
        attempts, deadline_s, stall_s, connect_s: how long one HTTP request is tried: see `RetryPolicy`.
        api_key_env: environment variable that holds the key; it is sent if it is set.
        prices: what tokens cost, for `Completions.cost`.
    """

    url: str = field(metadata=SPEED_ONLY)
    model: str = ""
    mode: Mode = Mode.COMPLETIONS
    dialect: Dialect | None = None
    prefix: PrefixStyle | None = None
    tokenizer: str = ""
    tokenizer_revision: str = ""
    prompt_as: PromptAs = PromptAs.TOKENS
    token_ids: bool = True
    licence: str = ""
    answers_as: str = field(default="", metadata=SPEED_ONLY)
    max_n: int | None = field(default=None, metadata=SPEED_ONLY)
    max_in_flight: int = field(default=256, metadata=SPEED_ONLY)
    attempts: int = field(default=6, metadata=SPEED_ONLY)
    deadline_s: float = field(default=1800.0, metadata=SPEED_ONLY)
    stall_s: float = field(default=600.0, metadata=SPEED_ONLY)
    connect_s: float = field(default=10.0, metadata=SPEED_ONLY)
    api_key_env: str = field(default="OPENAI_API_KEY", metadata=SPEED_ONLY)
    prices: TokenPrices = field(default=TokenPrices(), metadata=SPEED_ONLY)

    def __post_init__(self) -> None:
        for name, kind in (("mode", Mode), ("dialect", Dialect), ("prompt_as", PromptAs), ("prefix", PrefixStyle)):
            object.__setattr__(self, name, _member(kind, name, getattr(self, name)))
        object.__setattr__(self, "url", base_address(self.url))
        for name in ("max_n", "max_in_flight"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name}={value} must be at least 1")
        if self.tokenizer and self.mode is Mode.CHAT:
            raise ConfigError("in chat mode the server renders the messages: leave tokenizer empty")
        self._policy()

    def resolve(self) -> OpenAISpec:
        """This spec with the model's name filled in: a run must say what it asked, wherever it is resumed.

        Raises:
            ModelLoadError: the server cannot be asked. ConfigError: it has several models, or none.
        """
        return self if self.model else replace(self, model=self._card().id)

    def preview(self) -> OpenAIPreview:
        """Identity and rendering: asks the server for its models, loads the tokenizer.

        Raises:
            ModelLoadError: the server cannot be asked.
            ConfigError: it does not have the model, or speaks another dialect; no such tokenizer.
        """
        card = self._card()
        dialect = choose_dialect(self.dialect, card.owned_by, base=self.url)
        codec, tokenizer = self._codec()
        identity = ModelIdentity(name=card.id, weights=card.fingerprint, tokenizer=tokenizer, licence=self.licence)
        writer = RequestWriter(
            model=card.id,
            answers_as=self.answers_as,
            mode=self.mode,
            dialect=dialect,
            codec=codec,
            prompt_as=self.prompt_as,
            prefix=self.prefix,
            context=card.max_model_len or 0,
            token_ids=self.token_ids,
            max_n=self.max_n,
        )
        return OpenAIPreview(identity=identity, writer=writer)

    def open(self) -> OpenAIEngine:
        """An engine; connections are made when something is asked. Raises as `preview` does."""
        from steplabel.engines.openai.engine import OpenAIEngine  # noqa: PLC0415 - configurations need no HTTP client

        preview = self.preview()
        return OpenAIEngine(self._server(self._policy()), preview.writer, identity=preview.identity, prices=self.prices)

    def _policy(self) -> RetryPolicy:
        return RetryPolicy(attempts=self.attempts, deadline=self.deadline_s, stall=self.stall_s, connect=self.connect_s)

    def _server(self, policy: RetryPolicy) -> Server:
        from steplabel.engines.openai.client import Server  # noqa: PLC0415 - see above

        return Server(base=self.url, key=api_key(self.api_key_env), policy=policy, max_in_flight=self.max_in_flight)

    def _codec(self) -> tuple[TextCodec | None, str]:
        """The tokenizer and its hash."""
        if not self.tokenizer:
            return None, ""
        from steplabel.engines.checkpoints.tokenizer_files import find_tokenizer  # noqa: PLC0415 - see above
        from steplabel.engines.text.codec import load_codec  # noqa: PLC0415 - imports transformers

        folder = find_tokenizer(self.tokenizer, self.tokenizer_revision)
        files = tokenizer_hash(folder)
        return load_codec(folder, files), files

    def _card(self) -> ModelCard:
        """What the server says of the model."""
        from steplabel.engines.openai.models import choose_model, hosted_model, list_models  # noqa: PLC0415 - see above

        # Nothing is computed for the list, so it need not be waited for as for a text.
        quick = min(LIST_SECONDS, self.stall_s), min(LIST_SECONDS, self.deadline_s)
        server = self._server(replace(self._policy(), stall=quick[0], deadline=quick[1]))
        if self.model and self.dialect is Dialect.OPENAI:
            return hosted_model(server, self.model)
        return choose_model(list_models(server), self.model, base=self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIPreview:
    """What is known of a served model before it is asked for anything."""

    identity: ModelIdentity
    writer: RequestWriter

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """As the engine would. Raises ConfigError and DataError as `RequestWriter.render` does."""
        return self.writer.render(request)


def _member(kind: type[StrEnum], name: str, value: str | None) -> StrEnum | None:
    """`value` as one of `kind`: configurations made by hand may give the plain text."""
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError as error:
        raise ConfigError(f"{name}={value!r} is none of {', '.join(kind)}") from error
