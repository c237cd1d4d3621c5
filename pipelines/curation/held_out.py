"""The problems of a test set, in whatever layout: all that the search for contamination needs is their text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from steplabel.engines.port import SPEED_ONLY
from steplabel.labels.curation import HeldOutItem
from steplabel.schemas import ConfigError, DataError
from steplabel.schemas.layouts.problems import read_problem
from steplabel.transforms.io import fingerprint, read_whole

TEXT_FIELDS = (
    "text",
    "problem",
    "question",
    "original_question",
    "prompt",
    "input",
    "messages",
    "conversations",
    "content",
)
"""Where a row that is no problem of ours may hold its text, in whatever case; the first that does is taken.

PRM800K keeps it in `question.problem`, PRMBench in `original_question`, ShareGPT in the first turn of `conversations`.
"""
USERS = ("user", "human")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """A test set.

    Attributes:
        name: the file's name without its suffixes, for messages.
        content: hash of its bytes.
        path: where it lies; plays no part in what it is.
    """

    name: str
    content: str
    path: str = field(metadata=SPEED_ONLY)


def held_out(path: str) -> HeldOut:
    """Name a test set. Raises ConfigError if nothing is there, or nothing of a known format."""
    return HeldOut(name=PurePosixPath(path).name.partition(".")[0], content=fingerprint(path), path=path)


def read_held_out(test_set: HeldOut) -> tuple[list[HeldOutItem], int]:
    """Its items, and how many rows hold no text that could be searched for.

    Raises:
        ConfigError: not one row holds any.
        DataError: a row cannot be read. It may be the one that has leaked, so nothing is called clean without it.
    """
    items, without_text = [], 0
    for where, row in read_whole(test_set.path):
        text = problem_text(row)
        if text.strip():
            items.append(HeldOutItem(test_set=test_set.name, id=where, text=text))
        else:
            without_text += 1
    if not items:
        raise ConfigError(
            f"test set {test_set.path!r}: no row of {without_text} holds a text; wants {', '.join(TEXT_FIELDS)}"
        )
    return items, without_text


def problem_text(row: Mapping[str, Any]) -> str:
    """What a row asks, empty if it says nothing: a problem of any layout, else the first field that holds a text."""
    try:
        return read_problem(row, line="").text
    except DataError:  # a test set may lack what a problem to be solved needs
        held = {str(name).lower(): value for name, value in row.items()}
        return next(filter(None, (_said(held.get(name)) for name in TEXT_FIELDS)), "")


def _said(value: Any) -> str:
    """A text, that of a record inside the row, or the first turn of a chat's user."""
    if isinstance(value, str):
        return value if value.strip() else ""
    if isinstance(value, Mapping):
        return problem_text(value)
    return next(filter(None, map(_asked, value)), "") if isinstance(value, list) else ""


def _asked(turn: Any) -> str:
    """What a user says in a turn, be it a text or a list of parts that hold texts."""
    if not isinstance(turn, Mapping) or turn.get("role", turn.get("from")) not in USERS:
        return ""
    content = turn.get("content", turn.get("value"))
    parts = content if isinstance(content, list) else [content]
    return "\n".join(filter(None, map(_said, parts)))
