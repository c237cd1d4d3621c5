"""Make the tree of links through which static checkers see our folders as one package.

An editable install maps `steplabel.schemas` to `schemas/` at run time, which mypy and pyright cannot follow. The
links need no install and show new files at once.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "engines", "annotators", "verifiers", "labels", "transforms", "pipelines")


def make(tree: Path) -> None:
    """Create or complete `tree`/steplabel."""
    package = tree / "steplabel"
    package.mkdir(parents=True, exist_ok=True)
    targets = [ROOT / room for room in ROOMS] + [p for p in (ROOT / "src/steplabel").iterdir() if p.is_file()]
    for target in targets:
        link = package / target.name
        if not link.is_symlink():
            link.symlink_to(target)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
