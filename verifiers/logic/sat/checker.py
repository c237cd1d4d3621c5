"""Is the stated answer of a SAT task right? Decided with certificates, not by comparison with one gold answer.

Covered: the five tasks of `tasks`, in problems whose text holds the clauses and the task's question.

    decide           an assignment (evaluated), or the exact no of a table, or Z3's
    assignment       evaluation
    max_sat          evaluation, and no assignment satisfies more
    correction_set   the rest is satisfiable (an assignment), and with any removed clause it is not
    core             not satisfiable, and satisfiable without any one clause (an assignment each)

Not covered: the reasoning before the answer; answers in other forms than a line of their own, of digits. Where the
oracle does not know, the finding is unknown. A wrong number of digits fails: such an answer solves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from types import MappingProxyType
from typing import ClassVar

from steplabel.schemas import Problem, Reason, Solution, Verdict, content_id
from steplabel.verifiers.logic.sat.cnf import Cnf, digits, read_cnf, satisfied
from steplabel.verifiers.logic.sat.oracle import Oracle, Solved
from steplabel.verifiers.logic.sat.tasks import DOMAIN, SatTask, read_task
from steplabel.verifiers.port import Claim, Finding

MAX_QUESTIONS = 300
"""To the oracle, for one answer; sets of more clauses are unknown (`budget`)."""

_ANSWER = re.compile(
    r"^[ *_]{0,8}(?:(?:Therefore|Thus|Hence|So),? )?(?:[Tt]he )?(?:[Ff]inal answer is:?|[Aa]nswer:)[ *$`_]{0,4}"
    r"([01]{1,1000})[*$`_]{0,4}[.;]?[*_]{0,4}[ \t\r]{0,8}$",
    re.MULTILINE,
)
# The whole line: "Wrong answer: 1", "Suppose the final answer is 1. No." and "0 1 1" state no answer.


@dataclass(frozen=True, slots=True)
class SatAnswer:
    """A task, its clauses, and the digits of an answer."""

    task: SatTask
    cnf: Cnf
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SatTaskVerifier:
    """Decides the steps that state the answer of a SAT task; see this module for what is covered."""

    name: ClassVar[str] = "sat_task"
    domains: ClassVar[frozenset[str]] = frozenset({DOMAIN})

    oracle: Oracle = Oracle()  # noqa: RUF009 - frozen

    @property
    def version(self) -> str:
        """The rules' version and a digest of the oracle's configuration."""
        return f"3+{content_id('sat', repr(self.oracle))[:8]}"

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[SatAnswer]]:
        """One claim for each labelable step that states an answer: its last one."""
        task, cnf = read_task(problem.text), read_cnf(problem.text)
        if task is None or cnf is None:
            return
        for key, step in zip(solution.node_keys, solution.steps, strict=True):
            found = _ANSWER.findall(step.text) if step.labelable else []
            if found:
                yield Claim(subject=key, body=SatAnswer(task, cnf, found[-1]), quote=found[-1])

    def verify(self, claim: Claim[SatAnswer]) -> Finding:
        """Decide one answer."""
        body = claim.body
        wanted = _length(body)
        if len(body.digits) != wanted:
            return Finding(verdict=Verdict.FAILS, reason="length", evidence=f"{len(body.digits)} digits, not {wanted}")
        chosen = tuple(digit == "1" for digit in body.digits)
        return _CHECKS[body.task](_Asking(self.oracle), body.cnf, chosen)


def _length(body: SatAnswer) -> int:
    if body.task is SatTask.DECIDE:
        return 1
    about_variables = body.task in (SatTask.ASSIGNMENT, SatTask.MAX_SAT)
    return body.cnf.variables if about_variables else len(body.cnf.clauses)


class _Undecided(Exception):  # noqa: N818 - no error: it becomes a finding
    """The oracle does not know; the text is its reason."""


class _Asking:
    """The oracle, for questions that need an answer, and whether Z3 had a part in it."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle, self._solver = oracle, False
        self._left = MAX_QUESTIONS

    def satisfiable(self, cnf: Cnf | None) -> Solved:
        return self._sure(self._oracle.satisfiable(cnf))

    def at_least(self, cnf: Cnf, count: int) -> Solved:
        return self._sure(self._oracle.at_least(cnf, count))

    def _sure(self, solved: Solved) -> Solved:
        self._solver = self._solver or solved.by_solver
        self._left -= 1
        if not self._left:
            raise _Undecided(Reason.BUDGET)
        if solved.possible is None:
            raise _Undecided(solved.reason)
        return solved

    def finding(self, *, holds: bool, reason: str, evidence: str = "") -> Finding:
        return self._told(Verdict.HOLDS if holds else Verdict.FAILS, reason, evidence)

    def unknown(self, reason: str) -> Finding:
        return self._told(Verdict.UNKNOWN, reason, "")

    def _told(self, verdict: Verdict, reason: str, evidence: str) -> Finding:
        told = {"tool": "z3", "tool_version": version("z3-solver"), "budget": f"rlimit {self._oracle.rlimit}"}
        return Finding(verdict=verdict, reason=reason, evidence=evidence, **(told if self._solver else {}))


