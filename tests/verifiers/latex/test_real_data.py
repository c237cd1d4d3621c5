"""Steps of real models that people have marked: many are decided, and of the right ones none fails wrongly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from steplabel.schemas import Verdict
from steplabel.schemas.layouts.processbench import evidence_of, read_gold_steps
from steplabel.verifiers.latex.verifier import LatexVerifier
from steplabel.verifiers.port import observe

pytestmark = [pytest.mark.data, pytest.mark.slow]
WRONG_IN_FACT = {
    "math-106/10": "(9*8*7*6*5*4) / (7*6*5*4*3*2*1) is 12, not 36",
    "math-106/11": "(9*8*7*6*5*4) / (8*7*6*5*4*3*2*1) is 3/2, not 9",
    "math-164/4": "(28*27*26*25) / (4*3*2*1) is not (28*27*13*25) / 4",
}
"""Right steps that fail and should: read by hand."""


def test_right_steps_of_math_solutions(data_dir: Path) -> None:
    """Of the steps before the first error, at least 30 % are decided; none fails but what is wrong in fact."""
    verifier, right, decided, failing = LatexVerifier(), 0, 0, []
    for row in json.loads((data_dir / "processbench/math.first500.json").read_text(encoding="utf-8")):
        gold = read_gold_steps(row, line=row["id"])
        evidence = evidence_of(gold)
        (solution,) = evidence.solutions
        nodes = solution.nodes(evidence.problem.root_key)
        last = len(nodes) if gold.first_error in (None, -1) else gold.first_error
        verdicts = {o.subject: o.evidence for o in observe(verifier, evidence.problem, solution)}
        for number, node in enumerate(nodes[:last]):
            claims = json.loads(verdicts.get(node.key, "[]"))
            found = {claim["verdict"] for claim in claims}
            right += 1
            decided += bool(found & {Verdict.HOLDS, Verdict.FAILS})
            failing += [f"{gold.id}/{number}"] if Verdict.FAILS in found else []
    assert decided / right >= 0.30
    assert set(failing) <= set(WRONG_IN_FACT)
