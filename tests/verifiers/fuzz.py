"""Feed every place where text enters the verifiers with mutated texts, guided by coverage, until something breaks.

    make fuzz                                          # ten minutes; installs atheris once
    python tests/verifiers/fuzz.py --minutes 60 --entry latex_arithmetic

An exception, or a text that takes longer than ten seconds, ends it with the text in a file. What it finds becomes a
case of test_hostile_texts.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["steplabel.verifiers"]):
    from tests.verifiers.conftest import HOSTILE
    from tests.verifiers.entry_points import ENTRY_POINTS

MAX_LENGTH = 2_000
SEEDS = (
    "5*3 + 2 = 17, so 17/2 = 8.5 dollars.",
    r"$\frac{3}{4} + \sqrt{16} \cdot 2^{3} = 32.75$",
    r"\begin{align*} (x+1)^2 &= x^2 + 2x + 1 \\ &= x(x+2) + 1 \end{align*}",
    "Let x = 3. Then 2x + 1 = 7 and x <= 4.",
    "20% of $1,250.50 = $250.10",
    "fact1 & int2 -> int3: (x): ({A}x -> ¬{B}x)",
    "From fact1 and int2 follows int3: everything is red.",
    "p cnf 3 2\n1 -2 0\n2 3 0\nThe final answer is 101",
    '(6) The next letter: "cat": "a" (1). ... Sorted: act',
    r"7 \equiv 1 \pmod{3}, |x| \ge 2, \binom{5}{2} = 10",
    "Suppose 3 * 4 = 13.\nThis is wrong, since 3 * 4 = 12.\nSo she pays 12 / 4 = $3 each, about 2.99 = 3 dollars.",
    r"Since $a_1 = 2$, we get \[ \sum_{k=1}^{3} k = 6, \quad \log_2 8 = 3, \quad 5! = 120. \] So $\dfrac{6}{9}$.",
    "Let x be the price and y be the weight.\nx + y = 10\nx - y = 4\n2x = 14\nx = 7, so y = 3 and x/y = 7/3.",
    *(text[:MAX_LENGTH] for text in HOSTILE.values()),
)


def main() -> None:
    """Run libFuzzer over one entry point or all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--entry", choices=ENTRY_POINTS, action="append", help="may be repeated; all by default")
    parser.add_argument("--corpus", type=Path, default=Path(".work/fuzz"), help="texts that reach new code, kept")
    options = parser.parse_args()
    options.corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS):
        (options.corpus / f"seed-{number}").write_bytes(seed.encode("utf-8", errors="surrogatepass"))
    chosen = [ENTRY_POINTS[name] for name in options.entry or ENTRY_POINTS]

    def feed(data: bytes) -> None:
        text = data.decode("utf-8", errors="surrogateescape")  # half a character, too
        for enter in chosen:
            enter(text)

    seconds = int(options.minutes * 60)
    limits = [f"-max_total_time={seconds}", "-timeout=10", f"-max_len={MAX_LENGTH}", "-len_control=20"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={options.corpus}/found-", str(options.corpus)], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
