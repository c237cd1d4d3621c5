"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return REPOSITORY


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The reference data sets (see CONTRIBUTING.md): $STEPLABEL_DATA, else `shared/data` beside the checkout."""
    path = Path(os.environ.get("STEPLABEL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip("reference data not present: set STEPLABEL_DATA to its folder")
    return path
