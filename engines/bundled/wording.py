"""The words of the bundled task: who, what, how each operation may be said, and how to read it back.

Every sentence names exactly one operation, whatever else it says, so a problem's text alone fixes its meaning
and `steplabel.engines.bundled.task.parse_problem` needs nothing beside it. Sentences are short because a
prompt's tokens cost as much training time as a solution's and teach less.

Covered: several sentences per operation, opening and question; three families of look-up keys. Not covered:
synonymous names, numbers in words, distractor sentences. A model of two million parameters cannot bind names
(two people's quantities in one problem: measured hopeless), which is why each event has a key that its
solution line repeats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final


class Operation(StrEnum):
    """What an event does to the running quantity; the value is how a solution line writes it."""

    ADD = "+"
    SUBTRACT = "-"
    TIMES = "*"
    DIVIDE = "//"
    REMAINDER = "%"
    MINIMUM = "min"
    MAXIMUM = "max"


MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS: Final = (
    "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth",
)  # fmt: skip
KEYS: Final = frozenset((*MONTHS, *WEEKDAYS, *ORDINALS))

NAMES: Final = (
    "Ana", "Ben", "Cal", "Dee", "Eli", "Fay", "Gus", "Ida", "Jon", "Kim",
    "Leo", "Mia", "Ned", "Pam", "Ray", "Sam", "Tia", "Uma", "Vic", "Zoe",
)  # fmt: skip
ITEMS: Final = ("pens", "coins", "cards", "shells", "apples", "books", "stamps", "beads", "stones", "cups")

OPENINGS: Final = (
    "{name} has {number} {item}.",
    "{name} starts with {number} {item}.",
    "At first {name} has {number} {item}.",
    "{number} {item} belong to {name}.",
)
QUESTIONS: Final = (
    "How many {item} does {name} have?",
    "How many {item} are there now?",
    "How many {item} are left?",
    "What is the final count?",
    "Count the {item} at the end.",
)
SENTENCES: Final[Mapping[Operation, tuple[str, ...]]] = {
    Operation.ADD: (
        "buys {number} more.",
        "finds {number}.",
        "gets {number} as a gift.",
        "wins {number}.",
        "{number} arrive by mail.",
    ),
    Operation.SUBTRACT: (
        "gives away {number}.",
        "sells {number}.",
        "loses {number}.",
        "{number} break.",
        "lends out {number}.",
    ),
    Operation.TIMES: (
        "now has {number} times as many.",
        "the pile grows {number} times as big.",
        "each one becomes {number}.",
        "the count times {number}.",
    ),
    Operation.DIVIDE: (
        "keeps one in {number}.",
        "shares them among {number}, keeps one part.",
        "swaps every {number} for one.",
        "only one of each {number} stays.",
    ),
    Operation.REMAINDER: (
        "packs boxes of {number}, keeps the rest.",
        "fills bags of {number}, keeps what is left.",
        "sells all full sets of {number}.",
        "groups by {number}, only the rest stays.",
    ),
    Operation.MINIMUM: (
        "keeps {number} at most.",
        "the shelf holds only {number}.",
        "all above {number} go.",
        "no more than {number} fit.",
    ),
    Operation.MAXIMUM: (
        "fills up to {number} if below.",
        "makes sure of at least {number}.",
        "tops up to {number} if short.",
        "never less than {number}.",
    ),
}

# A number as the task writes it: ASCII digits, no leading zero, at most three of them. The bound keeps int()
# cheap on whatever text comes in.
_NUMBER: Final = "(?:0|[1-9][0-9]{0,2})"


def _pattern(template: str) -> re.Pattern[str]:
    """Turn a template into a pattern with one named group per slot."""
    slots = {"name": "[A-Z][a-z]+", "item": "[a-z]+", "number": _NUMBER}
    text = re.escape(template)
    for slot, shape in slots.items():
        text = text.replace(re.escape("{" + slot + "}"), f"(?P<{slot}>{shape})")
    return re.compile(text)


_OPENING_PATTERNS: Final = tuple(_pattern(template) for template in OPENINGS)
_QUESTION_PATTERNS: Final = tuple(_pattern(template) for template in QUESTIONS)
_SENTENCE_PATTERNS: Final = tuple(
    (operation, index, _pattern(template))
    for operation, templates in SENTENCES.items()
    for index, template in enumerate(templates)
)


def read_opening(line: str) -> tuple[int, str, str, int] | None:
    """Read (template index, name, item, start value) from an opening line; None where it is none."""
    for index, pattern in enumerate(_OPENING_PATTERNS):
        if match := pattern.fullmatch(line):
            return index, match["name"], match["item"], int(match["number"])
    return None


def read_sentence(sentence: str) -> tuple[Operation, int, int] | None:
    """Read (operation, template index, operand) from an event's sentence; None where it is none."""
    for operation, index, pattern in _SENTENCE_PATTERNS:
        if match := pattern.fullmatch(sentence):
            return operation, index, int(match["number"])
    return None


def read_question(line: str) -> int | None:
    """Index of the question template that `line` is an instance of; None where it is none."""
    for index, pattern in enumerate(_QUESTION_PATTERNS):
        if pattern.fullmatch(line):
            return index
    return None


def specimen_lines() -> Iterator[str]:
    """Yield lines that hold, between them, every word of the task in every place it can stand.

    The tokenizer's vocabulary is made from these. Numbers are all 1: digits are single tokens.
    """
    for name in NAMES:
        for item in ITEMS:
            for template in OPENINGS + QUESTIONS:
                yield template.format(name=name, item=item, number=1)
    for key in sorted(KEYS):
        yield f"{key}: "
    for templates in SENTENCES.values():
        for template in templates:
            yield "May: " + template.format(number=1)
