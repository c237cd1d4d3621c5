"""Beam logs bundles, starting workers, and each error of a worker, which is raised in the parent anyway."""

from __future__ import annotations

import logging


def quieten_beam() -> None:
    """Let Beam and its wire say nothing that is not critical, in this process."""
    for name in ("apache_beam", "grpc"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
