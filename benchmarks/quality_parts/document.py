"""The sections of docs/label_quality.md that the command writes: what is measured, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from quality_parts.agreement import AgreementReport, K, Kept
from quality_parts.live import LiveReport, LiveRow
from quality_parts.noise import LENGTHS, Noise, NoiseReport, Wrong
from quality_parts.scoring import Score
from quality_parts.tables import contents, interval, markdown, number, percent
from steplabel.pipelines.bank import Bank

# All methods.

BANK_HEADINGS = (
    "method",
    "k",
    "F1",
    "95 % interval",
    "exact on erroneous",
    "said clean of clean",
    "labelled",
    "F1 of labelled",
    "calibration error",
    "ranking",
    "rollouts/solution",
    "tokens/solution",
)
MISS_HEADINGS = (
    "method",
    "k",
    "exact",
    "right by luck, said clean",
    "said clean",
    "too early",
    "too late",
    "unlabelled",
    "clean ones called wrong",
)


def bank_section(scores: Sequence[Score], bank: Bank, *, plot: str) -> str:
    """Tables of the methods at the budgets that are shown, and of their misses at the first of these.

    `plot` is the picture's path from the document, empty for none.
    """
    shown = _shown(scores)
    parts = [contents(bank)]
    if plot:
        parts.append(f"![First-error F1 against tokens for each solution, a panel for each family of methods]({plot})")
    for family, group in groupby(shown, key=lambda one: one.family):
        parts += [f"**{family[0].upper()}{family[1:]}**", markdown(BANK_HEADINGS, map(_bank_cells, group))]
    misses = [group[0] for group in _by_method(shown) if group[0].misses is not None and not group[0].twin]
    parts += [
        "**In which way they err.** Shares of the erroneous solutions; in the last column of the clean ones.",
        markdown(MISS_HEADINGS, map(_miss_cells, misses)),
    ]
    return "\n\n".join(parts)


def _shown(scores: Sequence[Score]) -> list[Score]:
    """The budgets that are shown; of a method that has none of them in so small a bank, all."""
    named = {one.method for one in scores if one.shown}
    return [one for one in scores if one.shown or one.method not in named]


def _by_method(scores: Sequence[Score]) -> Iterator[list[Score]]:
    for _, group in groupby(scores, key=lambda one: one.method):
        yield list(group)


def _bank_cells(score: Score) -> Iterable[str]:
    return (
        score.method,
        str(score.k),
        number(score.f1),
        interval(score.f1_low, score.f1_high),
        number(score.acc_error),
        number(score.acc_clean),
        percent(1 - score.unknown),
        number(score.f1_labelled),
        number(score.calibration_error),
        number(score.ranking),
        f"{score.rollouts:.1f}",
        f"{score.tokens:,.0f}",
    )


def _miss_cells(score: Score) -> Iterable[str]:
    misses = score.misses
    if misses is None:
        raise ValueError(f"{score.method} predicts no first error")
    shares = (misses.lucky, misses.missed, misses.early, misses.late, misses.unlabelled, misses.false_alarms)
    return (score.method, str(score.k), number(score.acc_error), *map(number, shares))


# Noise.

NOISE_HEADINGS = (
    "labels",
    "split",
    "solutions",
    "wrong locations",
    "95 % interval",
    "F1",
    "wrong step labels",
    "wrong among +",
    "wrong among -",
    "distance of soft labels",
)


def noise_section(report: NoiseReport) -> str:
    """Both splits side by side, by length, and SCAN's gate."""
    by_length = [one for one in report.lines if one.lengths]
    return "\n\n".join(
        [
            markdown(NOISE_HEADINGS, map(_noise_cells, report.lines)),
            "**By number of steps**: wrong locations, wrong step labels, distance of soft labels, and of how many "
            "solutions.",
            markdown(("labels", "split", *_bins()), map(_length_cells, by_length)),
            "**SCAN's gate on self-confidence**, everything else as in the paper.",
            markdown(NOISE_HEADINGS, map(_noise_cells, report.gates)),
        ]
    )


def _noise_cells(noise: Noise) -> Iterable[str]:
    whole = noise.whole
    shares = (whole.marks, whole.false_plus, whole.false_minus, whole.distance)
    return (
        noise.line,
        str(noise.split),
        percent(noise.kept),
        number(whole.locations),
        interval(whole.low, whole.high),
        number(whole.f1),
        *map(number, shares),
    )


