"""Messages between a process and its worker: 4 bytes of length (big-endian), then that much JSON."""

from __future__ import annotations

import json
import struct
from typing import Any

HEADER = struct.Struct(">I")
MAX_FRAME = 1 << 20
"""No message is longer: what is asked is screened before, and a reply says a few things about it."""

Message = dict[str, Any]


def encode_frame(message: Message) -> bytes:
    """One message with its header; equal messages are equal bytes.

    Raises:
        ValueError: it is longer than `MAX_FRAME`.
    """
    body = json.dumps(message, sort_keys=True).encode()
    if len(body) > MAX_FRAME:
        raise ValueError(f"a message of {len(body):,} bytes; at most {MAX_FRAME:,} travel")
    return HEADER.pack(len(body)) + body


def decode_body(body: bytes) -> Message:
    """One message from the bytes behind its header."""
    message: Message = json.loads(body)
    return message
