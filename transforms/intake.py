"""Rows to problems, with the solutions that came along, or to rejects. The one place where outside data enters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from steplabel.schemas import DataError, Evidence, GoldAnswer, Problem, Reason, Reject
from steplabel.schemas.layouts import bigbench_mistake, fover, gsm8k_solutions, prm800k, problems, processbench
from steplabel.schemas.layouts.answers import ANSWER_FIELDS
from steplabel.schemas.segmentation import Segmenter
from steplabel.transforms.io import RawRow
from steplabel.verifiers import unreadable_gold

RowReader = Callable[[Mapping[str, Any], str, Segmenter], Evidence]
"""Row, where it stands, how to cut solutions -> problem and imported solutions; raises DataError."""


def read_native(row: Mapping[str, Any], where: str, segmenter: Segmenter) -> Evidence:
    """A row of the native layout: problem, gold answer if it states one, and solutions if it has any."""
    problem = problems.read_problem(row, line=where)
    return Evidence(problem=problem, solutions=problems.read_solutions(row, problem, segmenter))


def read_processbench(row: Mapping[str, Any], where: str, _: Segmenter) -> Evidence:
    """A ProcessBench row: one solution in given steps; it states no gold answer."""
    return processbench.evidence_of(processbench.read_gold_steps(row, line=where))


def read_gsm8k_solutions(row: Mapping[str, Any], where: str, segmenter: Segmenter) -> Evidence:
    """A row of GSM8K's example model solutions: a problem and four models' solutions."""
    return gsm8k_solutions.read_model_solutions(row, line=where, segmenter=segmenter)


def read_bigbench_mistake(row: Mapping[str, Any], where: str, _: Segmenter) -> Evidence:
    """A BIG-Bench-Mistake row: a question and one trace in given steps."""
    return bigbench_mistake.read_evidence(row, line=where)


def read_fover(row: Mapping[str, Any], where: str, _: Segmenter) -> Evidence:
    """A FoVer row: a problem and one solution in given steps; it states no gold answer."""
    return fover.evidence_of(fover.read_marked(row, line=where))


def read_prm800k(row: Mapping[str, Any], where: str, _: Segmenter) -> Evidence:
    """A PRM800K row: a problem and the solution that its labellers followed, in given steps."""
    return prm800k.read_evidence(row, line=where)


NATIVE = "problems"
READERS: Mapping[str, RowReader] = {
    NATIVE: read_native,
    "processbench": read_processbench,
    "gsm8k_solutions": read_gsm8k_solutions,
    "bigbench_mistake": read_bigbench_mistake,
    "fover": read_fover,
    "prm800k": read_prm800k,
}


def detect_format(row: Mapping[str, Any]) -> str:
    """Name the layout of a row by the fields that only this layout has."""
    if {"steps", "label", "problem"} <= row.keys():
        return "processbench"
    if {"question", "ground_truth"} <= row.keys():
        return "gsm8k_solutions"
    if {"input", "steps", "mistake_index"} <= row.keys():
        return "bigbench_mistake"
    if {"solution_steps", "error_labels"} <= row.keys():
        return "fover"
    if {"labeler", "question", "label"} <= row.keys():
        return "prm800k"
    return NATIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Reads rows one after the other and refuses the second of two equal ids.

    Attributes:
        layout: one of `READERS`, or `auto` to tell by each row's fields.
        needs_gold: refuse problems of the native layout without a gold answer, since nothing of theirs can be checked;
            False for what asks nothing about answers.
    """

    layout: str
    segmenter: Segmenter
    needs_gold: bool = True

    def read(self, rows: Iterable[RawRow]) -> Iterator[Evidence | Reject]:
        """Yield a problem or a reject for every row, in order."""
        seen: set[int] = set()
        for row in rows:
            record = self._one(row)
            if isinstance(record, Evidence):
                mark = hash(record.problem.id)
                if mark in seen:
                    yield _duplicate(record.problem, row.where)
                    continue
                seen.add(mark)
            yield record

    def _one(self, row: RawRow) -> Evidence | Reject:
        if row.data is None:
            return _bad_row(row.where, row.error, row.excerpt)
        layout = detect_format(row.data) if self.layout == "auto" else self.layout
        try:
            evidence = READERS[layout](row.data, row.where, self.segmenter)
        except DataError as error:
            return _bad_row(row.where, str(error), printable(str(dict(list(row.data.items())[:8]))))
        wrong = self._gold_fault(evidence.problem.gold, layout)
        return _bad_row(row.where, wrong, printable(evidence.problem.text)) if wrong else evidence

    def _gold_fault(self, gold: GoldAnswer | None, layout: str) -> str:
        if gold is not None:
            return unreadable_gold(gold)
        wanted = self.needs_gold and layout == NATIVE
        return f"no gold answer: give one of {', '.join(ANSWER_FIELDS)}" if wanted else ""


def _bad_row(where: str, detail: str, excerpt: str) -> Reject:
    return Reject(
        record_id=where,
        kind="row",
        stage="intake",
        reason=Reason.BAD_ROW,
        detail=printable(detail),
        excerpt=excerpt,
    )


def _duplicate(problem: Problem, where: str) -> Reject:
    return Reject(
        record_id=problem.id,
        kind="problem",
        stage="intake",
        reason=Reason.DUPLICATE_ID,
        detail=f"{where} has the id of an earlier problem; the first one counts",
        excerpt=printable(problem.text),
    )


def printable(text: str, limit: int = 160) -> str:
    """The start of a text, safe to store and to print: escapes instead of control and surrogate characters."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:limit])
