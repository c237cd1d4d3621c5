"""The native problem row: a JSONL line, a Parquet row or a Hugging Face row, under the names data sets use.

    id | problem_id | unique_id            absent: derived from what is asked
    problem | question | prompt | messages text, or a list of chat messages
    answer | gold_answer | final_answer    text or number, or a GSM8K solution that ends in `#### 72`
    reference_solution | solution          its `####` or `\\boxed{}` is the answer where no field gives it
    choices, answer_type, tests, tools, domain | subject, source, licence | license, split, group_id
    solutions                              texts, or {text | steps, ...}: see `solutions.py`

The first name of a line that holds something is taken. Everything that is not taken is kept in `source_row`
as JSON, and never read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from steplabel.schemas.errors import DataError
from steplabel.schemas.layouts.answers import (
    ANSWER_FIELDS,
    GSM8K_MARK,
    answer_text,
    boxed,
    final_of_gsm8k,
    infer_type,
    listed,
    shown,
    stated_type,
)
from steplabel.schemas.layouts.chat import (
    choices_text,
    chosen_letter,
    plain_text,
    read_choices,
    read_messages,
    with_text,
)
from steplabel.schemas.layouts.solutions import read_solutions
from steplabel.schemas.problem import (
    AnswerType,
    GoldAnswer,
    Message,
    Problem,
    Tool,
    UnitTest,
    content_problem_id,
)

__all__ = ["read_problem", "read_solutions"]

ID_FIELDS = ("id", "problem_id", "unique_id")
TEXT_FIELDS = ("problem", "question", "prompt", "messages")
REFERENCE_FIELDS = ("reference_solution", "solution")
DOMAIN_FIELDS = ("domain", "subject")
LICENCE_FIELDS = ("licence", "license")
_ALTERNATIVES = (ID_FIELDS, TEXT_FIELDS, ANSWER_FIELDS, REFERENCE_FIELDS, DOMAIN_FIELDS, LICENCE_FIELDS)
_SINGLE = ("answer_type", "choices", "tests", "tools", "source", "split", "group_id", "solutions")


def read_problem(row: Mapping[str, Any], *, line: str, source: str = "") -> Problem:
    """Read one row.

    Args:
        row: parsed fields.
        line: where it stands, `file:line`, for error messages.
        source: data set name for rows that name none themselves.

    Raises:
        DataError: the message begins with `line` and says which field is at fault and what would be right.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{line}: a row must be an object with fields, got {shown(row)}")
    try:
        return _problem(row, source)
    except DataError as error:
        raise DataError(f"{line}: {error}") from error


def _problem(row: Mapping[str, Any], source: str) -> Problem:
    text, messages = _question(row)
    choices = read_choices(row.get("choices"))
    if choices and not all(option in text for _, option in choices):
        text = f"{text}\n\n{choices_text(choices)}"
        messages = with_text(messages, choices_text(choices)) if messages else ()
    tests, tools = _tests(row.get("tests")), _tools(row.get("tools"))
    return Problem(
        id=_id(row) or content_problem_id(text, messages, tools),
        text=text,
        messages=messages,
        gold=_gold(row, choices, tests),
        reference_solution=_reference(row),
        tests=tests,
        tools=tools,
        domain=_text(row, *DOMAIN_FIELDS),
        group_id=_text(row, "group_id"),
        split=_text(row, "split"),
        source=_text(row, "source") or source,
        licence=_text(row, *LICENCE_FIELDS),
        source_row=_rest(row),
    )


