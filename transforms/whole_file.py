"""A file that is seen whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO

import fsspec


@contextmanager
def whole_file(path: str) -> Iterator[IO[bytes]]:
    """Write a file beside its place, and move it there when the block ends well; else nothing is left of it.

    On a local disk the move replaces what was there at once, so that a kill leaves the old file or the new one.
    """
    fs, name = fsspec.core.url_to_fs(path)
    fs.makedirs(str(PurePosixPath(name).parent), exist_ok=True)
    local = isinstance(fs, fsspec.implementations.local.LocalFileSystem)
    temporary = f"{name}.{os.getpid()}.tmp"
    try:
        with fs.open(temporary, "wb") as handle:
            yield handle
            if local:
                handle.flush()
                os.fsync(handle.fileno())
        if local:
            os.replace(temporary, name)
        else:
            fs.mv(temporary, name)
    except BaseException:
        if fs.exists(temporary):
            fs.rm(temporary)
        raise
