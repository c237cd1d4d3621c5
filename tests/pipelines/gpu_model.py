"""A scripted model that claims to need a GPU, and writes down which one its process was given."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from steplabel.engines.bundled.solver import sloppy
from steplabel.engines.scripted import ScriptedEngine


@dataclass(frozen=True)
class GpuSpec:
    """Opens in a worker that has taken its GPU; who it is can be known without."""

    log: str
    gpus: int = 1

    def open(self) -> ScriptedEngine:
        Path(self.log, str(os.getpid())).write_text(os.environ["CUDA_VISIBLE_DEVICES"], encoding="ascii")
        return ScriptedEngine(sloppy)

    def preview(self) -> ScriptedEngine:
        return ScriptedEngine(sloppy)
