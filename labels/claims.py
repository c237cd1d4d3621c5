"""What sources claim: of all their statements about a node, the one verdict and the one score that labels use.

A source's newest version counts, node by node and even where it says nothing ("0.10" is newer than "0.9").
Statements of one version about one node that differ:

    verdicts   one that contradicts another leaves none; a decided one stands beside an unknown one
    scores     estimates scatter, and do not contradict each other: the mean of the distinct statements. Distinct
               are those with another score or other evidence, so what was merged twice counts once. A statement
               without a score (nothing could be asked) takes no part
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from steplabel.labels.outcomes import newest, version_order
from steplabel.schemas import Observation, Verdict

_VERDICTS = {Verdict.HOLDS: 1, Verdict.FAILS: -1, Verdict.UNKNOWN: 0}


class Claim(NamedTuple):
    """What one source says of one node: 1 holds, -1 fails, 0 neither; and its grade in [0, 1], where it has one."""

    verdict: int
    score: float | None


def claims_by_subject(observations: Iterable[Observation]) -> dict[str, dict[str, Claim]]:
    """By subject and source. The rule stands at the head of this file."""
    chosen: dict[str, dict[str, Claim]] = {}
    firsts: dict[tuple[str, str], Observation] = {}
    contested: dict[tuple[str, str], list[Observation]] = {}
    for said in observations:
        slot = said.subject, said.source
        first = firsts.setdefault(slot, said)
        if first is not said:  # nearly every source speaks once of a node: only the others need the rule
            contested.setdefault(slot, [first]).append(said)
    for (subject, source), said in firsts.items():
        chosen.setdefault(subject, {})[source] = Claim(_VERDICTS[said.verdict], said.score)
    for (subject, source), several in contested.items():
        chosen[subject][source] = _agreed(newest(several, lambda o: version_order(o.source_version)))
    return chosen


def _agreed(said: Sequence[Observation]) -> Claim:
    """Of statements of one version."""
    decided = {_VERDICTS[o.verdict] for o in said} - {0}
    scores = [score for score, _ in {(o.score, o.evidence) for o in said} if score is not None]
    # A sum without rounding on the way, so that the order of statements plays no part.
    mean = math.fsum(scores) / len(scores) if scores else None
    return Claim(decided.pop() if len(decided) == 1 else 0, mean)
