"""A scripted model for processes: it writes down every sample it is asked for, and takes its time."""

from __future__ import annotations

import os
import time

import steplabel
from steplabel.engines.bundled.solver import sloppy
from steplabel.engines.port import GenerateRequest
from steplabel.schemas import content_id

LOG = "STEPLABEL_TEST_LOG"
PACE = "STEPLABEL_TEST_SECONDS"
SECONDS = 0.002


def solve(request: GenerateRequest, index: int, seed: int) -> str:
    """`sloppy`, with one line in the log for each sample: what was asked, by which process, from which package."""
    key = content_id("asked", request.prompt.text, request.prefix, request.seed, index)
    line = f"{key} {os.getpid()} {steplabel.__file__}\n"
    handle = os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, line.encode())  # one short append is atomic, so processes may share the file
    os.close(handle)
    time.sleep(float(os.environ.get(PACE, SECONDS)))
    return sloppy(request, index, seed)
