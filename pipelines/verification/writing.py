"""Problems, solutions and what verifiers said of them, as a dataset of ours without labels: `relabel` adds those."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from steplabel.pipelines.recipe import describe
from steplabel.pipelines.worksite import locked, table_schemas
from steplabel.schemas import ConfigError, Evidence, Reject, RunInfo, codec, content_id
from steplabel.transforms.dataset import ChunkName, Manifest, OutputFolder
from steplabel.transforms.evidence_files import read_evidence, read_table
from steplabel.transforms.io import absolute, fingerprint
from steplabel.transforms.write import evidence_records, table_row, write_table
from steplabel.version import __version__

if TYPE_CHECKING:
    from steplabel.pipelines.verification.verifying import VerifyOptions

RECIPE = "verify"
"""What `RunInfo.recipe` says of such a dataset."""


@dataclass(slots=True)
class VerifiedFolder:
    """An output folder, its manifest so far, and chunks that were committed under it."""

    folder: OutputFolder
    manifest: Manifest

    @classmethod
    def open(cls, options: VerifyOptions) -> VerifiedFolder:
        """Name the folder and what is to stand in it.

        Raises:
            ConfigError: it lies in the input, or holds files that are not ours; there is no such input.
        """
        output = absolute(options.output)
        if f"{output}/".startswith(f"{absolute(options.input)}/"):
            raise ConfigError(f"--output {output!r} lies in the input: the command would read what it writes")
        folder = OutputFolder(output)
        folder.require_free()
        return cls(folder, _manifest(options))

    def locked(self) -> AbstractContextManager[object]:
        """Hold the folder for this process."""
        return locked(self.folder) if self.folder.is_local else nullcontext()

    def begin(self) -> None:
        """Take over what is there of this very verification, and clear what a kill left behind.

        Raises:
            ConfigError: the folder holds something else.
        """
        if held := self.folder.manifest():
            _check_same(held, self.manifest, self.folder.path)
            self.manifest = replace(self.manifest, chunks=held.chunks)
        self.folder.set_success(False)
        self.folder.write_manifest(self.manifest)
        self.folder.sweep(self.manifest)

    def held(self, name: ChunkName) -> tuple[list[Evidence], list[Reject]] | None:
        """What was committed of a chunk, if it was."""
        chunk = self.manifest.chunk(name.index)
        if chunk is None or chunk.name != name:
            return None
        return read_evidence(self.folder, chunk), read_table(self.folder, chunk, "rejects")

    def write(self, name: ChunkName, evidence: Sequence[Evidence], rejects: Sequence[Reject]) -> None:
        """Commit a chunk."""
        tables: dict[str, list[bytes]] = {}
        for one in evidence:
            for table, data in evidence_records(one):
                tables.setdefault(table, []).append(data)
        if rejects:
            tables["rejects"] = [table_row(reject, "rejects")[1] for reject in rejects]
        self.folder.stage(name.index)
        staged = [write_table(table, rows, self.folder, name.index) for table, rows in sorted(tables.items())]
        self.manifest = self.folder.commit(self.manifest, name, staged, complete=True)

    def end(self) -> None:
        """Mark the folder as whole."""
        self.folder.set_success(True)


def _manifest(options: VerifyOptions) -> Manifest:
    """Of a new dataset, before its first chunk."""
    config = {
        "input": fingerprint(options.input),
        "verifiers": describe(options.verifiers),
        "layout": options.layout,
        "limit": options.limit,
        "solutions": options.solutions,
        "segmenter": describe(options.segmenter),
        "labels": {},
    }
    hashed = content_id("config", config)
    return Manifest(
        run=RunInfo(
            run_id=content_id("verify", hashed)[:16], recipe=RECIPE, code_version=__version__, config_hash=hashed
        ),
        config=codec.to_json(config).decode(),
        schemas=table_schemas(),
        licences={"": ""},  # no model was asked
        completer="",
        account="",
        chunk_size=options.chunk,
    )


def _check_same(held: Manifest, wanted: Manifest, path: str) -> None:
    """Raise ConfigError, and say what differs, unless a folder's manifest is that of the verification at hand."""
    if held.run.recipe != RECIPE:
        raise ConfigError(f"{path!r} holds run {held.run.run_id} ({held.run.recipe}): choose another --output")
    if held.run.run_id != wanted.run.run_id:
        before, now = (codec.from_json(manifest.config.encode(), dict) for manifest in (held, wanted))
        differ = ", ".join(name for name in now if before.get(name) != now[name])
        raise ConfigError(
            f"{path!r} holds a verification that differs in {differ}: choose another --output, or delete the folder"
        )
    if held.chunk_size != wanted.chunk_size:
        raise ConfigError(f"{path!r} was begun with --chunk {held.chunk_size}, not {wanted.chunk_size}: keep it")
    if held.schemas != wanted.schemas:
        raise ConfigError(f"{path!r} was begun by a version with other tables ({held.run.code_version}): start anew")
