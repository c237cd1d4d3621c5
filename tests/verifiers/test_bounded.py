"""Users' verifiers in a process that can be killed: what hangs, dies or raises there, and that the rest is as ever."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from steplabel.schemas import ConfigError, Observation, Problem, Reason, Solution, Verdict, make_solution
from steplabel.schemas.segmentation import GivenSteps
from steplabel.verifiers import BatchVerifier, InformedVerifier, SiblingVerifier, Verifier, close_workers, observe
from steplabel.verifiers.bounded import Bounded, VerifierRaisedError
from steplabel.verifiers.registry import verifier_named

SOURCE = '''
import os, time
from dataclasses import dataclass
from steplabel.schemas import Verdict
from steplabel.verifiers.port import Claim, Finding


@dataclass(frozen=True)
class Obeys:
    """Does what the step says."""

    strict: bool = False
    name: str = "obeys"
    version: str = "7"
    domains: frozenset = frozenset({"orders"})

    def claims(self, problem, solution):
        for key, step in zip(solution.node_keys, solution.steps, strict=True):
            yield Claim(subject=key, body=step.text.strip(), quote=step.text.strip())

    def verify(self, claim):
        print("noise")
        if claim.body == "hang":
            while True:
                pass
        if claim.body == "sleep":
            time.sleep(600)
        if claim.body == "die":
            os._exit(0)
        if claim.body == "eat":
            return [0] * 10**10
        if claim.body == "raise":
            raise LookupError("what now?")
        if claim.body == "leave":
            raise SystemExit(3)
        verdict = Verdict.FAILS if self.strict else Verdict.HOLDS
        return Finding(verdict=verdict, reason="done", evidence=claim.body, tool="hands", tool_version="2", budget="1")


@dataclass(frozen=True)
class Compares:
    name: str = "compares"
    version: str = "1"
    domains: frozenset = frozenset()

    def compare(self, problem, solutions):
        return ()
'''


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A module of a user's, which other processes find, too."""
    folder = tmp_path_factory.mktemp("users")
    (folder / "users_bounded_checks.py").write_text(SOURCE, encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield "users_bounded_checks"
    sys.path.remove(str(folder))
    close_workers()


def solved(*steps: str) -> tuple[Problem, Solution]:
    problem = Problem(id="p", text="What to do?", domain="orders")
    return problem, make_solution(problem, GivenSteps(separator="\n").join(steps))


def said(verifier: Bounded, *steps: str) -> tuple[Observation, ...]:
    return observe(verifier, *solved(*steps))


def test_it_says_what_the_verifier_says(users: str) -> None:
    """Name, version, domains, options and observations are the verifier's own, whatever it prints."""
    bounded, plain = Bounded(made_by=f"{users}:Obeys"), verifier_named(f"{users}:Obeys")
    assert isinstance(bounded, Verifier)
    assert not isinstance(bounded, BatchVerifier | InformedVerifier | SiblingVerifier)
    assert (bounded.name, bounded.version, bounded.domains) == (plain.name, plain.version, plain.domains)
    assert said(bounded, "one", "two") == observe(plain, *solved("one", "two"))
    (strict,) = said(Bounded(made_by=f"{users}:Obeys", strict=True), "one")
    assert strict.verdict is Verdict.FAILS
    assert pickle.loads(pickle.dumps(bounded)) == bounded


def test_ours_may_be_bounded() -> None:
    """By their own names; batches are decided together there, as they are here."""
    problem = Problem(id="p", text="What is 2 + 3?")
    solution = make_solution(problem, GivenSteps(separator="\n").join(("2 + 3 = 5", "5 + 1 = 7")))
    bounded = Bounded(made_by="arithmetic")
    assert observe(bounded, problem, solution) == observe(verifier_named("arithmetic"), problem, solution)


@pytest.mark.parametrize(
    ("order", "reason"),
    [("hang", Reason.TIMEOUT), ("sleep", Reason.TIMEOUT), ("die", Reason.CRASH), ("eat", Reason.CRASH)],
)
def test_what_does_not_come_back_is_unknown(users: str, order: str, reason: str) -> None:
    """The solution gets one observation, unknown with the reason; it is not tried again, and the next one is judged."""
    bounded = Bounded(made_by=f"{users}:Obeys", timeout_s=1.5, memory_mb=1_024)
    _, solution = solved("one", order)
    (stopped,) = said(bounded, "one", order)
    assert (stopped.subject, stopped.verdict, stopped.reason) == (solution.id, Verdict.UNKNOWN, reason)
    assert stopped.budget == "1.5 s, 1024 MB"
    assert said(bounded, "one", order) == (stopped,)
    assert [one.verdict for one in said(bounded, f"after {order}")] == [Verdict.HOLDS]


@pytest.mark.parametrize(("order", "words"), [("raise", "LookupError: what now?"), ("leave", "SystemExit: 3")])
def test_what_it_raises_is_raised_here(users: str, order: str, words: str) -> None:
    """So that a bug is a reject with its words, as without a bound."""
    with pytest.raises(VerifierRaisedError, match=words):
        said(Bounded(made_by=f"{users}:Obeys"), order)


def test_a_solution_that_is_too_long_to_send_is_unknown(users: str) -> None:
    """It passes no frame; the reason says how long it is."""
    (stopped,) = said(Bounded(made_by=f"{users}:Obeys"), *["x" * 900_000] * 2)
    assert (stopped.verdict, stopped.reason.split(":")[0]) == (Verdict.UNKNOWN, Reason.BUDGET)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"made_by": "step_agreement"}, "cannot be bounded"),
        ({"made_by": "steplabel.verifiers.entailment:FormalisationVerifier"}, "cannot be bounded"),
        ({"made_by": "nope"}, "there are"),
        ({"made_by": "arithmetic", "timeout_s": 0}, "above 0"),
        ({"made_by": "arithmetic", "memory_mb": 10}, "at least 256"),
        ({"made_by": "arithmetic", "workers": 0}, "above 0"),
    ],
    ids=str,
)
def test_what_cannot_be_bounded_is_refused(options: dict[str, object], words: str) -> None:
    """Where it is written, not in the middle of a run."""
    with pytest.raises(ConfigError, match=words):
        Bounded(**options)  # type: ignore[arg-type]


def test_the_working_folder_is_where_users_modules_lie(
    users: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module found through an empty entry of the path, as with `python -m`, is found by the process, too."""
    (tmp_path / "users_in_folder.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    assert [one.verdict for one in said(Bounded(made_by="users_in_folder:Obeys", timeout_s=29.0), "one")] == [
        Verdict.HOLDS
    ]
