"""How often the answer checker is right, how often it abstains, and how fast it is.

    python benchmarks/answers.py [--data FOLDER] [--json FILE] [--math 7500] [--cross 3000] [--speed 400]

Measured:

- gsm8k: solutions of four real models against the data set's `is_correct`. Every disagreement and every
  unknown is listed with its cause; the data set can be wrong too.
- speed: pairs per CPU second of `fast` on whole solutions, and of math-verify's parse + verify on the same
  texts in the same run (gold parsed anew each time by both is not fair to math-verify, so its parsed golds
  are kept).
- math self: each MATH answer against itself and against other ways to write it. Anything but `correct` is
  listed.
- math cross: answers of different problems against each other. What is called `correct` is listed.

Verdicts repeat exactly. Rates do not: on two shared cores with other work, runs gave 111,000-189,000 pairs
per CPU second and ratios of 72-99. The self comparison is mostly decided by normalising (99 % exact), so it shows
that formatting does no harm, not that different forms are recognised. Not measured: graded MATH solutions.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from math_verify import parse, verify

from steplabel.schemas import AnswerType, GoldAnswer, Outcome
from steplabel.verifiers import AnswerChecker, CheckedAnswer, close_workers

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
DIGIT = re.compile(r"\d")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One text to check; `expected` is None where only agreement with itself is asked."""

    text: str
    gold: GoldAnswer
    expected: bool
    origin: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of many pairs."""

    pairs: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    unknown: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)

    def add(self, pair: Pair, checked: CheckedAnswer) -> None:
        """Count one result, and list it unless it is what was expected."""
        right, unknown = checked.outcome is Outcome.CORRECT, checked.outcome is Outcome.UNKNOWN
        self.pairs += 1
        self.unknown += unknown
        self.false_positives += right and not pair.expected
        self.false_negatives += not right and not unknown and pair.expected
        how = f"{checked.outcome} {checked.reason}"
        self.reasons[how] = self.reasons.get(how, 0) + 1
        if unknown or right != pair.expected:
            place = len(self.listed) if unknown else 0  # false ones first
            self.listed.insert(
                place,
                f"{pair.origin}: gold {pair.gold.text!r}, answer {str(checked.answer)[:60]!r}, "
                f"expected {'correct' if pair.expected else 'wrong'}, "
                f"got {checked.outcome} ({checked.reason}); text ends {pair.text[-60:]!r}",
            )

    def share(self, count: int) -> float:
        """`count` in per cent of the pairs."""
        return round(100 * count / max(1, self.pairs), 4)


def gsm8k_pairs(data: Path) -> list[Pair]:
    """Every solution of every model with its gold answer and grade."""
    path = data / "gsm8k" / "example_model_solutions.first660.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Pair(
            text=row[model]["solution"],
            gold=GoldAnswer(text=row["ground_truth"].rsplit("A: ", 1)[1]),
            expected=row[model]["is_correct"],
            origin=f"row {number} {model}",
        )
        for number, row in enumerate(rows)
        for model in MODELS
    ]


def math_golds(data: Path) -> list[str]:
    """The final answers of MATH's training problems; a few rows have none."""
    rows = json.loads((data / "math_train" / "problems_and_answers.json").read_text(encoding="utf-8"))
    return [row["final_answer"] for row in rows if row["final_answer"].strip()]


VARIANTS: dict[str, Callable[[str], str]] = {
    "itself": lambda a: a,
    "boxed": lambda a: rf"We add both. Thus \[\boxed{{{a}}}.\]",
    "sentence": lambda a: f"Final Answer: The final answer is ${a.strip()}$. I hope it is correct.",
    "line": lambda a: f"First we see it.\n**Answer:** {a}",
    "dfrac": lambda a: a.replace(r"\frac", r"\dfrac"),
    "unsized": lambda a: a.replace(r"\left", "").replace(r"\right", ""),
    "tight": lambda a: a.replace(", ", ",").replace(" + ", "+").replace(" - ", "-"),
    "spaced": lambda a: a.replace(",", ", ").replace("=", " = ") if r",\!" not in a and "(" in a else a,
}


def self_pairs(golds: list[str]) -> Iterator[Pair]:
    """Each gold against each of its variants; a variant that changes nothing is left out."""
    for gold in golds:
        target = GoldAnswer(text=gold, type=AnswerType.EXPRESSION)
        texts = {make(gold): name for name, make in reversed(VARIANTS.items())}
        for text, name in texts.items():
            yield Pair(text=text, gold=target, expected=True, origin=name)


