"""Does memory grow with the input? The whole pipeline on the scripted solver, for few problems and for ten times more.

    python benchmarks/scale.py                # 2,000 and 20,000 problems, some minutes on two cores
    python benchmarks/scale.py --small 200 --large 2000 --json

Each run is a process of its own, `steplabel run omegaprm_locate`, and its peak is the largest resident set of that
process as the kernel counts it. Wanted: at most 1.3 times the small run's. Rows per second count label rows; a model
would be slower by orders of magnitude, so this is what the pipeline itself costs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from steplabel.pipelines.generated import write_problems
from steplabel.transforms.dataset import OutputFolder

SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"
WANTED_RATIO = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run. `peak_mib` is its largest resident set."""

    problems: int
    rows: int
    seconds: float
    peak_mib: float

    @property
    def rows_per_second(self) -> float:
        """Label rows written for each second of the whole process."""
        return self.rows / self.seconds


_PROBE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def measure(count: int, folder: Path) -> Measured:
    """Run once; a small process in between makes the peak that of this run alone."""
    source, target = folder / f"{count}.jsonl", folder / f"out-{count}"
    write_problems(source, count=count, seed=1, events=(4, 8))
    command = ["-m", "steplabel.pipelines.cli", "run", "omegaprm_locate", "--engine", SOLVER]
    command += ["--input", str(source), "--output", str(target)]
    start = time.monotonic()
    probe = subprocess.run(  # noqa: S603  # a fixed command, no shell
        [sys.executable, "-c", _PROBE, sys.executable, *command],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Measured(
        problems=count,
        rows=OutputFolder(str(target)).require_manifest().rows()["labels"],
        seconds=time.monotonic() - start,
        peak_mib=int(probe.stdout.split()[-1]) / (2**20 if sys.platform == "darwin" else 2**10),
    )


def main() -> None:
    """Measure both sizes and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=2_000)
    parser.add_argument("--large", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, large = (measure(n, Path(folder)) for n in (options.small, options.large))
    ratio = large.peak_mib / small.peak_mib
    if options.json:
        rows = [asdict(m) | {"rows_per_second": m.rows_per_second} for m in (small, large)]
        print(json.dumps({"rows": rows, "peak_ratio": ratio}, indent=1))
        return
    for m in (small, large):
        print(
            f"{m.problems:>7,} problems: {m.rows:>7,} rows in {m.seconds:6.1f} s, "
            f"{m.rows_per_second:6.0f} rows/s, peak {m.peak_mib:6.0f} MiB"
        )
    print(f"peak ratio {ratio:.2f}, wanted at most {WANTED_RATIO}")


if __name__ == "__main__":
    main()
