"""The options of `steplabel curate`, as words, and the steps they stand for, in the order in which they apply.

First what must not be in the data at all, then what is not believed, then what steps look like, and last the ratio of
the classes, which everything before it changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from steplabel.labels.curation.node_compression import HNC_CHILDREN
from steplabel.pipelines.curation.agreement import Agree, read_rule, source_of
from steplabel.pipelines.curation.balancing import read_ratio
from steplabel.pipelines.curation.compression import Compress
from steplabel.pipelines.curation.consistency import Prof
from steplabel.pipelines.curation.contamination import Decontaminate
from steplabel.pipelines.curation.duplicates import Deduplicate, Likeness
from steplabel.pipelines.curation.held_out import held_out
from steplabel.pipelines.curation.merging import MergeRandom, MergeSameSign
from steplabel.pipelines.curation.steps import CurationStep
from steplabel.pipelines.curation.writing import Curation
from steplabel.schemas import ConfigError
from steplabel.transforms.dataset import OutputFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationOptions:
    """As the command line has them; empty for what is not asked for."""

    contamination: tuple[str, ...] = ()
    duplicates: str = ""
    agree: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    rule: str = "all"
    prof: int | None = None
    compress: bool = False
    children: int = HNC_CHILDREN
    merge: str = ""
    balance: str = ""
    seed: int = 0


def curation_of(options: CurationOptions) -> Curation:
    """The steps that are asked for.

    Raises:
        ConfigError: none is, a word is none of those allowed, or a file or dataset is not there.
    """
    if options.children != HNC_CHILDREN and not options.compress:
        raise ConfigError("--compress-children needs --compress")
    if options.rule != "all" and not (options.agree or options.sources):
        raise ConfigError(f"--rule {options.rule} needs --agree or --source: name what to agree with")
    return Curation(steps=tuple(_steps(options)))


def _steps(options: CurationOptions) -> Iterator[CurationStep]:
    if options.contamination:
        yield Decontaminate(test_sets=tuple(map(held_out, options.contamination)))
    if options.duplicates:
        yield Deduplicate(likeness=Likeness(options.duplicates))
    if options.agree or options.sources:
        others = tuple(source_of(OutputFolder(path)) for path in options.agree)
        rule = read_rule(options.rule, len(others) + len(options.sources))
        yield Agree(others=others, verifiers=options.sources, rule=rule)
    if options.prof is not None:
        yield Prof(drop=options.prof)
    if options.compress:
        yield Compress(children=options.children, seed=options.seed)
    if options.merge:
        yield MergeSameSign() if options.merge == "same-sign" else MergeRandom(seed=options.seed)
    if options.balance:
        yield read_ratio(options.balance, seed=options.seed)