def cross_pairs(golds: list[str], count: int) -> Iterator[Pair]:
    """Pairs of different answers, drawn with a fixed seed; half of them alike in length, which is harder.

    Pairs with the same digits in the same order are left out: k=3 and 3 are rightly equal.
    """
    draw = random.Random(0)  # noqa: S311 - a sample, not a secret
    by_length = sorted(set(golds), key=lambda gold: (len(gold), gold))
    for number in range(count):
        index = draw.randrange(len(by_length) - 1)
        other = index + 1 + draw.randrange(40) if number % 2 else draw.randrange(len(by_length))
        gold, text = by_length[index], by_length[min(other, len(by_length) - 1)]
        if DIGIT.findall(gold) != DIGIT.findall(text):
            target = GoldAnswer(text=gold, type=AnswerType.EXPRESSION)
            yield Pair(text=rf"\boxed{{{text}}}", gold=target, expected=False, origin="cross")


def tally(pairs: Iterator[Pair] | list[Pair], checker: AnswerChecker) -> Tally:
    """Check all pairs by all layers."""
    result = Tally()
    for pair in pairs:
        result.add(pair, checker.check(pair.text, pair.gold))
    return result


def rate(work: Callable[[], int], seconds: float = 1.0) -> float:
    """Items per CPU second of this process, best of three: noise only ever slows."""
    best = 0.0
    for _ in range(3):
        done, start = 0, time.process_time()
        while (spent := time.process_time() - start) < seconds / 3:
            done += work()
        best = max(best, done / spent)
    return best


def speed(pairs: list[Pair], sample: int) -> dict[str, float]:
    """Both checkers on the same whole solutions."""
    checker = AnswerChecker()
    chosen = random.Random(0).sample(pairs, min(sample, len(pairs)))  # noqa: S311
    golds = {pair.gold: parse(pair.gold.text, parsing_timeout=None) for pair in chosen}

    def fast() -> int:
        return sum(checker.fast(pair.text, pair.gold) is not None for pair in chosen)

    def theirs() -> int:
        for pair in chosen:
            verify(golds[pair.gold], parse(pair.text, parsing_timeout=None), timeout_seconds=None)
        return len(chosen)

    ours_rate, theirs_rate = rate(fast), rate(theirs)
    return {
        "fast_pairs_per_cpu_s": round(ours_rate),
        "math_verify_pairs_per_cpu_s": round(theirs_rate),
        "ratio": round(ours_rate / theirs_rate, 1),
        "decided_by_fast": fast() / len(chosen),
    }


def report(name: str, result: Tally, most: int) -> None:
    """Print one table and what needs reading."""
    print(
        f"\n{name}: {result.pairs:,} pairs | false positives {result.false_positives}"
        f" ({result.share(result.false_positives)} %) | false negatives {result.false_negatives}"
        f" ({result.share(result.false_negatives)} %)"
        f" | unknown {result.unknown} ({result.share(result.unknown)} %)"
    )
    for reason, count in sorted(result.reasons.items(), key=lambda item: -item[1]):
        print(f"    {count:7,}  {reason}")
    for line in result.listed[:most]:
        print("  -", line)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("STEPLABEL_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default, help="folder of the reference data")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--math", type=int, default=7_500, help="MATH answers to compare with themselves")
    parser.add_argument("--cross", type=int, default=3_000, help="pairs of different MATH answers")
    parser.add_argument("--speed", type=int, default=400, help="solutions in the speed comparison")
    parser.add_argument("--list", type=int, default=40, help="disagreements to print for each table")
    return parser.parse_args()


def main() -> int:
    """Run, print, and write JSON if asked."""
    options = arguments()
    checker = AnswerChecker()
    graded, golds = gsm8k_pairs(options.data), math_golds(options.data)
    tables = {
        "gsm8k": tally(graded, checker),
        "math self": tally(self_pairs(golds[: options.math]), checker),
        "math cross": tally(cross_pairs(golds, options.cross), checker),
    }
    for name, result in tables.items():
        report(name, result, options.list)
    rates = speed(graded, options.speed)
    print("\nspeed:", json.dumps(rates))
    if options.json:
        figures: dict[str, Any] = {name: asdict(result) for name, result in tables.items()}
        options.json.write_text(json.dumps({**figures, "speed": rates}, indent=1), encoding="utf-8")
    close_workers()
    return 0


if __name__ == "__main__":
    sys.exit(main())
