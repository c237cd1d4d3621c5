"""The child process in which math-verify and sympy run, and may hang, crash or eat memory without harm.

Started as `python -m steplabel.verifiers.maths_worker MEMORY_MB PARENT_PID` with pipes on its standard input
and output; `frames` has the format. One request at a time. It ends when its input ends or its parent is gone.
Its limits: address space, and for each request CPU seconds; the wall clock belongs to the parent, who kills.
math-verify's own timeouts are alarms on the main thread and stay off.
"""

from __future__ import annotations

import logging
import os
import resource
import sys
import threading
import time
from typing import Any, BinaryIO

from math_verify import LatexExtractionConfig, parse, verify
from math_verify.parser import NormalizationConfig

from steplabel.verifiers.frames import HEADER, MAX_FRAME, Message, decode_body, encode_frame

_PRECISION = 15


def read_frame(stream: BinaryIO) -> Message | None:
    """Read one message; None at the end of the stream."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (size,) = HEADER.unpack(header)
    body = stream.read(size) if size <= MAX_FRAME else b""
    return decode_body(body) if len(body) == size else None


def compare(gold: str, answer: str) -> Message:
    """Parse both and compare them both ways.

    Returns:
        `parsed`: whether both were read as mathematics. `equal`: gold against answer; `reverse`: the other
        way round, since math-verify is not symmetric. `gold_value`, `answer_value`: decimal digits where both
        are real numbers, so that the caller may judge rounding by its own policy.
    """
    left, right = _parsed(gold), _parsed(answer)
    if left is None or right is None:
        return {"parsed": False}
    equal = bool(verify(left, right, timeout_seconds=None))
    reverse = bool(verify(right, left, timeout_seconds=None))
    values = (_value(left), _value(right)) if not equal else ("", "")
    return {
        "parsed": True,
        "equal": equal,
        "reverse": reverse,
        "gold_value": values[0],
        "answer_value": values[1],
    }


def _parsed(text: str) -> Any:
    # units: our caller took them off; left on, the variables t and g vanish from formulas as tons and grams.
    tidy = NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="all", equations=False
    )
    # The whole box or nothing: without these modes a fragment of what cannot be parsed would be compared.
    found = parse(
        rf"\boxed{{{text}}}",
        extraction_config=[LatexExtractionConfig(boxed_match_priority=0, normalization_config=tidy)],
        fallback_mode="no_fallback",
        extraction_mode="first_match",
        parsing_timeout=None,
    )
    return found[0] if found else None


def _value(expression: Any) -> str:
    if not getattr(expression, "is_number", False):
        return ""
    value = expression.evalf(_PRECISION)
    return str(value) if value.is_Float or value.is_Integer else ""


def _limit(memory_mb: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_cpu(seconds: float) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 2
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _answer(request: Message) -> Message:
    _limit_cpu(float(request["seconds"]))
    try:
        return compare(request["gold"], request["answer"])
    except (MemoryError, RecursionError) as error:
        return {"error": type(error).__name__}
    except Exception as error:  # noqa: BLE001 - sympy raises anything on odd input; the parent gets its name
        return {"parsed": False, "error": type(error).__name__}


def _send(stream: BinaryIO, message: Message) -> None:
    stream.write(encode_frame(message))
    stream.flush()


def _end_with(parent: int) -> None:
    """End this process when its parent does, even in the middle of a question."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def main() -> None:
    """Serve requests until the input ends."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # libraries that print must not write into the frames
        os.dup2(quiet, descriptor)
    logging.disable(logging.CRITICAL)
    _limit(int(sys.argv[1]))
    threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
    _send(replies, {"ready": True})
    while (request := read_frame(requests)) is not None:
        _send(replies, _answer(request))


if __name__ == "__main__":
    main()
