"""The output folder: staged files are committed by one step, and readers believe the manifest alone.

    README.md          the dataset card; its `data_files` name committed files only
    _MANIFEST.json     run, configuration, schemas, and for every chunk its files with rows and sha256
    _SUCCESS           every chunk is there and complete
    labels/ problems/ solutions/ rollouts/ outcomes/ observations/ rejects/     one Parquet file a chunk
    .steplabel/        staging and the rollout store; may be deleted once the run has ended

A file's name holds its content's hash, so that committing again what was redone never overwrites a file that
the manifest still names. kill -9 between two steps of a commit leaves files that no manifest names; the next run
sweeps them away.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import fsspec
import msgspec

from steplabel.schemas import ConfigError, DataError, RunInfo, codec
from steplabel.schemas.arrow import TABLES
from steplabel.transforms.io import read_records

FORMAT_VERSION = 1
_OURS = re.compile(r"chunk-[0-9]{5,}-[0-9a-f]{12}\.parquet")
MANIFEST, SUCCESS, CARD, PRIVATE = "_MANIFEST.json", "_SUCCESS", "README.md", ".steplabel"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One committed Parquet file; `path` is relative to the folder."""

    table: str
    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkName:
    """Which chunk of the input, the content id of its rows, and how many of them there are."""

    index: int
    key: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkEntry:
    """One committed chunk of the input.

    Attributes:
        name: a chunk of an equal name need not be done again.
        complete: False if a budget or failed engine left work undone: the same command does it again.
    """

    name: ChunkName
    complete: bool
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the folder holds.

    Attributes:
        config: the resolved configuration as JSON text.
        schemas: fingerprint of each table's Arrow schema.
        licences: of the models, by their id; empty where a model states none.
        completer: id of the model whose rollouts speak.
        account: under which the rollout store books what this folder's run costs.
    """

    run: RunInfo
    config: str
    schemas: Mapping[str, str]
    licences: Mapping[str, str]
    completer: str
    account: str
    chunk_size: int
    format_version: int = FORMAT_VERSION
    chunks: tuple[ChunkEntry, ...] = ()

    def with_chunk(self, chunk: ChunkEntry) -> Manifest:
        """The manifest with `chunk` in place of any earlier one of the same index."""
        others = {c.name.index: c for c in self.chunks} | {chunk.name.index: chunk}
        return replace(self, chunks=tuple(others[i] for i in sorted(others)))

    def chunk(self, index: int) -> ChunkEntry | None:
        """The committed chunk of this index, if there is one."""
        return next((c for c in self.chunks if c.name.index == index), None)

    def files(self, table: str | None = None) -> tuple[FileEntry, ...]:
        """Committed files, of one table or all."""
        return tuple(f for c in self.chunks for f in c.files if table in (None, f.table))

    def rows(self) -> dict[str, int]:
        """Rows by table."""
        return {table: sum(f.rows for f in self.files(table)) for table in TABLES}


class OutputFolder:
    """Reads and commits one output folder. Holds no state but its path: safe to pickle and to make anew."""

    def __init__(self, path: str) -> None:
        self.path = path.rstrip("/")
        self._fs, self._root = fsspec.core.url_to_fs(self.path)

    def __reduce__(self) -> tuple[Any, ...]:
        return (OutputFolder, (self.path,))

    @property
    def is_local(self) -> bool:
        """Whether it lies on this machine's disk."""
        return isinstance(self._fs, fsspec.implementations.local.LocalFileSystem)

    def join(self, *parts: str) -> str:
        """Path of something in the folder, in the form the folder's own path has."""
        return "/".join((self.path, *parts))

    def manifest(self) -> Manifest | None:
        """The manifest, or None in a folder without one.

        Raises:
            DataError: the manifest is damaged or of another format version.
        """
        try:
            data = self._fs.cat_file(f"{self._root}/{MANIFEST}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        manifest = codec.from_json(data, Manifest)
        if manifest.format_version != FORMAT_VERSION:
            raise DataError(
                f"{self.join(MANIFEST)} is of format {manifest.format_version}, this program writes {FORMAT_VERSION}"
            )
        return manifest

    def require_free(self) -> None:
        """Raise ConfigError if the folder has no manifest but holds what a run would overwrite or sweep away."""
        if self._fs.isfile(self._root):
            raise ConfigError(f"{self.path!r} is a file: name a folder")
        if not self._fs.exists(self._root) or self.manifest() is not None:
            return
        held = {name.rstrip("/").rsplit("/", 1)[-1] for name in self._fs.ls(self._root, detail=False)}
        if found := sorted(held & {*TABLES, CARD, SUCCESS}):
            raise ConfigError(
                f"{self.path!r} holds {', '.join(found)}, not written by steplabel: choose another folder"
            )

    def require_manifest(self) -> Manifest:
        """The manifest; raises ConfigError if the folder is not a dataset of ours."""
        manifest = self.manifest()
        if manifest is None:
            raise ConfigError(f"{self.path!r} is no steplabel output: it holds no {MANIFEST}")
        return manifest

    def paths(self, table: str) -> list[str]:
        """Full paths of the committed files of one table; raises ConfigError if the folder is no dataset of ours."""
        return [self.join(file.path) for file in self.require_manifest().files(table)]

    def read(self, table: str) -> Iterator[Any]:
        """Stream the committed records of one table."""
        return read_records(self.paths(table), TABLES[table])

    def staging(self, chunk: int) -> str:
        """Where the files of a chunk are written before they are committed."""
        return self.join(PRIVATE, "staging", f"chunk-{chunk:05d}")

    def stage(self, chunk: int) -> str:
        """Empty and create a chunk's staging folder."""
        self._remove(f"{PRIVATE}/staging/chunk-{chunk:05d}")
        self._fs.makedirs(f"{self._root}/{PRIVATE}/staging/chunk-{chunk:05d}", exist_ok=True)
        return self.staging(chunk)

    def commit(self, manifest: Manifest, chunk: ChunkName, staged: Sequence[FileEntry], *, complete: bool) -> Manifest:
        """Move staged files to their places and extend the manifest. Doing it twice is doing it once."""
        old = manifest.chunk(chunk.index)
        files = tuple(sorted((self._place(chunk.index, f) for f in staged), key=lambda f: f.path))
        manifest = manifest.with_chunk(ChunkEntry(name=chunk, complete=complete, files=files))
        self.write_manifest(manifest)
        kept = {f.path for f in files}
        for file in old.files if old else ():
            if file.path not in kept:
                self._remove(file.path)
        self._remove(f"{PRIVATE}/staging/chunk-{chunk.index:05d}")
        return manifest

    def _place(self, index: int, file: FileEntry) -> FileEntry:
        final = f"{file.table}/chunk-{index:05d}-{file.sha256[:12]}.parquet"
        source, target = f"{self._root}/{file.path}", f"{self._root}/{final}"
        self._fs.makedirs(f"{self._root}/{file.table}", exist_ok=True)
        if self._fs.exists(source):
            self._fs.mv(source, target)
        elif not self._fs.exists(target):
            raise DataError(f"staged file {file.path} is gone and was not committed before: run the chunk again")
        return replace(file, path=final)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest (atomically on a local disk; object stores replace whole objects anyway)."""
        data = msgspec.json.format(codec.to_json(manifest), indent=1)
        self.write_text(MANIFEST, data.decode())

    def write_text(self, name: str, text: str) -> None:
        """Write a small file so that a reader sees the old or the new text, never half of one."""
        self._fs.makedirs(self._root, exist_ok=True)
        if not self.is_local:
            self._fs.pipe_file(f"{self._root}/{name}", text.encode())
            return
        temporary = f"{self._root}/{name}.{os.getpid()}.tmp"
        with open(temporary, "w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, f"{self._root}/{name}")

    def sweep(self, manifest: Manifest) -> None:
        """Remove what a killed run left behind: staged files, and table files that no manifest names."""
        named = {f.path for f in manifest.files()}
        self._remove(f"{PRIVATE}/staging")
        for name in self._fs.glob(f"{self._root}/*.tmp"):
            if name.rsplit("/", 1)[-1].startswith((MANIFEST, CARD, SUCCESS)):
                self._fs.rm(name)
        for table in TABLES:
            for name in self._fs.find(f"{self._root}/{table}"):
                relative = f"{table}/{name.rsplit('/', 1)[-1]}"
                if relative not in named and _OURS.fullmatch(relative.rpartition("/")[2]):
                    self._remove(relative)

    def set_success(self, done: bool) -> None:
        """Write or take away the `_SUCCESS` mark."""
        if done:
            self.write_text(SUCCESS, "")
        else:
            self._remove(SUCCESS)

    def _remove(self, name: str) -> None:
        target = f"{self._root}/{name}"
        if self._fs.exists(target):
            self._fs.rm(target, recursive=True)