def _taken(row: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The first of these fields that holds something; None if none does."""
    return next((name for name in names if not _empty(row.get(name))), None)


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, tuple)) and not value)


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    name = _taken(row, names)
    return None if name is None else row[name]


def _text(row: Mapping[str, Any], *names: str) -> str:
    value = _first(row, names)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DataError(f"{'|'.join(names)} must be a text, got {shown(value)}")
    return value


def _id(row: Mapping[str, Any]) -> str:
    value = _first(row, ID_FIELDS)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise DataError(f"{'|'.join(ID_FIELDS)} must be a text or a whole number, got {shown(value)}")
    return answer_text(value) if isinstance(value, int) else value


def _question(row: Mapping[str, Any]) -> tuple[str, tuple[Message, ...]]:
    asked = _first(row, TEXT_FIELDS)
    if isinstance(asked, str):
        return asked, ()
    if isinstance(asked, (list, tuple)):
        messages = read_messages(asked)
        return plain_text(messages), messages
    if asked is None:
        raise DataError(f"no question: give one of {', '.join(TEXT_FIELDS)}; the row has {shown(list(row))}")
    raise DataError(f"the question must be a text or a list of messages, got {shown(asked)}")


def _gold(row: Mapping[str, Any], choices: Sequence[tuple[str, str]], tests: Sequence[UnitTest]) -> GoldAnswer | None:
    stated, given = stated_type(row), _first(row, ANSWER_FIELDS)
    text = answer_text(given) or _final_of(_text(row, *REFERENCE_FIELDS))
    if choices and text and stated in (None, AnswerType.CHOICE):
        letter = chosen_letter(given if isinstance(given, int) else text, choices)
        return GoldAnswer(text=letter, type=AnswerType.CHOICE, chance=1 / len(choices))
    if stated is AnswerType.CHOICE and not choices:
        raise DataError("answer_type choice needs `choices`: they give the chance of a blind guess")
    if tests and stated is None:
        return GoldAnswer(text=text, type=AnswerType.UNIT_TESTS)
    if stated in (AnswerType.UNIT_TESTS, AnswerType.FORMAL_GOAL):
        return GoldAnswer(text=text, type=stated)
    return GoldAnswer(text=text, type=stated or infer_type(text)) if text else None


def _final_of(reference: str) -> str:
    return final_of_gsm8k(reference) or boxed(reference)


def _reference(row: Mapping[str, Any]) -> str:
    reference, answer = _text(row, *REFERENCE_FIELDS), _first(row, ANSWER_FIELDS)
    if not reference and isinstance(answer, str) and GSM8K_MARK in answer:
        return answer
    return reference


def _tests(value: Any) -> tuple[UnitTest, ...]:
    found = []
    for test in [value] if isinstance(value, str) else listed(value, field="tests"):
        if isinstance(test, str):
            found.append(UnitTest(code=test))
        elif isinstance(test, Mapping) and isinstance(test.get("code"), str):
            found.append(UnitTest(code=test["code"], name=str(test.get("name") or "")))
        else:
            raise DataError(f"a test must be code or {{code, name}}, got {shown(test)}")
    return tuple(found)


def _tools(value: Any) -> tuple[Tool, ...]:
    found = []
    for entry in listed(value, field="tools"):
        tool = entry.get("function", entry) if isinstance(entry, Mapping) else None
        if not isinstance(tool, Mapping) or not isinstance(tool.get("name"), str):
            raise DataError(f"a tool must be {{name, description, parameters}}, got {shown(entry)}")
        parameters = tool.get("parameters_json") or _json(tool.get("parameters") or {})
        words = tool.get("description") or ""
        found.append(Tool(name=tool["name"], description=words, parameters_json=parameters))
    return tuple(found)


def _rest(row: Mapping[str, Any]) -> str:
    taken = {*_SINGLE, *(_taken(row, names) for names in _ALTERNATIVES)}
    known = {name for names in _ALTERNATIVES for name in names}
    rest = {name: value for name, value in row.items() if name not in taken and not (name in known and _empty(value))}
    return _json(rest) if rest else ""


def _json(value: Any) -> str:
    """JSON text; what JSON has no form for (dates, bytes, NaN) as Python shows it, surrogates escaped."""
    try:
        text = json.dumps(value, default=str)
        # Python writes NaN and Infinity bare, which no other JSON reader takes: they become texts.
        readable = json.dumps(json.loads(text, parse_constant=str), ensure_ascii=False)
        readable.encode()
    except UnicodeEncodeError:
        return text
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"unknown fields cannot be kept as JSON: {error}") from error
    return readable
