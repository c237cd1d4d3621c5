"""Solutions written down as JSON: what fails there, what a bad document costs, and what citations mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import Problem, Reason, Solution, Step, StepKind, Verdict, make_solution
from steplabel.verifiers import Verifier, observe
from steplabel.verifiers.entailment import FormalisationVerifier
from steplabel.verifiers.entailment.formalisation import MAX_CHARS, MAX_CLAIMS

PROBLEM = Problem(id="p", text="How many?")
X, Y = {"name": "x"}, {"name": "y"}


def op(operator: str, *args: Any) -> dict[str, Any]:
    return {"op": operator, "args": list(args)}


def step(number: int, claim: Any, kind: str = "derivation", **cites: Any) -> dict[str, Any]:
    return {"step": number, "claim": claim, "kind": kind, **cites}


def document(*steps: Any, given: tuple[Any, ...] = (), sort: str = "Int") -> str:
    return json.dumps(
        {
            "declarations": [{"name": name, "sort": sort} for name in "xy"],
            "assumptions": [{"label": f"given {i}", "formula": one} for i, one in enumerate(given, 1)],
            "steps": steps,
        }
    )


def solution(count: int, kinds: Callable[[int], StepKind] = lambda _: StepKind.TEXT) -> Solution:
    return make_solution(PROBLEM, tuple(Step(text=f"step {i}\n", kind=kinds(i)) for i in range(1, count + 1)))


def found(text: str, count: int = 4) -> list[tuple[str, Verdict, str]]:
    """Each claim's place, verdict and reason without its detail."""
    solved = solution(count)
    verifier = FormalisationVerifier(formalisations={solved.id: text})
    claims = list(verifier.claims(PROBLEM, solved))
    findings = [verifier.verify(claim) for claim in claims]
    assert findings == verifier.verify_all(claims)
    return [(c.quote, f.verdict, f.reason.split(":")[0]) for c, f in zip(claims, findings, strict=True)]


def verdicts(text: str, count: int = 4) -> list[tuple[Verdict, str]]:
    return [(verdict, reason) for _, verdict, reason in found(text, count)]


TOTAL = op("=", op("+", X, Y), 10)
SQUARE = op("=", op("**", X, 2), 9)
ENTAILED, NEW = (Verdict.HOLDS, "entailed"), (Verdict.UNKNOWN, "new_assumption")


@pytest.mark.parametrize("cite", ["equation (1)", "1.1", "the first step", "given 9", ""])
def test_citations_that_cannot_be_told_never_make_a_step_fail(cite: str) -> None:
    """What is cited may be the step that could not be read; where all could be read, all earlier claims count."""
    unreadable, claim = step(1, op("cube", X)), step(2, op("=", Y, 5), cites=[cite])
    assert verdicts(document(unreadable, claim, given=(TOTAL,)))[-1] == (Verdict.UNKNOWN, "not_entailed")
    assert verdicts(document(step(1, op("=", X, 5), "modelling"), claim, given=(TOTAL,)))[-1] == ENTAILED


def test_a_step_is_cited_by_its_number_however_written() -> None:
    """ "01" and "Step 1" are step 1."""
    for cite in ("01", "Step 1", " 1 "):
        said = verdicts(document(step(1, op("=", X, 5)), step(2, op("=", Y, 5), cites=[cite]), given=(TOTAL,)))
        assert said[-1] == ENTAILED


def test_meets_the_port():
    """It observes, and says which tool and budget it had."""
    solved = solution(2)
    text = document(step(1, op("=", Y, 4)), given=(TOTAL, op("=", X, 6)))
    verifier = FormalisationVerifier(formalisations={solved.id: text})
    assert isinstance(verifier, Verifier)
    (observation,) = observe(verifier, PROBLEM, solved)
    assert (observation.source, observation.verdict) == ("z3_formalisation", Verdict.HOLDS)
    assert observation.subject == solved.node_keys[0]
    assert "given 1" in observation.evidence
    assert verifier.version in f"2/{observation.tool_version.split()[1]}/{observation.budget}"


