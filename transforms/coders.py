"""How records travel between Beam stages: as MessagePack, checked on arrival.

Beam's fallback is pickle, which is larger, slower and breaks when a class moves between two versions of a worker.
"""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from apache_beam import coders

from steplabel.schemas import Evidence, LabelRow, Reject, codec


class RecordCoder(coders.Coder):  # type: ignore[misc]  # Beam publishes no types
    """Coder of one record type. Deterministic: equal records give equal bytes, so they may be keys."""

    def __init__(self, record: type) -> None:
        self.record = record

    def encode(self, value: Any) -> bytes:
        """Record to bytes."""
        return codec.to_msgpack(value)

    def decode(self, encoded: bytes) -> Any:
        """Bytes to record; raises DataError if they are not one."""
        return codec.from_msgpack(encoded, self.record)

    def is_deterministic(self) -> bool:
        """Fields are written in a fixed order."""
        return True

    def to_type_hint(self) -> type:
        """The record type this coder stands for."""
        return self.record

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordCoder) and other.record is self.record

    def __hash__(self) -> int:
        return hash((RecordCoder, self.record))


def _coder_class(record: type) -> type[RecordCoder]:
    """Beam's registry wants one class a type, which it instantiates through `from_type_hint`."""

    def from_type_hint(*_: Any) -> RecordCoder:
        return RecordCoder(record)

    return type(f"{record.__name__}Coder", (RecordCoder,), {"from_type_hint": staticmethod(from_type_hint)})


def register_coders() -> None:
    """Teach Beam the records that cross stages. Called once, when `steplabel.transforms` is imported."""
    for record in (Evidence, LabelRow, Reject):
        beam.coders.registry.register_coder(record, _coder_class(record))
