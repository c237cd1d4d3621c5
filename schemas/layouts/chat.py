"""Chat messages and multiple-choice options as rows hold them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from steplabel.schemas.errors import DataError
from steplabel.schemas.layouts.answers import listed, shown
from steplabel.schemas.problem import ContentPart, Message, PartKind, Role

_SHA256_HEX_DIGITS = 64


def read_messages(turns: Sequence[Any]) -> tuple[Message, ...]:
    """Read OpenAI-style messages: `{role, content}`, where content is a text or a list of parts.

    Raises:
        DataError: no turn, an unknown role or part, or an assistant's turn at the end: that is the solution,
            and a prompt that holds it would give the answer away.
    """
    messages = tuple(_message(turn) for turn in turns)
    if not messages:
        raise DataError("the list of messages is empty")
    if messages[-1].role is Role.ASSISTANT:
        raise DataError("the chat ends with an assistant turn: move it to `solutions`")
    return messages


def plain_text(messages: Sequence[Message]) -> str:
    """What the user says, as plain text: for rows, prompts of judges and people."""
    spoken = (part.text for m in messages if m.role is Role.USER for part in m.parts)
    return "\n\n".join(text for text in spoken if text)


def _message(turn: Any) -> Message:
    if not isinstance(turn, Mapping) or "role" not in turn:
        raise DataError(f"a message must be {{role, content}}, got {shown(turn)}")
    try:
        role = Role(turn["role"])
    except ValueError:
        raise DataError(f"message role {turn['role']!r} is none of {', '.join(Role)}") from None
    content = turn.get("content") or turn.get("parts") or ()
    parts = [content] if isinstance(content, str) else listed(content, field="message content")
    return Message(
        role=role,
        parts=tuple(_part(part) for part in parts),
        name=turn.get("name") or "",
        tool_call_id=turn.get("tool_call_id") or "",
    )


def _part(part: Any) -> ContentPart:
    if isinstance(part, str):
        return ContentPart(text=part)
    if not isinstance(part, Mapping):
        raise DataError(f"a content part must be a text or an object, got {shown(part)}")
    kind = part.get("type") or part.get("kind") or "text"
    if kind == "text":
        return ContentPart(text=part.get("text") or "")
    if kind in ("image", "image_url"):
        return _image(part)
    raise DataError(f"content part of type {kind!r}: only text, image and image_url are read")


def _image(part: Mapping[str, Any]) -> ContentPart:
    url = part.get("image_url") or part.get("uri") or part.get("url") or ""
    url = url.get("url") if isinstance(url, Mapping) else url
    if not isinstance(url, str):
        raise DataError(f"an image's url must be a text, got {shown(url)}")
    digest = str(part.get("sha256") or _digest_of_data_url(url))
    if len(digest) != _SHA256_HEX_DIGITS:
        raise DataError(f"image {url!r:.80} needs the sha256 of its bytes: what stands at a place may change")
    text = part.get("text") or part.get("alt") or ""
    return ContentPart(kind=PartKind.IMAGE, text=text, sha256=digest, media_type=part.get("media_type") or "", uri=url)


def _digest_of_data_url(url: str) -> str:
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return ""
    try:
        return hashlib.sha256(base64.b64decode(data, validate=True)).hexdigest()
    except (binascii.Error, ValueError):
        raise DataError("an image's data URL is not base64") from None


def read_choices(value: Any) -> tuple[tuple[str, str], ...]:
    """Read the options of a multiple-choice row as (label in the data set, text), () if there are none.

    Read are a list of texts, ARC's `{"text": [...], "label": [...]}` and a mapping of letters to texts.

    Raises:
        DataError: fewer than two options, more than the alphabet, or another shape.
    """
    if not value:
        return ()
    if isinstance(value, Mapping) and isinstance(value.get("text"), (list, tuple)):
        texts, labels = value["text"], listed(value.get("label"), field="labels of choices")
        labels = labels or string.ascii_uppercase[: len(texts)]
    elif isinstance(value, Mapping):
        texts, labels = list(value.values()), list(value)
    elif isinstance(value, (list, tuple)):
        texts, labels = value, string.ascii_uppercase[: len(value)]
    else:
        raise DataError(f"choices must be a list of texts, got {shown(value)}")
    if not 2 <= len(texts) <= len(string.ascii_uppercase) or len(labels) != len(texts):
        raise DataError(f"{len(texts)} choices with {len(labels)} labels: 2 to 26 choices are read")
    if len(set(map(str, texts))) < len(texts):
        raise DataError("two choices have the same text")
    return tuple((str(label), str(text)) for label, text in zip(labels, texts, strict=True))


def chosen_letter(answer: Any, choices: Sequence[tuple[str, str]]) -> str:
    """The letter (A, B, ...) of the right choice, given as a 0-based int (as in MMLU), a label or a text.

    Raises:
        DataError: it names no choice.
    """
    letters = string.ascii_uppercase[: len(choices)]
    named = _named(str(answer), choices)
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(choices):
        if named is not None and named != answer:
            raise DataError(f"answer {answer} is both an index and one of the choices: give its letter")
        return letters[answer]
    bare = str(answer).strip(" ().").upper()
    if named is None and len(bare) == 1 and bare in letters:
        return bare
    if named is None:
        raise DataError(f"answer {answer!r:.80} is none of the {len(choices)} choices")
    return letters[named]


def _named(answer: str, choices: Sequence[tuple[str, str]]) -> int | None:
    """Index of the choice with this label, else with this text; `(B)` and `B.` are label B."""
    labels, texts = ([choice[column].strip() for choice in choices] for column in (0, 1))
    bare = answer.strip(" ().")
    if bare in labels:
        return labels.index(bare)
    return texts.index(answer.strip()) if answer.strip() in texts else None


def choices_text(choices: Sequence[tuple[str, str]]) -> str:
    """The options as the model reads them, one a line: `A. Paris`."""
    return "\n".join(f"{letter}. {text}" for letter, (_, text) in zip(string.ascii_uppercase, choices, strict=False))


def with_text(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    """The messages with `text` added to the last turn."""
    last = messages[-1]
    return (*messages[:-1], replace(last, parts=(*last.parts, ContentPart(text=text))))
