"""Records to bytes and back: JSON for people and files, MessagePack between processes.

Types are enforced on entry, and records check themselves, so what was decoded can be trusted.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from steplabel.schemas.errors import DataError

T = TypeVar("T")


def to_json(record: Any) -> bytes:
    """One record as JSON with its fields in a fixed order: equal records give equal bytes."""
    return msgspec.json.encode(record, order="deterministic")


def from_json(data: bytes | str, kind: type[T]) -> T:
    """Read a record.

    Raises:
        DataError: not JSON, a field missing or of the wrong type, or a value its record refuses.
    """
    return _decoded(lambda: msgspec.json.decode(data, type=kind), kind)


def to_msgpack(record: Any) -> bytes:
    """One record as MessagePack."""
    return msgspec.msgpack.encode(record)


def from_msgpack(data: bytes, kind: type[T]) -> T:
    """Read a record written by `to_msgpack`. Raises DataError as `from_json` does."""
    return _decoded(lambda: msgspec.msgpack.decode(data, type=kind), kind)


def plain_from_msgpack(data: bytes) -> dict[str, Any]:
    """What `to_builtins` says of a record written by `to_msgpack`, without making the record: four times as fast.

    Only for bytes that this program wrote: nothing is checked.
    """
    plain: dict[str, Any] = msgspec.msgpack.decode(data)
    return plain


def to_builtins(record: Any) -> dict[str, Any]:
    """A record as plain dicts, lists and scalars."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain


def from_builtins(row: Any, kind: type[T], *, strict: bool = True) -> T:
    """Build a record from plain values; not strict takes "8" for 8. Raises DataError as `from_json` does."""
    return _decoded(lambda: msgspec.convert(row, kind, strict=strict), kind)


def _decoded(decode: Any, kind: type[T]) -> T:
    try:
        record: T = decode()
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise DataError(f"not a {kind.__name__}: {error}") from error
    return record
