"""Shards: the element of an engine stage is a list of problems, worked on together without a barrier.

A shard is the unit of balance and of retry. Inside it the driver keeps `in_flight` problems going, and at its
end the engine runs empty, so a shard should hold a few times that many, and on one machine there should be just
one shard for each worker process. A cluster that loses workers wants smaller ones: a budget of tokens says how
much work may have to be done again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import apache_beam as beam

from steplabel.schemas import Evidence, content_id

Shard: TypeAlias = tuple[int, list[Evidence]]

REJECTS = "rejects"
"""Tag of everything that a stage refuses."""


def shard_of(evidence: Evidence, count: int) -> int:
    """A shard number that depends on the problem alone; families of problems spread evenly."""
    return int(content_id("shard", evidence.problem.id)[:8], 16) % count


def shard_count(problems: int, *, workers: int, tokens_each: int, budget: int | None = None) -> int:
    """Shards for so many problems: one for each worker, more where one would exceed the budget.

    Args:
        tokens_each: most tokens that a problem is expected to cost.
        budget: tokens that a shard may cost; None for no limit. A problem is never divided.
    """
    if budget is None or problems == 0:
        return workers
    return max(workers, min(problems, -(-problems * tokens_each // budget)))


def in_order(item: tuple[int, Iterable[Evidence]]) -> Shard:
    """A shard's problems in the order of their ids: a retry works through them in the same order."""
    number, problems = item
    return number, sorted(problems, key=lambda e: e.problem.id)


class IntoShards(beam.PTransform):  # type: ignore[misc]
    """Problems -> `count` shards. The grouping also materialises what came before: no stage runs twice."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def expand(self, problems: beam.PCollection) -> beam.PCollection:
        """Key, group, list."""
        count = self.count
        return (
            problems
            | "Key" >> beam.Map(lambda e: (shard_of(e, count), e)).with_output_types(tuple[int, Evidence])
            | "Group" >> beam.GroupByKey()
            | "List" >> beam.Map(in_order).with_output_types(tuple[int, list[Evidence]])
        )
