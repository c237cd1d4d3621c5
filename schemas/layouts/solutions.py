"""Solutions that a problem row brings along: texts to split, or steps that are already split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from steplabel.schemas.errors import DataError
from steplabel.schemas.layouts.answers import answer_text, listed, shown
from steplabel.schemas.problem import Problem
from steplabel.schemas.segmentation import GivenSteps, Segmenter
from steplabel.schemas.solution import Solution, Step, StepKind, make_solution

DEFAULT_SEPARATOR = "\n\n"
"""What stands between listed steps: a blank line, as in ProcessBench and Qwen's PRM data."""


def read_solutions(row: Mapping[str, Any], problem: Problem, segmenter: Segmenter) -> tuple[Solution, ...]:
    """Read the row's imported solutions, `()` if it has none.

    An entry of `solutions` is a text, which `segmenter` splits, or an object: `text` or `steps` (texts, or
    `{text, kind}`), `separator` (stands between the steps; by default a blank line, or nothing if the steps
    end their lines themselves), `policy | model | generator`, `licence | license`, `final_answer`.

    Raises:
        DataError: an entry of another shape, or a blank step (leaving it out would move its labels).
    """
    found = []
    for index, entry in enumerate(listed(row.get("solutions"), field=f"problem {problem.id}: solutions")):
        try:
            found.append(_solution(entry, index, problem, segmenter))
        except DataError as error:
            raise DataError(f"problem {problem.id}, solution {index}: {error}") from error
    return tuple(found)


def _solution(entry: Any, index: int, problem: Problem, segmenter: Segmenter) -> Solution:
    fields = {"text": entry} if isinstance(entry, str) else entry
    if not isinstance(fields, Mapping):
        raise DataError(f"must be a text or an object, got {shown(entry)}")
    return make_solution(
        problem,
        _steps(fields, segmenter),
        policy=_text(fields, "policy", "model", "generator"),
        policy_licence=_text(fields, "licence", "license"),
        index=index,
        final_answer=answer_text(fields.get("final_answer")) or None,
    )


def _text(fields: Mapping[str, Any], *names: str) -> str:
    value = next((fields[name] for name in names if fields.get(name)), "")
    if not isinstance(value, str):
        raise DataError(f"{'|'.join(names)} must be a text, got {shown(value)}")
    return value


def _steps(fields: Mapping[str, Any], segmenter: Segmenter) -> tuple[Step, ...]:
    if fields.get("steps") is None:
        return segmenter.split(_text(fields, "text"))
    entries = [_step(entry) for entry in listed(fields["steps"], field="steps")]
    texts, kinds = [text for text, _ in entries], [kind for _, kind in entries]
    separator = fields.get("separator")
    if not isinstance(separator, str | None):
        raise DataError(f"separator must be a text, got {shown(separator)}")
    given = GivenSteps(separator=_separator(texts) if separator is None else separator).join(texts)
    return tuple(replace(step, kind=kind) for step, kind in zip(given, kinds, strict=True))


def _step(entry: Any) -> tuple[str, StepKind]:
    if isinstance(entry, str):
        return entry, StepKind.TEXT
    if not isinstance(entry, Mapping) or not isinstance(entry.get("text"), str):
        raise DataError(f"a step must be a text or {{text, kind}}, got {shown(entry)}")
    try:
        return entry["text"], StepKind(entry.get("kind") or "text")
    except ValueError:
        raise DataError(f"step kind {entry['kind']!r} is none of {', '.join(StepKind)}") from None


def _separator(texts: Sequence[str]) -> str:
    return "" if len(texts) > 1 and all(text.endswith("\n") for text in texts[:-1]) else DEFAULT_SEPARATOR
