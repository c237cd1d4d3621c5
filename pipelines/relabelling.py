"""`steplabel relabel`: other labels from the same evidence, without a model and without one more token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

from steplabel.annotators.steps.answer_probe import AnswerProbe
from steplabel.annotators.trees.mcts import MCTS, ROUTE_SOURCE
from steplabel.annotators.trees.omegaprm import OmegaPRM
from steplabel.labels.counting import ObservedScores, counting_of
from steplabel.labels.policies import LabelPolicy, reads_routes
from steplabel.pipelines.card import write_card
from steplabel.pipelines.curation.origins import origin
from steplabel.pipelines.recipe import describe
from steplabel.pipelines.worksite import locked, require_apart, table_schemas
from steplabel.schemas import ConfigError, Evidence, LabelRow, Reject, RunInfo, codec, content_id
from steplabel.schemas.columns import NotColumnarError
from steplabel.transforms.annotate import FILTER_STAGE
from steplabel.transforms.answers import recheck_answers
from steplabel.transforms.columnar.evidence import COLUMNS, read_tables
from steplabel.transforms.columnar.tables import label_tables, tables_wanted
from steplabel.transforms.dataset import ChunkEntry, FileEntry, Manifest, OutputFolder
from steplabel.transforms.evidence_files import read_evidence, read_table
from steplabel.transforms.label import STAGE, Labelling, derive_labels
from steplabel.transforms.write import copy_table, evidence_records, table_row, write_arrow_table, write_table
from steplabel.verifiers import AnswerChecker
from steplabel.version import __version__

_COMPUTED_FROM_OUTCOMES: Final = frozenset({MCTS.name, ROUTE_SOURCE, OmegaPRM.name, AnswerProbe.name})
"""Sources whose scores are shares, backups and routes of outcomes as they were when the annotator ran.

A backed-up value rests on the search's visits, which other outcomes would have led elsewhere: it is not derivable.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabelling:
    """What is derived anew.

    Attributes:
        checker: judges every stored text again; None keeps the outcomes as they are. Not under policies of scores that
            were computed from outcomes (`mcts`, `rest_mcts`).
    """

    policy: LabelPolicy
    checker: AnswerChecker | None = None


def relabel(source: OutputFolder, target: OutputFolder, how: Relabelling) -> Iterator[ChunkEntry]:
    """Write the relabelled dataset, chunk by chunk; yields each as it is committed.

    The new dataset holds the evidence too, so it stands alone and can be relabelled again.

    Raises:
        ConfigError: the source is no dataset, the target holds another run or lies in the source, or the policy reads
            values that do not follow what is changed: answers judged again, or steps that `curate --compress` merged.
    """
    _check_recheck(how)
    _check_routes(source, how)
    manifest = source.require_manifest()
    require_apart(source, target)
    target.require_free()
    with locked(target) if target.is_local else nullcontext():
        yield from _relabel(source, target, how, manifest)


def _check_recheck(how: Relabelling) -> None:
    """Raise ConfigError where new outcomes would stand beside values that were computed from the old ones."""
    counting = counting_of(how.policy)
    if how.checker is not None and isinstance(counting, ObservedScores) and counting.source in _COMPUTED_FROM_OUTCOMES:
        raise ConfigError(
            f"--recheck: the values of {counting.source}, which policy {how.policy.name} reads, were computed from the "
            f"outcomes while the annotator ran and do not follow new ones: take a policy of counts, such as "
            f"math_shepherd_soft, or run the recipe again over its store"
        )


def _check_routes(source: OutputFolder, how: Relabelling) -> None:
    """Raise ConfigError where values that count the steps of the search's tree would stand at merged ones."""
    if reads_routes(how.policy) and origin(source).compressed:
        raise ConfigError(
            f"steps of {source.path!r} were merged by --compress, but the route values that {how.policy.name} reads "
            f"count the steps of the tree that the search grew: take another policy, such as mcts or math_shepherd_soft"
        )


