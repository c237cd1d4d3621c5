"""What a user names as `package.module:name`."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from steplabel.schemas import ConfigError
from steplabel.schemas.named import named_function, named_object


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The name of a new importable module; each test has its own."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"named_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(getattr(request, "param", ""))
    return name


def test_what_stands_there() -> None:
    """Of any type; a function if one is wanted."""
    assert named_object("math:pi", what="the number") == math.pi
    assert named_function("os:path.join", what="the function")("a", "b") == "a/b"


@pytest.mark.parametrize("name", ["math", "math:", ":pi", "", ":"])
def test_no_name(name: str) -> None:
    """The error says how a name reads."""
    with pytest.raises(ConfigError, match=r"must read 'package.module:name'"):
        named_object(name, what="the number")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no_such_module:x", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("math:no_such", "AttributeError: .*no_such"),
        ("not a module:x", "ValueError: invalid format"),
    ],
)
def test_nothing_there(name: str, why: str) -> None:
    """The error says what is looked for, and why there is none."""
    with pytest.raises(ConfigError, match=f"^cannot import the number '{name}': {why}"):
        named_object(name, what="the number")


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("import sys\nsys.exit()", "SystemExit$"),
        ("import sys\nsys.exit(0)", "SystemExit: 0$"),
        ("import sys\nsys.exit('no licence')", "SystemExit: no licence$"),
        ("1 / 0", "ZeroDivisionError: division by zero$"),
        ("def broken(:", "SyntaxError: "),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'$"),
    ],
    indirect=["module"],
    ids=["exit", "exit 0", "exit with words", "an error", "no Python", "a missing import"],
)
def test_a_module_that_cannot_be_imported(module: str, why: str) -> None:
    """Whatever it does, the command ends with one clear line, never without a word."""
    with pytest.raises(ConfigError, match=f"^cannot import verifier '{module}:x': {why}"):
        named_object(f"{module}:x", what="verifier")


def test_no_function() -> None:
    """The error says what stands there instead."""
    with pytest.raises(ConfigError, match="the redaction 'math:pi' is not a function but float"):
        named_function("math:pi", what="the redaction")
