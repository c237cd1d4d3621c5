"""Plays a model that solves "a + b, then twice that" and can write a solution as formulas."""

from __future__ import annotations

import json
import re
from typing import Any

from steplabel.engines import GenerateRequest
from steplabel.engines.scripted import plain_text


def play(request: GenerateRequest, index: int, seed: int) -> str:
    """The solution of a problem, its second step wrong in odd samples; or that solution as JSON."""
    del seed
    text = plain_text(request.prompt)
    first, second = map(int, re.findall(r"[0-9]+", text.rpartition("Start with ")[2])[:2])
    if "Solution:" not in text:
        total = first + second
        return f"x = {total}\ny = {2 * total + index % 2}\nAnswer: {2 * total + index % 2}"
    said = [int(number) for number in re.findall(r"[xy] = ([0-9]+)", text.rpartition("Solution:")[2])]
    x, y = {"name": "x"}, {"name": "y"}
    steps: list[dict[str, Any]] = [
        {"step": number, "claim": {"op": "=", "args": [name, value]}, "kind": "derivation"}
        for number, (name, value) in enumerate(zip((x, y), said, strict=True), 1)
    ]
    given = {"op": "=", "args": [x, {"op": "+", "args": [first, second]}]}
    twice = {"op": "=", "args": [y, {"op": "*", "args": [2, x]}]}
    return json.dumps(
        {
            "declarations": [{"name": "x", "sort": "Int"}, {"name": "y", "sort": "Int"}],
            "assumptions": [{"label": "sum", "formula": given}, {"label": "double", "formula": twice}],
            "steps": steps,
        }
    )