@pytest.mark.parametrize(
    ("given", "claim", "expected"),
    [
        ((TOTAL, op("=", X, 6)), op("=", Y, 4), ENTAILED),
        ((TOTAL, op("=", X, 6)), op("=", Y, 5), (Verdict.FAILS, "refuted")),
        ((TOTAL,), op("=", Y, 5), (Verdict.FAILS, "not_entailed")),
        ((SQUARE,), op("=", X, 3), (Verdict.FAILS, "not_entailed")),
        ((op("=", op("*", X, Y), 0),), op("=", op("/", X, Y), 0), (Verdict.FAILS, "undefined")),
        ((op("=", X, 1), op("=", X, 2)), op("=", X, 3), (Verdict.UNKNOWN, "inconsistent_context")),
        ((op("=", op("%", X, 6), 5),), op("=", op("%", X, 3), 2), ENTAILED),
        ((op("=", X, 1),), op("=", op("sin", X), 1), (Verdict.UNKNOWN, Reason.UNSUPPORTED)),
        ((op("=", X, 1),), op("=", op("**", op("**", X, 64), 64), 1), (Verdict.UNKNOWN, Reason.UNSUPPORTED)),
    ],
    ids=["holds", "refuted", "underdetermined", "lost root", "undefined", "inconsistent", "modulo", "sine", "powers"],
)
def test_derivations(given, claim, expected):
    """What was stated to follow fails where it does not; a solver that cannot tell is no verdict."""
    assert verdicts(document(step(1, claim), given=given)) == [expected]


def test_an_irrational_case_fails_nothing():
    """x*x = 2 does not entail x = sqrt 2, but exact arithmetic cannot compute the case."""
    root = op("=", X, op("root", 2, 2))
    text = document(step(1, root), given=(op("=", op("**", X, 2), 2),), sort="Real")
    assert verdicts(text) == [(Verdict.UNKNOWN, "not_entailed")]


@pytest.mark.parametrize("kind", ["modelling", "unmarked"])
def test_only_derivations_fail_by_not_following(kind):
    """What brings something in cannot follow; where nobody said, words may stand between."""
    reason = "new_assumption" if kind == "modelling" else "not_entailed"
    assert verdicts(document(step(1, op("=", Y, 5), kind), given=(TOTAL,))) == [(Verdict.UNKNOWN, reason)]


def test_modelling_may_contradict():
    """What cannot be true together with the problem fails, whatever it was meant to be."""
    text = document(step(1, op("=", X, 7), "modelling"), given=(op("=", X, 6),))
    assert verdicts(text) == [(Verdict.FAILS, "refuted")]


def test_a_new_name_is_modelling_whatever_it_says():
    """Nothing before it speaks of y, so nothing can entail it."""
    assert verdicts(document(step(1, op("=", Y, 5)), given=(op("=", X, 6),))) == [NEW]


def test_earlier_claims_are_assumed_even_if_wrong():
    """Each step is judged by what it was built on."""
    steps = (step(1, op("=", X, 7)), step(2, op("=", op("*", 2, X), 14)))
    assert verdicts(document(*steps, given=(op("<", X, 9),))) == [(Verdict.FAILS, "not_entailed"), ENTAILED]


def test_citations():
    """A claim follows from what it cites, or from more than that, which is unknown, or not at all."""
    first, second = step(1, op("=", X, 6)), step(2, op("=", Y, 4))
    doubled = op("=", op("*", 2, X), 12)
    cited = {cite: step(3, doubled, cites=[cite]) for cite in ("1", "step 2", "given 1")}
    last = {
        cite: verdicts(document(first, second, one, given=(TOTAL, op("<", X, 20))))[-1] for cite, one in cited.items()
    }
    beyond = (Verdict.UNKNOWN, "not_from_cites")
    assert last == {"1": ENTAILED, "step 2": ENTAILED, "given 1": beyond}  # with the total, y = 4 gives x = 6