_Check = Callable[["_Asking", Cnf, tuple[bool, ...]], Finding]


def _careful(check: _Check) -> _Check:
    def checked(ask: _Asking, cnf: Cnf, chosen: tuple[bool, ...]) -> Finding:
        try:
            return check(ask, cnf, chosen)
        except _Undecided as undecided:
            return ask.unknown(str(undecided))

    return checked


@_careful
def _decide(ask: _Asking, cnf: Cnf, chosen: tuple[bool, ...]) -> Finding:
    solved = ask.satisfiable(cnf)
    evidence = f"satisfied by {digits(solved.assignment)}" if solved.possible else "no assignment satisfies all"
    return ask.finding(holds=chosen[0] is solved.possible, reason="decided", evidence=evidence)


@_careful
def _assignment(ask: _Asking, cnf: Cnf, chosen: tuple[bool, ...]) -> Finding:
    true = satisfied(cnf, chosen)
    if all(true):
        return ask.finding(holds=True, reason="evaluated")
    return ask.finding(holds=False, reason="evaluated", evidence=f"clause {true.index(False) + 1} is not satisfied")


@_careful
def _max_sat(ask: _Asking, cnf: Cnf, chosen: tuple[bool, ...]) -> Finding:
    count = sum(satisfied(cnf, chosen))
    better = ask.at_least(cnf, count + 1)
    if not better.possible:
        return ask.finding(holds=True, reason="optimal", evidence=f"{count} clauses; no assignment satisfies more")
    more = sum(satisfied(cnf, better.assignment))
    shown = f"{count} clauses; {digits(better.assignment)} satisfies {more}"
    return ask.finding(holds=False, reason="not_optimal", evidence=shown)


@_careful
def _correction_set(ask: _Asking, cnf: Cnf, chosen: tuple[bool, ...]) -> Finding:
    kept = {index for index, removed in enumerate(chosen) if not removed}
    if not ask.satisfiable(cnf.only(kept)).possible:
        return ask.finding(holds=False, reason="not_enough", evidence="the other clauses cannot be satisfied at once")
    for index in sorted(set(range(len(chosen))) - kept):
        if ask.satisfiable(cnf.only(kept | {index})).possible:
            return ask.finding(holds=False, reason="not_minimal", evidence=f"clause {index + 1} can be kept")
    return ask.finding(holds=True, reason="minimal")


@_careful
def _core(ask: _Asking, cnf: Cnf, chosen: tuple[bool, ...]) -> Finding:
    core = {index for index, taken in enumerate(chosen) if taken}
    whole = ask.satisfiable(cnf.only(core))
    if whole.possible:
        shown = f"satisfied by {digits(whole.assignment)}" if core else "no clause is chosen"
        return ask.finding(holds=False, reason="satisfiable", evidence=shown)
    for index in sorted(core):
        if not ask.satisfiable(cnf.only(core - {index})).possible:
            return ask.finding(holds=False, reason="not_minimal", evidence=f"clause {index + 1} is not needed")
    return ask.finding(holds=True, reason="minimal")


_CHECKS: Mapping[SatTask, _Check] = MappingProxyType(
    {
        SatTask.DECIDE: _decide,
        SatTask.ASSIGNMENT: _assignment,
        SatTask.MAX_SAT: _max_sat,
        SatTask.CORRECTION_SET: _correction_set,
        SatTask.CORE: _core,
    }
)
