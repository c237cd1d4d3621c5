"""Changed results in worked solutions: how many the arithmetic verifier catches.

In each step one number behind an equals sign is changed (by one, to ten times, in one digit, to any other of its
length; seed fixed). It is found by a pattern that knows nothing of our reader, algebra included. Caught: the step then
fails.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.verifier_parts.steps import fails, findings_of, reference_steps
from steplabel.schemas import Verdict
from steplabel.verifiers.arithmetic import ArithmeticVerifier

MARK: Final = re.compile(r"<<[^<>]*>>")
RESULT: Final = re.compile(r"=\s*\$?\s*(\d+(?:,\d{3})*(?:\.\d+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbed:
    """Changed results. `caught` is the share of all changed steps, `caught_of_read` of those that held before."""

    strict: bool
    steps: int
    caught: float
    caught_of_read: float
    by_change: dict[str, float]
    still_hold: int


def perturbed_results(data: Path, *, strict: bool, seed: int = 5) -> Perturbed:
    """Change one result in each reference step."""
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    verifier = ArithmeticVerifier(strict=strict)
    steps, caught = Counter[str](), Counter[str]()
    read = caught_of_read = still = 0
    for _, _, text in reference_steps(data):
        plain = MARK.sub("", text)
        places = list(RESULT.finditer(plain))
        if not places:
            continue
        place, change = chance.choice(places), chance.choice(CHANGES)
        changed = plain[: place.start(1)] + _other(place[1], change, chance) + plain[place.end(1) :]
        after = findings_of(verifier, changed)
        found = fails(after)
        held = any(finding.verdict is Verdict.HOLDS for _, finding in findings_of(verifier, plain))
        steps[change] += 1
        caught[change] += found
        read += held
        caught_of_read += held and found
        still += bool(after) and all(finding.verdict is Verdict.HOLDS for _, finding in after)
    return Perturbed(
        strict=strict,
        steps=steps.total(),
        caught=caught.total() / steps.total(),
        caught_of_read=caught_of_read / read,
        by_change={change: caught[change] / steps[change] for change in CHANGES},
        still_hold=still,
    )


def _other(number: str, change: str, chance: random.Random) -> str:
    whole, _, part = number.replace(",", "").partition(".")
    value = int(whole + part)
    changed = _CHANGED[change](value, chance)
    while changed == value:
        changed = _any_other(value, chance)
    digits = str(changed).zfill(len(part) + 1)
    return f"{digits[: -len(part)]}.{digits[-len(part) :]}" if part else digits


def _by_one(value: int, chance: random.Random) -> int:
    return value + chance.choice((1, -1)) if value else 1


def _ten_times(value: int, chance: random.Random) -> int:  # noqa: ARG001 - one signature for all
    return value * 10


def _one_digit(value: int, chance: random.Random) -> int:
    digits = list(str(value))
    digits[chance.randrange(len(digits))] = chance.choice("123456789")
    return int("".join(digits))


def _any_other(value: int, chance: random.Random) -> int:
    return chance.randrange(1, 10 ** len(str(value)) + 1)


_CHANGED: Final[dict[str, Callable[[int, random.Random], int]]] = {
    "by one": _by_one,
    "ten times": _ten_times,
    "one digit": _one_digit,
    "any other": _any_other,
}
CHANGES: Final = tuple(_CHANGED)