def test_steps_may_claim_several_things_or_nothing():
    """Claims keep their step's node and their place in it; tool output is context without a claim."""
    solved = solution(3, lambda i: StepKind.OBSERVATION if i == 2 else StepKind.TEXT)
    steps = (step(1, op("=", X, 6)), step(1, op(">", X, 5)), step(2, op("=", Y, 4)), step(3, TOTAL))
    verifier = FormalisationVerifier(formalisations={solved.id: document(*steps)})
    claims = list(verifier.claims(PROBLEM, solved))
    assert [(claim.quote, claim.subject) for claim in claims] == [
        ("step 1.1", solved.node_keys[0]),
        ("step 1.2", solved.node_keys[0]),
        ("step 3.1", solved.node_keys[2]),
    ]
    assert verifier.verify(claims[-1]).verdict is Verdict.HOLDS


def test_one_bad_formula_costs_its_step_and_what_may_rest_on_it():
    """It is unparsable; what could have followed from it does not fail; what cites only sound steps may."""
    bad = step(1, {"op": "solve", "args": []})
    open_, cited = step(2, op("=", Y, 5)), step(3, op("=", Y, 5), cites=["given 1"])
    assert verdicts(document(bad, open_, given=(TOTAL,))) == [
        (Verdict.UNKNOWN, Reason.UNPARSABLE),
        (Verdict.UNKNOWN, "not_entailed"),
    ]
    assert verdicts(document(bad, cited, given=(TOTAL,)))[-1] == (Verdict.FAILS, "not_entailed")


def test_a_citation_of_what_comes_later_is_unparsable():
    """No proof rests on its future."""
    assert verdicts(document(step(1, TOTAL, cites=["3"]), given=(TOTAL,))) == [(Verdict.UNKNOWN, Reason.UNPARSABLE)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "{}",
        document(step(0, TOTAL)),
        document(step(5, TOTAL)),
        document(step(2, TOTAL), step(1, TOTAL)),
        document(step(1, TOTAL, kind="guess")),
        document(given=({"op": "="},)),
        document(given=(1.5,)),
        document(sort="Complex"),
        document(*[step(1, True)] * (MAX_CLAIMS + 1)),
        '{"declarations": [], "assumptions": [], "steps": ' + "[" * 20_000,
        '{"declarations": [], "assumptions": [{"label": "a", "formula": ' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "}]}",
        " " * (MAX_CHARS + 1),
    ],
    ids=[
        "empty", "no json", "list", "no fields", "step 0", "no such step", "falling", "kind", "formula", "float",
        "sort", "many", "open brackets", "deep", "long",
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_used(text):
    """One claim about the solution, unparsable, and no exception."""
    assert found(text) == [("", Verdict.UNKNOWN, Reason.UNPARSABLE)]


def test_undeclared_names_are_unsupported():
    """The step is unknown, and so is what may rest on it."""
    z = op("=", {"name": "z"}, 1)
    text = document(step(1, z), step(2, op("=", X, 6)), given=(op("=", X, 6),))
    assert verdicts(text) == [(Verdict.UNKNOWN, Reason.UNSUPPORTED)] * 2


def test_a_solution_without_a_formalisation_claims_nothing():
    """There is nothing to read."""
    assert list(FormalisationVerifier(formalisations={}).claims(PROBLEM, solution(2))) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["+", "=", "x", "Int", "and"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["op", "args", "name", "step", "claim", "steps", "declarations", "assumptions"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_gives_claims_or_one_that_is_unparsable(value):
    """Reading raises nothing."""
    solved = solution(2)
    whole = {"declarations": [{"name": "x", "sort": "Int"}], "assumptions": [], "steps": [{"step": 1, "claim": value}]}
    for text in (json.dumps(value), json.dumps(whole)):
        for claim in FormalisationVerifier(formalisations={solved.id: text}).claims(PROBLEM, solved):
            assert claim.subject in (solved.id, solved.node_keys[0])
