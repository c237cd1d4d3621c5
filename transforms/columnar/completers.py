"""Whose rollouts stand behind each solution's numbers, in columns: what `Counting.completers` says of records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from steplabel.labels.counting import Asked, completer_in
from steplabel.schemas.batches import IntArray
from steplabel.schemas.columns import coded_words, hold_any, matching, numbers_in
from steplabel.transforms.columnar.evidence import EvidenceColumns, Rows
from steplabel.transforms.columnar.numbering import run_heads
from steplabel.transforms.columnar.states import ELSEWHERE, States


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Names behind states.

    Attributes:
        states: [m], states that are those of steps.
        codes: [m], for each of these a name.
        names: by code; one may stand there twice.
    """

    states: IntArray
    codes: IntArray
    names: Sequence[str]

    def of_solutions(self, evidence: EvidenceColumns, states: States) -> tuple[Sequence[str], IntArray]:
        """The names that were heard together, sorted and joined with ", ", and [n] which of these each solution has."""
        at = np.zeros((len(self.names), states.size), dtype=np.bool_)
        at[self.codes, self.states] = True
        heard = np.logical_or.reduceat(at[:, states.steps], evidence.offsets[:-1], axis=1)
        which = np.zeros(heard.shape[1], dtype=np.int64)
        for is_in in heard:  # names are few, and whole numbers are compared much faster than rows
            which = np.unique(which * 2 + is_in, return_inverse=True)[1]
        _, samples = np.unique(which, return_index=True)
        together = heard[:, samples].T
        joined = [
            ", ".join(sorted({name for name, is_in in zip(self.names, row, strict=True) if is_in})) for row in together
        ]
        return joined, which


def behind_rollouts(rollouts: Rows, places: IntArray, states: States) -> Behind:
    """The completers whose rollouts start at steps' ends; `places` [R] says where, `ELSEWHERE` of those not counted."""
    codes, words = coded_words(rollouts.column("completer"))
    # Rollouts of one prefix lie beside each other: one of each completer's will do.
    rows = np.flatnonzero(run_heads(places, codes))
    here = rows[(places[rows] != ELSEWHERE) & (places[rows] < states.size)]
    return Behind(states=places[here], codes=codes[here], names=words.to_pylist())


def behind_scores(observations: Rows, places: IntArray, source: str, rollouts: Behind, states: States) -> Behind:
    """The completers that the evidence of a source's scores names; where it names none, those of the rollouts there.

    Args:
        observations: all of them.
        places: [len(observations)], the state or bare problem that each speaks of.
        source: whose scores.
        rollouts: who is behind the rollouts.
        states: of the steps.
    """
    codes, words = coded_words(observations.column("source"))
    mine = np.array([word == source for word in words.to_pylist()], dtype=np.bool_)[codes]
    scored = ~np.isnan(numbers_in(observations.column("score"), np.float64))
    rows = np.flatnonzero(mine & scored & (places != ELSEWHERE) & (places < states.size))
    codes, names = named(observations.column("evidence").take(rows))
    said = codes != ELSEWHERE
    silent = np.zeros(states.size, dtype=np.bool_)
    silent[places[rows[~said]]] = True
    there = silent[rollouts.states]
    return Behind(
        states=np.concatenate([places[rows[said]], rollouts.states[there]]),
        codes=np.concatenate([codes[said], rollouts.codes[there] + len(names)]),
        names=[*names, *rollouts.names],
    )


def named(evidence: Any) -> tuple[IntArray, Sequence[str]]:
    """[len(evidence)], a name's code for each text, `ELSEWHERE` where it names nobody; and the names."""
    codes = np.full(len(evidence), ELSEWHERE)
    # A key may be written with escapes; a text with neither names nobody, and need not be parsed.
    if not hold_any(evidence, (b"completer", b"\\")):
        return codes, []
    rows = np.flatnonzero(matching(evidence, r"completer|\\"))
    texts = evidence if len(rows) == len(evidence) else evidence.take(rows)
    said = _completers_in(texts.to_pylist())
    names = [name for name in dict.fromkeys(said) if name]
    known = {"": ELSEWHERE} | {name: code for code, name in enumerate(names)}
    codes[rows] = list(map(known.__getitem__, said))
    return codes, names


def _completers_in(evidence: Sequence[str]) -> list[str]:
    decode = msgspec.json.Decoder(Asked).decode
    try:
        return [decode(text).completer for text in evidence]
    except (msgspec.MsgspecError, RecursionError):  # any text may be evidence: one by one, slower
        return [completer_in(text) for text in evidence]
