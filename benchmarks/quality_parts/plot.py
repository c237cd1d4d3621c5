"""F1 against tokens, one panel a family: its curves in colour, those of all other methods in grey behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from quality_parts.methods import Family
from quality_parts.scoring import Score
from steplabel.schemas import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS: Final = 2
MARKERS: Final = "os^Dv<>PX*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One method's points, by rising cost.

    Attributes:
        tokens: for each solution.
        f1, labelled: on all solutions, and on those that it labels; equal where it labels all.
    """

    name: str
    family: Family
    tokens: tuple[float, ...]
    f1: tuple[float, ...]
    labelled: tuple[float, ...]

    @property
    def free(self) -> bool:
        """Whether it asks nothing: it has no place on an axis of tokens."""
        return not any(self.tokens)


def curves(scores: Sequence[Score]) -> list[Curve]:
    """The methods that have an F1 of their own; one with another's first errors has no second curve."""
    shown = [one for one in scores if one.f1 is not None and not one.twin]
    found = []
    for name, group in groupby(shown, key=lambda one: one.method):
        points = sorted(group, key=lambda one: one.tokens)
        found.append(
            Curve(
                name=name,
                family=points[0].family,
                tokens=tuple(one.tokens for one in points),
                f1=tuple(one.f1 for one in points if one.f1 is not None),
                labelled=tuple(one.f1_labelled for one in points if one.f1_labelled is not None),
            )
        )
    return found


def write_plot(scores: Sequence[Score], path: Path) -> None:
    """Draw it; the file's ending says in which format. Equal figures give equal bytes.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context  # noqa: PLC0415 - only this picture needs it
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra(feature="the plot of label_quality.py", extra="dev") from error
    drawn = curves(scores)
    families = [family for family in Family if any(one.family is family for one in drawn)]
    rows = ceil(len(families) / COLUMNS)
    with rc_context({"svg.hashsalt": "steplabel", "font.size": 9}):
        figure = Figure(figsize=(14, 3.2 * max(1, rows)), layout="constrained")
        panels = figure.subplots(max(1, rows), COLUMNS, squeeze=False, sharex=True, sharey=True).flatten()
        for panel, family in zip(panels, families, strict=False):
            _draw(panel, family, drawn)
        for panel in panels[len(families) :]:
            panel.set_visible(False)
        for panel in panels[: len(families)][-COLUMNS:]:
            panel.set_xlabel("generated tokens for each solution")
            panel.tick_params(labelbottom=True)
        figure.supylabel("first-error F1", fontsize="medium")
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _draw(panel: Axes, family: Family, drawn: Sequence[Curve]) -> None:
    for one in drawn:
        if one.family is not family and not one.free:
            panel.plot(one.tokens, one.f1, color="0.85", linewidth=1, zorder=1)
    for i, one in enumerate(one for one in drawn if one.family is family):
        colour = f"C{i}"
        if one.free:
            panel.axhline(one.f1[0], color=colour, linestyle="--", label=f"{one.name} (no rollouts)")
            continue
        marker = MARKERS[i % len(MARKERS)]
        panel.plot(one.tokens, one.f1, color=colour, marker=marker, markersize=4, label=one.name)
        if one.labelled != one.f1:
            panel.plot(one.tokens, one.labelled, color=colour, linestyle=":", label=f"{one.name}, of what it labels")
    panel.set_xscale("log")
    panel.set_title(family, fontsize="medium", loc="left")
    panel.grid(alpha=0.25)
    panel.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
