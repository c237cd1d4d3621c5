"""Answer programs from an outcome bank: any method replayed in seconds, without a model.

Covered: programs that ask about prefixes of the bank's solutions. Not covered: what needs a rollout's text (a
search that goes on from one, a step proposed anew), other prefixes, probes and `Score`: the bank refuses these.

The bank answers by prefix and sample index alone. The seed of a question plays no part, so two methods, or one
method under two seeds, see the same rollouts: that is what makes their comparison paired. Replications that are
independent of each other come from `shifted`: with 64 rollouts, a method that asks for 8 has eight of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from steplabel.annotators.effects import Sample, Samples
from steplabel.schemas import ConfigError, DataError, Rollout
from steplabel.schemas.bank import BankedPrefix, BankedProblem, finish_of

TEXT_NOT_KEPT: Final = "\0"
"""Text of every rollout of a bank. No step can be made of it (`Step` refuses control characters), so a search that
goes on from a rollout fails with a DataError; an empty text would look to it like a model that has nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankedNode:
    """One prefix of the bank, and the row it stands in."""

    row: BankedProblem
    prefix: BankedPrefix


def nodes_of(rows: Iterable[BankedProblem]) -> dict[str, BankedNode]:
    """The prefixes of a bank by their node keys.

    Raises:
        DataError: two rows hold rollouts of one prefix: they ask the same question.
    """
    nodes: dict[str, BankedNode] = {}
    for row in rows:
        for key, prefix in zip(row.node_keys(row.rebuilt()), row.prefixes, strict=True):
            if key in nodes:
                held = nodes[key].row.problem.id
                raise DataError(f"bank rows {held} and {row.problem.id} hold rollouts of one prefix, {key}")
            nodes[key] = BankedNode(row=row, prefix=prefix)
    return nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class BankEngine:
    """The world of a program, as a bank knows it: an oracle for `answer_by`, and with `handle` one for `drive`.

    Attributes:
        nodes: as `nodes_of` gives them.
        offset: sample i of any question is the bank's rollout `offset + i`.

    Raises:
        ConfigError: the offset is negative.
    """

    nodes: Mapping[str, BankedNode]
    offset: int = 0

    def __post_init__(self) -> None:
        if self.offset < 0:
            raise ConfigError(f"offset={self.offset}: a bank's rollouts begin at 0")

    def shifted(self, offset: int) -> BankEngine:
        """The same bank read from rollout `offset` on; nothing is copied."""
        return replace(self, offset=offset)

    def __call__(self, effect: Any) -> Samples:
        """Answer a question.

        Raises:
            ConfigError: it is no question about a prefix; the bank does not hold the prefix, or not so many
                rollouts of it; or they were to be drawn in another way than the bank's were.
        """
        if not isinstance(effect, Sample):
            raise ConfigError(f"a bank holds outcomes of rollouts: it cannot answer {type(effect).__name__}")
        if effect.probe:
            raise ConfigError(f"a bank holds what was drawn behind bare prefixes: it has no answer to {effect.probe!r}")
        node = self.node(effect.node_key)
        if effect.sampling != node.row.sampling:
            raise ConfigError(
                f"the bank's rollouts were drawn with {node.row.sampling}, but {effect.sampling} is asked for: "
                "leave the annotator's sampling at None, which takes the solution's own"
            )
        positions = self.positions(node, effect.start, effect.n)
        rollouts = tuple(_rollout(effect, node, i, at) for i, at in enumerate(positions, start=effect.start))
        ends = (node.prefix.ends[at] for at in positions)
        return Samples(
            rollouts=rollouts,
            outcomes=tuple(node.row.checked(r.key, end) for r, end in zip(rollouts, ends, strict=True)),
        )

    async def handle(self, effect: Sample) -> Samples:
        """As calling it, for `drive`."""
        return self(effect)

    def node(self, key: str) -> BankedNode:
        """The prefix of this key. Raises ConfigError if the bank does not hold it."""
        found = self.nodes.get(key)
        if found is None:
            raise ConfigError(
                f"the bank holds no rollouts of node {key}: it knows the prefixes of its own solutions, without "
                "steps that a search proposes"
            )
        return found

    def positions(self, node: BankedNode, start: int, n: int) -> range:
        """Where samples `start .. start + n - 1` of a prefix stand in the bank.

        Raises:
            ConfigError: it does not hold so many. A rollout is never used twice in silence.
        """
        first, held = self.offset + start, node.row.rollouts
        if first + n > held:
            shift = f", shifted by {self.offset}," if self.offset else ""
            raise ConfigError(
                f"the bank holds {held} rollouts of each prefix, and samples {start} to {start + n - 1}{shift} were "
                "asked for: ask for fewer, or build a bank with more"
            )
        return range(first, first + n)


def _rollout(effect: Sample, node: BankedNode, index: int, position: int) -> Rollout:
    """A rollout without its text. The key names the bank's own rollout, so the offset cannot make two of one."""
    prefix = node.prefix
    return Rollout(
        key=f"{effect.node_key}:{position}",
        node_key=effect.node_key,
        problem_id=node.row.problem.id,
        completer=node.row.completer,
        sampling=effect.sampling,
        seed=effect.seed,
        index=index,
        text=TEXT_NOT_KEPT,
        finish_reason=finish_of(prefix.ends[position]),
        prompt_tokens=prefix.prompt_tokens,
        completion_tokens=prefix.tokens[position],
    )