def _bins() -> Iterable[str]:
    for first, after in pairwise(LENGTHS):
        yield f"{first}" if after == first + 1 else f"up to {after - 1}"
    yield f"{LENGTHS[-1]} and more"


def _length_cells(noise: Noise) -> Iterable[str]:
    cells = (f"{_three(one)} of {one.solutions}" if one.solutions else "" for one in noise.by_length)
    return (noise.line, str(noise.split), *cells)


def _three(wrong: Wrong) -> str:
    return ", ".join(filter(None, map(number, (wrong.locations, wrong.marks, wrong.distance))))


# Consensus.

COMPLETER_HEADINGS = ("", "completer", "right from the bare problem", "from right steps", "after a wrong step")
SOURCE_HEADINGS = (
    "source",
    "what it is",
    "F1 on all",
    "95 % interval",
    "exact on erroneous",
    "said clean of clean",
    "rollouts/solution",
    "tokens/solution",
)
KEPT_HEADINGS = (
    "sources that agree",
    "kept",
    "of erroneous",
    "of clean",
    "of lucky",
    "F1 of each on all",
    "F1 of each on kept",
    "F1 of agreed",
    "95 % interval",
    "third source on all",
    "third source on kept",
    "selection",
    "agreement",
    "95 % interval of agreement",
    "tokens/solution",
)


def consensus_section(report: AgreementReport) -> str:
    """Sources, and what their consensus keeps."""
    sources = (
        (
            one.name,
            one.what,
            number(one.report.f1),
            interval(one.report.f1_low, one.report.f1_high),
            number(one.report.acc_error),
            number(one.report.acc_clean),
            f"{one.rollouts:.1f}",
            f"{one.tokens:,.0f}",
        )
        for one in report.sources
    )
    completers = (
        (letter, one.name, number(one.from_problem), number(one.from_right), number(one.from_wrong))
        for letter, one in zip("AB", report.completers, strict=False)
    )
    return "\n\n".join(
        [
            markdown(COMPLETER_HEADINGS, completers),
            f"Sources; {K} rollouts a step for each:",
            markdown(SOURCE_HEADINGS, sources),
            markdown(KEPT_HEADINGS, map(_kept_cells, report.kept)),
        ]
    )


def _kept_cells(kept: Kept) -> Iterable[str]:
    many = " (majority)" if kept.rule != "all" else ""
    return (
        " + ".join(kept.sources) + many,
        percent(kept.share),
        percent(kept.share_erroneous),
        percent(kept.share_clean),
        percent(kept.share_lucky),
        " / ".join(map(number, kept.on_all)),
        " / ".join(map(number, kept.on_kept)),
        number(kept.agreed.f1),
        interval(kept.agreed.f1_low, kept.agreed.f1_high),
        number(kept.fresh_on_all),
        number(kept.fresh_on_kept),
        f"{kept.selection:+.3f}",
        f"{kept.agreement.difference:+.3f}",
        f"{kept.agreement.low:+.3f} to {kept.agreement.high:+.3f}",
        f"{kept.tokens:,.0f}",
    )


# Live.

LIVE_HEADINGS = (
    "recipe",
    "F1",
    "95 % interval",
    "exact on erroneous",
    "said clean of clean",
    "rollouts/solution",
    "tokens/solution",
)


def live_section(report: LiveReport) -> str:
    """The recipes that ran, and the paired difference of the two."""
    lines = [report.described, markdown(LIVE_HEADINGS, map(_live_cells, report.rows))]
    if (pair := report.paired) is not None:
        low, high = f"{pair.low:+.3f}", f"{pair.high:+.3f}"
        lines.append(f"Paired difference of F1, {pair.methods}: {pair.f1_difference:+.3f}, interval {low} to {high}.")
    return "\n\n".join(lines)


def _live_cells(row: LiveRow) -> Iterable[str]:
    return (
        f"`{row.method}`",
        number(row.f1),
        interval(row.f1_low, row.f1_high),
        f"{number(row.acc_error)} of {row.n_error}",
        f"{number(row.acc_clean)} of {row.n_clean}",
        f"{row.rollouts_per_solution:.1f}",
        f"{row.tokens_per_solution:,.0f}",
    )
