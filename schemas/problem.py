"""What is asked: a problem, its gold answer, and everything a checker or a prompt may need of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from steplabel.schemas.errors import DataError
from steplabel.schemas.ids import content_id
from steplabel.schemas.validation import check_between, check_text

MAX_SOURCE_ROW_CHARS = 16_000_000
"""Rows and data URLs may bring an image along; past this they are a broken export."""


class AnswerType(StrEnum):
    """Decides how an answer is compared; the gold answer's type rules, never the candidate's."""

    NUMBER = "number"
    EXPRESSION = "expression"
    CHOICE = "choice"
    TEXT = "text"
    UNIT_TESTS = "unit_tests"
    FORMAL_GOAL = "formal_goal"


class Role(StrEnum):
    """Who speaks in a chat."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class PartKind(StrEnum):
    """What a content part holds."""

    TEXT = "text"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentPart:
    """One part of a message: text in place, anything else by the hash of its bytes.

    Attributes:
        text: the text of a text part, or an image's alternative text.
        sha256: full hex digest of a non-text part's bytes; empty for text.
        uri: where those bytes may be fetched; never part of an id, since places move.
    """

    kind: PartKind = PartKind.TEXT
    text: str = ""
    sha256: str = ""
    media_type: str = ""
    uri: str = ""

    def __post_init__(self) -> None:
        check_text(self.text, field="content part text")
        check_text(self.uri, field="content part uri", max_chars=MAX_SOURCE_ROW_CHARS)
        for name in ("sha256", "media_type"):
            check_text(getattr(self, name), field=f"content part {name}", max_chars=512)
        if self.kind is not PartKind.TEXT and not self.sha256:
            raise DataError(f"content part of kind {self.kind} needs the sha256 of its bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One chat turn."""

    role: Role
    parts: tuple[ContentPart, ...]
    name: str = ""
    tool_call_id: str = ""

    def __post_init__(self) -> None:
        for field in ("name", "tool_call_id"):
            check_text(getattr(self, field), field=f"message {field}", max_chars=512)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldAnswer:
    """The checkable answer.

    Attributes:
        text: as the data set writes it. For unit tests and formal goals it may be empty.
        chance: probability that a blind guess is right (1/choices for multiple choice).
    """

    text: str
    type: AnswerType = AnswerType.NUMBER
    chance: float = 0.0

    def __post_init__(self) -> None:
        elsewhere = self.type in (AnswerType.UNIT_TESTS, AnswerType.FORMAL_GOAL)
        check_text(self.text, field="gold answer", allow_empty=elsewhere, max_chars=20_000)
        check_between(self.chance, field="gold answer chance", low=0.0, high=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTest:
    """One test of a code problem: the code that asserts, and the call it makes where known."""

    code: str
    name: str = ""

    def __post_init__(self) -> None:
        check_text(self.code, field="unit test", allow_empty=False)
        check_text(self.name, field="unit test name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool the policy may call: its JSON Schema is kept as text, passed on and never run."""

    name: str
    description: str = ""
    parameters_json: str = "{}"

    def __post_init__(self) -> None:
        for name in ("name", "description", "parameters_json"):
            check_text(getattr(self, name), field=f"tool {name}", allow_empty=name == "description")


def content_problem_id(text: str, messages: tuple[Message, ...] = (), tools: tuple[Tool, ...] = ()) -> str:
    """Id of a problem whose data set gives none: the same question has the same id in every layout."""
    check_text(text, field="problem text")
    return content_id("problem", text, messages, tools)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem and, where the data set gives one, its checkable answer.

    Attributes:
        id: the data set's own id, or one derived from the content.
        text: the question as plain text; empty only if `messages` ask it.
        gold: the checkable answer; None where the data set gives none: outcomes are then unknown (`no_gold`).
        messages: the question as chat turns, with images where there are any.
        group_id: equal for near-duplicates; splits go by group. Defaults to the id.
        source: data set name. `licence`: its SPDX id or name.
        source_row: what else the row held, as JSON text. Passed through, never read.
    """

    id: str
    text: str
    gold: GoldAnswer | None = None
    messages: tuple[Message, ...] = ()
    reference_solution: str = ""
    tests: tuple[UnitTest, ...] = ()
    tools: tuple[Tool, ...] = ()
    domain: str = ""
    group_id: str = ""
    split: str = ""
    source: str = ""
    licence: str = ""
    source_row: str = ""

    def __post_init__(self) -> None:
        check_text(self.id, field="problem id", allow_empty=False, max_chars=512)
        check_text(self.text, field="problem text", allow_empty=bool(self.messages))
        check_text(self.reference_solution, field="reference solution")
        check_text(self.source_row, field="source row", max_chars=MAX_SOURCE_ROW_CHARS)
        for name in ("domain", "group_id", "split", "source", "licence"):
            check_text(getattr(self, name), field=name, max_chars=512)
        if not self.group_id:
            object.__setattr__(self, "group_id", self.id)

    @property
    def root_key(self) -> str:
        """Key of the empty prefix: what was asked, not how the data set calls it or what the answer is."""
        content = tuple((m.role, m.name, tuple((p.kind, p.text, p.sha256) for p in m.parts)) for m in self.messages)
        return content_id("root", self.text, content, tuple((t.name, t.parameters_json) for t in self.tools))
