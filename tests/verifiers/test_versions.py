"""Verdicts and versions change together: evidence of one version is never mixed with that of other rules.

Where a test here fails because verdicts were changed on purpose, raise the verifier's version, and then write both down
anew. The steps are few; a change that none of them shows has to be remembered all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from steplabel.schemas import Problem, make_solution
from steplabel.schemas.segmentation import GivenSteps
from steplabel.verifiers import Verifier, observe
from steplabel.verifiers.registry import verifier_named


@dataclass(frozen=True)
class Pinned:
    """One verifier's rules, a problem, and what each step gets under them: h, f, u, or a dot for nothing."""

    rules: str
    problem: str
    steps: dict[str, str]


PINNED = {
    "arithmetic": Pinned(
        "4-lenient",
        "He buys 3 boxes of 4 pens, and pays 10% less.",
        {
            "So 3 * 4 = 12 pens.": "h",
            "So 3 * 4 = 13 pens.": "f",
            "He pays 10% of 20 = 2 dollars.": "h",
            "12 / 8 = 9 / EF, so EF = 6.": "u",
            "6 * 7 = 48. Wait, 6 * 7 = 42.": "u",
            "Half of 10 + 6 = 8.": "u",
            "Nothing to see.": ".",
        },
    ),
    "latex_arithmetic": Pinned(
        "4",
        "Let $x$ be a number.",
        {
            r"$2^{10} = 1024$": "h",
            r"$2^{10} = 1025$": "f",
            r"$33\frac13\% \cdot 60 = 20$": "h",
            r"$\frac{15}{45} = 20$ minutes": "u",
            r"$3 + 5^2 = 29$, so we reject this case.": "u",
            r"$(x+1)^2 = x^2 + 2x + 1$": "h",
            "Nothing to see.": ".",
        },
    ),
    "z3_entailment": Pinned(
        "3",
        "Let x be the number and let z be the rest. It is known that 3x = 30. It is known that 5z = 20.",
        {
            "6x = 60": "h",
            "Thus z = 5 is impossible, so we go on.": "u",
            "It cannot be that z = 4.": "u",
            "x^2 = 100": "h",
            "4x = 50": "f",
            "6z = 30": "u",
            "So y = 2x.": "u",
            "Nothing to see.": ".",
        },
    ),
    "logic": Pinned(
        "3",
        "hypothesis: {B}\nfact1: {A} -> {B}\nfact2: {A}\nfact3: rain happens\nfact4: everything is calm",
        {
            "fact1 & fact2 -> int1: {B}": "h",
            "fact1 -> int2: {B}": "f",
            "fact9 -> int3: {B}": "u",
            "fact3 -> int4: rain is heavy": "u",
            "From fact4 follows int5: Everything is calm.": "u",
            "From fact4 follows int6: ben is calm.": "h",
            "From fact4 follows int7: ben is tall.": "f",
            "The final answer is PROVED": "h",
        },
    ),
    "sat_task": Pinned(
        "3",
        "p cnf 2 2\n1 0\n-1 -2 0\n\nFind values that satisfy all clauses. Answer with one digit for each variable, in "
        "order: 1 for true, 0 for false.",
        {"The final answer is 10": "h", "The final answer is 11": "f", "Answer: 1": "f", "Suppose 10.": "."},
    ),
    "multistep_arithmetic": Pinned(
        "2",
        "((6 - 1)) =",
        {
            "It is 6 - 1 = 5.": "h",
            "It is 6 - 1 = 4.": "f",
            "First 6 - 1 = 5. Then 4 + 4 = 8.": "u",
            "It is 6 - 1 = 5 != 6.": "u",
        },
    ),
    "word_sorting": Pinned(
        "1",
        "ion ale",
        {'The first letter: "ale": "a" (1). "ion": "i" (9).': "h", "The answer is ion ale": "f"},
    ),
}


@pytest.mark.parametrize("name", PINNED)
def test_verdicts_are_those_of_their_version(name: str) -> None:
    """The version's own number, and the verdict of each step."""
    pinned, verifier = PINNED[name], verifier_named(name)
    assert isinstance(verifier, Verifier)
    problem = Problem(id="p", text=pinned.problem, domain=min(verifier.domains, default=""))
    solution = make_solution(problem, GivenSteps(separator="\n").join(tuple(pinned.steps)))
    said = {one.subject: str(one.verdict)[0] for one in observe(verifier, problem, solution)}
    found = dict(zip(pinned.steps, (said.get(key, ".") for key in solution.node_keys), strict=True))
    assert (verifier.version.replace("+", "/").split("/")[0], found) == (pinned.rules, pinned.steps)