def _relabel(source: OutputFolder, target: OutputFolder, how: Relabelling, manifest: Manifest) -> Iterator[ChunkEntry]:
    new = _begin(manifest, target, how)
    for chunk in manifest.chunks:
        labelling = Labelling(policy=how.policy, run=new.run, completer_licence=manifest.licences[manifest.completer])
        target.stage(chunk.name.index)
        staged = tuple(_write_chunk(source, target, chunk, how, labelling))
        new = target.commit(new, chunk.name, staged, complete=chunk.complete)
        yield chunk
    write_card(target)
    target.set_success(all(chunk.complete for chunk in manifest.chunks))


def _begin(old: Manifest, target: OutputFolder, how: Relabelling) -> Manifest:
    config = {"relabelled": old.run.run_id, "how": describe(how), "config": old.config}
    hashed = content_id("config", config)
    run = RunInfo(
        run_id=content_id("relabel", old.run.run_id, hashed)[:16],
        recipe=old.run.recipe,
        code_version=__version__,
        config_hash=hashed,
    )
    held = target.manifest()
    if held is not None and held.run.run_id != run.run_id:
        raise ConfigError(f"{target.path!r} holds run {held.run.run_id}: choose another --output")
    # Evidence of an older schema is written anew, so that all of it is of this program's.
    manifest = replace(old, run=run, config=codec.to_json(config).decode(), schemas=table_schemas(), chunks=())
    target.set_success(False)
    target.write_manifest(manifest)
    target.sweep(manifest)
    return manifest


def _write_chunk(
    source: OutputFolder, target: OutputFolder, chunk: ChunkEntry, how: Relabelling, labelling: Labelling
) -> Iterator[FileEntry]:
    old_rejects: list[Reject] = [r for r in read_table(source, chunk, "rejects") if r.stage != STAGE]
    dropped = {r.record_id for r in old_rejects if r.stage == FILTER_STAGE}
    try:
        _check_copyable(source, chunk, how)
        table, rejects = label_tables(read_tables(source, chunk, tables_wanted(how.policy)), labelling, without=dropped)
    except NotColumnarError:
        yield from _write_records(source, target, chunk, how, labelling)
        return
    for file in chunk.files:
        if file.table in COLUMNS:
            yield copy_table(file, source, target, chunk.name.index)
    if table is not None:
        yield write_arrow_table("labels", table, target, chunk.name.index)
    if old_rejects or rejects:
        records = (codec.to_msgpack(one) for one in (*old_rejects, *rejects))
        yield write_table("rejects", records, folder=target, chunk=chunk.name.index)


def _check_copyable(source: OutputFolder, chunk: ChunkEntry, how: Relabelling) -> None:
    """Raise NotColumnarError where the evidence itself is written anew: other outcomes, or an older schema."""
    if how.checker is not None:
        raise NotColumnarError("answers are checked again, text by text")
    schemas, current = source.require_manifest().schemas, table_schemas()
    old = [name for name in COLUMNS if schemas.get(name) != current[name]]
    if old:
        raise NotColumnarError(f"written under another schema: {', '.join(old)}")
    tables = [file.table for file in chunk.files]
    if len(set(tables)) < len(tables):
        raise NotColumnarError("a table of the chunk has several files")


def _write_records(
    source: OutputFolder, target: OutputFolder, chunk: ChunkEntry, how: Relabelling, labelling: Labelling
) -> Iterator[FileEntry]:
    evidence = read_evidence(source, chunk)
    if how.checker is not None:
        evidence = [recheck_answers(one, how.checker) for one in evidence]
    old_rejects: list[Reject] = [r for r in read_table(source, chunk, "rejects") if r.stage != STAGE]
    dropped = {r.record_id for r in old_rejects if r.stage == FILTER_STAGE}
    derived = list(derive_labels([e for e in evidence if e.problem.id not in dropped], labelling))
    tables: dict[str, list[bytes]] = {}
    for table, data in _rows(evidence, derived, old_rejects):
        tables.setdefault(table, []).append(data)
    for table, rows in sorted(tables.items()):
        yield write_table(table, rows, folder=target, chunk=chunk.name.index)


def _rows(
    evidence: Iterable[Evidence], derived: Iterable[LabelRow | Reject], rejects: Iterable[Reject]
) -> Iterator[tuple[str, bytes]]:
    for one in evidence:
        yield from evidence_records(one)
    for record in (*rejects, *derived):
        yield table_row(record, _table(record))


def _table(record: Any) -> str:
    return "rejects" if isinstance(record, Reject) else "labels"
