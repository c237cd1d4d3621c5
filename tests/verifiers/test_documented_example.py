"""The verifier that docs/verifiers.md shows is one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from steplabel.schemas import NewlineSteps, Problem, Verdict, make_solution
from steplabel.verifiers import Verifier, observe


def test_the_documented_verifier(repository: Path) -> None:
    """It meets the port, and decides its own examples."""
    text = (repository / "docs" / "verifiers.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {"__name__": "documented"}
    exec(compile(code, "docs/verifiers.md", "exec", dont_inherit=True), names)
    verifier: Verifier[Any] = names["Parity"]()
    assert isinstance(verifier, Verifier)
    problem = Problem(id="p", text="Which numbers are even?")
    steps = NewlineSteps().split("4 is even.\n4 is odd.\nWho knows?\n3 is odd and 3 is even.\n")
    solution = make_solution(problem, steps)
    said = {one.subject: one.verdict for one in observe(verifier, problem, solution)}
    found = [said.get(key) for key in solution.node_keys]
    assert found == [Verdict.HOLDS, Verdict.FAILS, None, Verdict.FAILS]
