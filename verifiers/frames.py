"""Messages between a process and its worker: 4 bytes of length (big-endian), then that much JSON."""

from __future__ import annotations

import json
import struct
from typing import Any

HEADER = struct.Struct(">I")
MAX_FRAME = 1 << 20
"""No message is longer: what is asked is screened to a few kilobytes, the reply is a few numbers."""

Message = dict[str, Any]


def encode_frame(message: Message) -> bytes:
    """One message with its header."""
    body = json.dumps(message).encode()
    return HEADER.pack(len(body)) + body


def decode_body(body: bytes) -> Message:
    """One message from the bytes behind its header."""
    message: Message = json.loads(body)
    return message
