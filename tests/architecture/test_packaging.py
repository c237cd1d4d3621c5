"""The packaging: one import package from many folders, and nothing forgotten."""

from __future__ import annotations

import runpy
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import steplabel


def listed_packages(repository: Path) -> set[str]:
    """What setup.py's own function finds, without running setup()."""
    source = (repository / "setup.py").read_text(encoding="utf-8").split("\nsetup(")[0]
    names: dict[str, object] = {}
    exec(compile(source, "setup.py", "exec"), names)
    found = names["packages"]
    assert callable(found)
    return set(found())


def test_every_folder_with_python_is_a_listed_package(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder of a room is left out of the distribution."""
    monkeypatch.chdir(repository)
    rooms = ("schemas", "engines", "annotators", "verifiers", "labels", "transforms", "pipelines")
    on_disk = {"steplabel"}
    for room in rooms:
        for path in (repository / room).rglob("*.py"):
            on_disk.add("steplabel." + ".".join(path.parent.relative_to(repository).parts))
    assert listed_packages(repository) == on_disk


def test_every_package_is_typed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each package ships py.typed, without which checkers of our users see nothing."""
    monkeypatch.chdir(repository)
    for name in listed_packages(repository):
        folder = (
            repository / "src/steplabel"
            if name == "steplabel"
            else repository / name.split(".", 1)[1].replace(".", "/")
        )
        assert (folder / "py.typed").is_file(), name
        assert (folder / "__init__.py").is_file(), name


def test_version_is_said_once(repository: Path) -> None:
    """The package's version is the one in version.py."""
    namespace = runpy.run_path(str(repository / "src/steplabel/version.py"))
    assert steplabel.__version__ == namespace["__version__"]


@pytest.mark.slow
def test_sdist_builds_a_wheel_that_imports(repository: Path, tmp_path: Path) -> None:
    """The source distribution holds everything: a wheel built from it imports, with weights and types."""
    build = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--sdist",
        "--outdir",
        str(tmp_path),
        str(repository),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert not [n for n in names if "/.venv/" in n or ("/tests/" in n and n.endswith(".sqlite"))]
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(target), str(sdist)], check=True, capture_output=True)
    probe = (
        "import sys; sys.path.insert(0, sys.argv[1]); import steplabel, steplabel.pipelines.cli; "
        "from steplabel.engines.bundled import weights_path; "
        "assert steplabel.__file__.startswith(sys.argv[1]), steplabel.__file__; "
        "assert (weights_path() / 'model.safetensors').is_file()"
    )
    subprocess.run([sys.executable, "-c", probe, str(target)], check=True, cwd=tmp_path)
