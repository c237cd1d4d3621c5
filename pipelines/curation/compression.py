"""`--compress`: HNC. Some steps of a problem's tree are merged, in the evidence itself, and labels derived anew.

The new dataset holds the compressed trees, not the old ones: its solutions have other steps and other ids. The paper
trains on both: load source and result together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from steplabel.labels.curation import compress_tree
from steplabel.labels.curation.node_compression import HNC_CHILDREN, HNC_PROBABILITY
from steplabel.labels.policies import POLICIES, reads_routes
from steplabel.labels.policy import LabelPolicy
from steplabel.pipelines.curation.steps import COMPRESSED, STAGE, Batch, Before, Opened
from steplabel.schemas import ConfigError, Evidence, LabelRow, Reject
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.evidence_files import read_evidence
from steplabel.transforms.io import count_tuples
from steplabel.transforms.label import Labelling, derive_labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Compress:
    """Merge at most one child of every node with `children` or more (`labels/curation/node_compression.py`).

    The tree is that of all solutions of a problem; labels come for those that the steps before have kept.
    """

    name: ClassVar[str] = "compress"

    probability: float = HNC_PROBABILITY
    children: int = HNC_CHILDREN
    seed: int = 0

    def __post_init__(self) -> None:
        if self.children < 1:
            raise ConfigError(f"--compress-children {self.children}: a node that gives up a child has at least 1")

    def open(self, source: OutputFolder, before: Before) -> Opened:  # noqa: ARG002 - the port gives it
        """Find the policy that made the labels.

        Raises:
            ConfigError: it is none of the ready ones, there are several, or it reads values that count the old steps.
        """
        manifest = source.require_manifest()
        labelling = Labelling(
            policy=_policy(source), run=manifest.run, completer_licence=manifest.licences[manifest.completer]
        )
        if reads_routes(labelling.policy):
            raise ConfigError(
                f"--compress: the route values that {labelling.policy.name} reads count the steps of the tree that "
                f"the search grew and do not follow merged ones: relabel it first with --policy mcts or "
                f"math_shepherd_soft"
            )
        return Opened(step=lambda batch: self._apply(batch, source, labelling))

    def _apply(self, batch: Batch, source: OutputFolder, how: Labelling) -> Batch:
        before: dict[str, dict[str, LabelRow]] = {}
        for row in batch.rows:
            before.setdefault(row.problem_id, {})[row.solution_id] = row
        trees: list[Evidence] = []
        found: list[LabelRow | Reject] = []
        for one in read_evidence(source, batch.chunk):
            tree = compress_tree(one, probability=self.probability, children=self.children, seed=self.seed)
            trees.append(tree.evidence)
            found += _relabelled(one, tree.evidence, before.get(one.problem.id, {}), how)
        return replace(
            batch,
            rows=tuple(record for record in found if isinstance(record, LabelRow)),
            rejects=(*batch.rejects, *(record for record in found if isinstance(record, Reject))),
            evidence=tuple(trees),
        )


def _relabelled(
    old: Evidence, new: Evidence, before: dict[str, LabelRow], how: Labelling
) -> Sequence[LabelRow | Reject]:
    """Labels of those solutions of the new tree that had labels in the old one."""
    wanted = {n.id: before[o.id] for o, n in zip(old.solutions, new.solutions, strict=True) if o.id in before}
    if not wanted:
        return []
    found: list[LabelRow | Reject] = []
    for record in derive_labels([new], how):
        if isinstance(record, LabelRow) and record.solution_id in wanted:
            found.append(_named(record, wanted[record.solution_id]))
        elif isinstance(record, Reject) and record.record_id in wanted:
            found.append(replace(record, stage=f"{STAGE}.{Compress.name}"))
    return found


def _named(row: LabelRow, before: LabelRow) -> LabelRow:
    """Who agreed with the old labels is not forgotten, and rows that were cut differently are told apart."""
    suffix = "" if row.solution_id == before.solution_id else f"_{COMPRESSED}"
    return replace(
        row,
        label_policy=f"{before.label_policy}{suffix}",
        label_sources=tuple(dict.fromkeys((*row.label_sources, *before.label_sources))),
    )


def _policy(source: OutputFolder) -> LabelPolicy:
    found = sorted(count_tuples(source.paths("labels"), "label_policy", "label_policy_version"))
    if len(found) == 1:
        name, version = found[0]
        if name in POLICIES and POLICIES[name].version == version:
            return POLICIES[name]
    names = ", ".join(f"{name} v{version}" for name, version in found) or "nobody"
    raise ConfigError(
        f"--compress derives labels anew, but those of {source.path!r} are by {names}, which is no ready policy: "
        f"relabel it first, or give --compress with the run itself, beside all other options"
    )
