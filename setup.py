"""One import package, `steplabel`, from folders that stand at the top of the repository.

The map lives here because setuptools cannot express a computed `package_dir` in pyproject.toml.
Plain top-level packages would clash: PyPI's `verifiers` overwrites ours in site-packages silently.
"""

from __future__ import annotations

from setuptools import find_packages, setup

ROOMS = ("schemas", "engines", "annotators", "verifiers", "labels", "transforms", "pipelines")


def packages() -> list[str]:
    """Every package of every room, found on disk so that a new sub-package cannot be forgotten."""
    found = ["steplabel"]
    for room in ROOMS:
        found.append(f"steplabel.{room}")
        found += [f"steplabel.{room}.{name}" for name in find_packages(room)]
    return found


setup(
    packages=packages(),
    package_dir={"steplabel": "src/steplabel"} | {f"steplabel.{room}": room for room in ROOMS},
    package_data={"": ["py.typed"], "steplabel.engines.bundled": ["weights/*"]},
)
