"""The arithmetic verifier against first errors that people marked (ProcessBench).

Not covered: words of earlier steps; the verifiers together, which know them, are measured in `together.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.verifier_parts.steps import FALSE_ALARM, Alarm, alarm_of, fails, findings_of, is_decided
from steplabel.verifiers.arithmetic import ArithmeticVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Against first errors that people marked.

    Attributes:
        right_steps: steps before the first error.
        decided: share of these with a decided equation; `false_alarms`: share that fails.
        found: share of first errors whose own step fails.
        precision: share of first failing steps that are at or after the first error.
        wrong_flags: those that are not.
    """

    strict: bool
    solutions: int
    right_steps: int
    decided: float
    false_alarms: float
    errors: int
    found: float
    flagged: int
    precision: float
    wrong_flags: tuple[Alarm, ...]


def processbench(data: Path, *, strict: bool, name: str = "gsm8k.json") -> Located:
    """ProcessBench's steps against its marks."""
    verifier = ArithmeticVerifier(strict=strict)
    rows = json.loads((data / "processbench" / name).read_text(encoding="utf-8"))
    right = decided = false = errors = found = 0
    flags: list[tuple[bool, Alarm]] = []
    for number, row in enumerate(rows):
        mark = row["label"]
        findings = [findings_of(verifier, text) for text in row["steps"]]
        failing = [fails(each) for each in findings]
        before = findings if mark < 0 else findings[:mark]
        right += len(before)
        decided += sum(map(is_decided, before))
        false += sum(failing[: len(before)])
        errors += mark >= 0
        found += mark >= 0 and failing[mark]
        if any(failing):
            first = failing.index(True)
            alarm = alarm_of(number, first, findings[first], FALSE_ALARM)
            assert alarm is not None
            flags.append((first >= len(before), alarm))
    return Located(
        strict=strict,
        solutions=len(rows),
        right_steps=right,
        decided=decided / right,
        false_alarms=false / right,
        errors=errors,
        found=found / errors,
        flagged=len(flags),
        precision=sum(good for good, _ in flags) / max(1, len(flags)),
        wrong_flags=tuple(alarm for good, alarm in flags if not good),
    )
