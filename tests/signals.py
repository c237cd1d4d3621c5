"""Signals of processes that tests start."""

from __future__ import annotations

import signal


def listen_to_ctrl_c() -> None:
    """A shell starts its background jobs deaf to Ctrl-C, and their children inherit it: CI may be such a job."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
