"""The arithmetic verifier on worked solutions, whose steps are right but for the rows in `gsm8k_errors.json`.

Counted: how many steps have a decided equation, and each step that fails, with its cause.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.verifier_parts.steps import FALSE_ALARM, Alarm, alarm_of, findings_of, is_decided, reference_steps
from steplabel.verifiers.arithmetic import ArithmeticVerifier

ERRORS: Final = Path(__file__).with_name("gsm8k_errors.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Steps of right solutions. Shares are of all steps; `false_alarms` leaves the data set's own errors out."""

    strict: bool
    steps: int
    decided: float
    failing: int
    false_alarms: float
    reasons: dict[str, int]
    alarms: tuple[Alarm, ...]


def gsm8k_references(data: Path, *, strict: bool) -> References:
    """Coverage and false alarms on GSM8K's training solutions."""
    verifier = ArithmeticVerifier(strict=strict)
    known = {(row, step): cause for row, step, cause in json.loads(ERRORS.read_text(encoding="utf-8"))}
    steps = decided = 0
    reasons: Counter[str] = Counter()
    alarms: list[Alarm] = []
    for row, step, text in reference_steps(data):
        findings = findings_of(verifier, text)
        steps += 1
        decided += is_decided(findings)
        reasons.update(finding.reason for _, finding in findings)
        if alarm := alarm_of(row, step, findings, known.get((row, step), FALSE_ALARM)):
            alarms.append(alarm)
    return References(
        strict=strict,
        steps=steps,
        decided=decided / steps,
        failing=len(alarms),
        false_alarms=sum(alarm.cause == FALSE_ALARM for alarm in alarms) / steps,
        reasons=dict(reasons.most_common()),
        alarms=tuple(alarms),
    )
