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
        """Check that the folder is new or this very verification's own.

        Raises:
            ConfigError: it holds something else, or lies in the input; there is no such input.
        """
        output = absolute(options.output)
        if f"{output}/".startswith(f"{absolute(options.input)}/"):
            raise ConfigError(f"--output {output!r} lies in the input: the command would read what it writes")
        folder, manifest = OutputFolder(output), _manifest(options)
        folder.require_free()
        held = folder.manifest()
        if held is not None and held.run.run_id != manifest.run.run_id:
            raise ConfigError(
                f"{output!r} holds run {held.run.run_id} ({held.run.recipe}): the input, a verifier or its version, or "
                f"an option differs. Choose another --output, or delete the folder"
            )
        return cls(folder, replace(manifest, chunks=held.chunks if held else ()))

    def locked(self) -> AbstractContextManager[object]:
        """Hold the folder for this process."""
        return locked(self.folder) if self.folder.is_local else nullcontext()

    def begin(self) -> None:
        """Clear what a kill left behind."""
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
        "verified": fingerprint(options.input),
        "verifiers": describe(options.verifiers),
        "layout": options.layout,
        "limit": options.limit,
        "solutions": options.solutions,
        "segmenter": describe(options.segmenter),
        "chunk": options.chunk,
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
