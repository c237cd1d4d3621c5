"""The markers in docs/label_quality.md between which a command writes, and nobody else."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from steplabel.schemas import ConfigError


class Section(StrEnum):
    """A part of the document that a command owns."""

    BANK = "outcome bank"
    NOISE = "noise"
    CONSENSUS = "consensus"
    LIVE = "live"

    @property
    def begin(self) -> str:
        """The line before it."""
        return f"<!-- {self}: written by benchmarks/label_quality.py -->"

    @property
    def end(self) -> str:
        """The line after it."""
        return f"<!-- {self}: end -->"


def write_section(section: Section, text: str, document: Path) -> None:
    """Put `text` between the section's two markers, and leave the rest of the document as it is.

    Raises:
        ConfigError: the document does not hold each marker once, in this order.
    """
    old = document.read_text(encoding="utf-8")
    before, begin, rest = old.partition(section.begin)
    _, end, after = rest.partition(section.end)
    if not begin or not end or section.begin in rest or section.end in before + after:
        raise ConfigError(
            f"{document} must hold {section.begin!r} and then {section.end!r}, once each: the text goes between them"
        )
    document.write_text(f"{before}{section.begin}\n\n{text}\n\n{section.end}{after}", encoding="utf-8")
