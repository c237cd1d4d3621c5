"""Files of rows, and the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steplabel.pipelines import cli


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., str]:
    """Write rows, or lines as they are, to a file."""

    def write(*lines: Any, name: str = "rows.jsonl") -> str:
        path = tmp_path / name
        path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines))
        return str(path)

    return write


@pytest.fixture
def steplabel(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Run a command line and return exit code and everything it printed."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> tuple[int, str]:
        capfd.readouterr()
        code = cli.guarded(lambda: cli.app(list(map(str, arguments))))
        printed = capfd.readouterr()
        return code, printed.out + printed.err

    return call
