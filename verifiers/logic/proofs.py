"""Problems and proofs as text: what stands in FoVer's rows and in the generated problems, both ways.

    $hypothesis$: ¬{A}                         fact11 & int2 -> int3: {B} & ¬{A}
    $context$:                                 From fact11 and int2 follows int3: ben is calm.
    fact1: (x): {A}x -> {B}x                   int3 -> hypothesis
                                               The final answer is PROVED

Covered: one hypothesis and numbered facts, each in FoVer's notation or in controlled English; steps that cite facts and
earlier steps; the final answer, a line of its own, also as `$proof_label$: PROVED`. Not covered: assumptions (`void`,
`assump1`) and proofs by contradiction, which FoVer dropped too; formulas among the citations. Reading never raises:
what cannot be read says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from steplabel.verifiers.logic.english import hear, say
from steplabel.verifiers.logic.formulas import Formula
from steplabel.verifiers.logic.notation import Unreadable, read_formula, show
from steplabel.verifiers.text.notation import is_clean

HYPOTHESIS = "hypothesis"
NOT_HYPOTHESIS = "¬hypothesis"
MAX_LINES = 1_000
"""Lines of a problem or a step; no more are looked at."""
MAX_LINE_CHARS = 4_000

_GIVEN = re.compile(r"(?:\$?(hypothesis)\$?|((?:fact|sent)[0-9]{1,4})) ?:(.+)", re.IGNORECASE)
_HEADING = re.compile(r"[*$#_ ]{0,4}(?:context|facts?|premises?|proof)[*$_ ]{0,4}:?[*_ ]{0,4}", re.IGNORECASE)
_NUMBERED = re.compile(r"[^A-Za-z0-9]{0,4}(?:[A-Za-z]{1,12} ?)?[0-9]{1,4} ?[:.)]")
_NAME = r"\[?(?:fact|int|assump|sent)[0-9]{1,4}\]?|¬?hypothesis|void"
_START = r"(?=\[?(?:fact|int|assump|sent)[0-9]|¬?hypothesis|void)"
_ARROW = re.compile(_START + r"([^{}:>→]{1,400}?)(?:->|→)(.*)")
_FROM = re.compile(r"[Ff]rom " + _START + r"([^{}:]{1,400}?) (?:follows|we get) (?:the )?(.*)")
_CITES = re.compile(rf"(?:{_NAME})(?:\s*(?:,\s*and|&|,|and)\s*(?:{_NAME}))*")
_ONE = re.compile(_NAME)
_TARGET = re.compile(r"(?:(int[0-9]{1,4})\s*:(.+)|(¬ ?|negated |negation of the )?hypothesis(?:\s*:(.+))?)")
# None of these patterns can match the same blanks in two places: lines are stripped before.
_ANSWER = re.compile(
    r"[*_]{0,4}(?:(?:Therefore|Thus|Hence|So),? )?(?:[Tt]he )?(?:[Ff]inal answer is:?|\$?proof_label\$?:)"
    r"[*_]{0,4} {0,4}[*_]{0,4}(PROVED|DISPROVED|UNKNOWN)[*_]{0,4}\.?[*_]{0,4}"
)
# The whole line: "Suppose the final answer is UNKNOWN" and "We cannot say that ..." state none.


class ProofLabel(StrEnum):
    """The three answers to a problem."""

    PROVED = "PROVED"
    """The facts entail the hypothesis."""
    DISPROVED = "DISPROVED"
    """They entail its negation."""
    UNKNOWN = "UNKNOWN"
    """They entail neither."""


class Surface(StrEnum):
    """How formulas and steps look."""

    LETTERS = "letters"
    """FoVer's notation with its letters: `{A}{a} -> {B}`."""
    WORDS = "words"
    """FoVer's notation with words for names: `{tall}{anna} -> {rain}`."""
    SENTENCES = "sentences"
    """Controlled English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicTask:
    """A hypothesis and the facts it is to be proved from.

    Attributes:
        hypothesis: None if the text has none, more than one, or one that cannot be read.
        facts: by name, in the order of the text.
        unread: names of facts that stand there and cannot be read, or stand there twice and differ.
        complete: nothing stands among the facts but what was read: no line of another form, none past the bounds.
            Only then does the text say what follows from all facts, and what does not.
    """

    hypothesis: Formula | None
    facts: Mapping[str, Formula] = field(default_factory=lambda: MappingProxyType({}))
    unread: frozenset[str] = frozenset()
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStep:
    """One step of a proof.

    Attributes:
        cites: names of the facts and earlier steps that it follows from.
        target: `int<number>`, or that it is the hypothesis or its negation.
        conclusion: None where the text gives none, since the target says it.
    """

    cites: tuple[str, ...]
    target: str
    conclusion: Formula | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that looks like a step and cannot be read, with the reason and, where it can be told, its target."""

    why: str
    target: str = ""


def read_task(text: str) -> LogicTask:
    """Find hypothesis and facts among the lines of a problem."""
    hypotheses: list[Formula | None] = []
    facts: dict[str, Formula] = {}
    unread: set[str] = set()
    given = [_given(line) for line in _lines(text)]
    for match in filter(None, given):
        formula = _understood(match[3])
        if match[1]:
            hypotheses.append(formula)
            continue
        name = match[2].lower()
        if formula is None or facts.get(name, formula) != formula:
            unread.add(name)
        else:
            facts[name] = formula
    for name in unread:
        facts.pop(name, None)
    return LogicTask(
        hypothesis=hypotheses[0] if len(set(hypotheses)) == 1 else None,
        facts=facts,
        unread=frozenset(unread),
        complete=bool(facts) and not unread and _complete(text, given),
    )


def _lines(text: str) -> list[str]:
    return text.split("\n", MAX_LINES)[:MAX_LINES]


def _given(line: str) -> re.Match[str] | None:
    return _GIVEN.fullmatch(line.strip()) if len(line) <= MAX_LINE_CHARS else None


def _complete(text: str, given: list[re.Match[str] | None]) -> bool:
    """Whether all that may be a fact was read: every line from the hypothesis on, and no numbered one before it.

    Where a fact stands before the hypothesis, no line is taken for an introduction.
    """
    first, introduced = next((index, bool(match[1])) for index, match in enumerate(given) if match is not None)
    for index, (line, match) in enumerate(zip(_lines(text), given, strict=True)):
        stripped = line.strip() if len(line) <= MAX_LINE_CHARS else None
        if match is not None or stripped == "" or (stripped and _HEADING.fullmatch(stripped)):
            continue
        if stripped is None or not introduced or index > first or _NUMBERED.match(stripped):
            return False
    return text.count("\n") < MAX_LINES


def read_formula_or_sentence(text: str) -> Formula:
    """Read a formula in either form.

    Raises:
        Unreadable: it is in neither.
    """
    return read_formula(text) if "{" in text else hear(text)


def _understood(text: str) -> Formula | None:
    try:
        return read_formula_or_sentence(text.strip().removesuffix(";"))
    except Unreadable:
        return None


def read_step(line: str) -> ProofStep | Unread | None:
    """Read one line as a step; None if it does not look like one."""
    if len(line) > MAX_LINE_CHARS or not is_clean(line):
        return None
    line = line.strip().removesuffix(";").removesuffix(".").rstrip()
    match = _ARROW.fullmatch(line) or _FROM.fullmatch(line)
    if match is None:
        return None
    target = _TARGET.fullmatch(match[2].strip())
    if target is None:
        return Unread("no conclusion that is named int<number> or hypothesis")
    name = target[1] or (NOT_HYPOTHESIS if target[3] else HYPOTHESIS)
    if not _CITES.fullmatch(match[1].strip()):
        return Unread("citations that are no names of facts or steps", name)
    text = (target[2] or target[4] or "").strip()
    try:
        conclusion = read_formula_or_sentence(text) if text else None
    except Unreadable as error:
        return Unread(str(error), name)
    cites = tuple(found.strip("[]") for found in _ONE.findall(match[1]))
    return ProofStep(cites=tuple(dict.fromkeys(cites)), target=name, conclusion=conclusion)


def read_answer(line: str) -> ProofLabel | None:
    """The final answer that a line states; None if it states none."""
    match = _ANSWER.fullmatch(line.strip()) if len(line) <= MAX_LINE_CHARS and is_clean(line) else None
    return ProofLabel(match[1]) if match else None


def write_formula(formula: Formula, surface: Surface) -> str:
    """A formula as this surface shows it."""
    return say(formula) if surface is Surface.SENTENCES else show(formula)


def write_task(task: LogicTask, surface: Surface) -> str:
    """Hypothesis and facts as lines, in FoVer's layout. `read_task` reads them back.

    Raises:
        ValueError: the task has no hypothesis.
    """
    if task.hypothesis is None:
        raise ValueError("a task without a hypothesis cannot be asked")
    facts = "\n".join(f"{name}: {write_formula(formula, surface)}" for name, formula in task.facts.items())
    return f"$hypothesis$: {write_formula(task.hypothesis, surface)}\n\n$context$:\n{facts}"


def write_step(step: ProofStep, surface: Surface) -> str:
    """A step as one line. `read_step` reads it back."""
    what = step.target if step.conclusion is None else f"{step.target}: {write_formula(step.conclusion, surface)}"
    if surface is Surface.SENTENCES:
        return f"From {' and '.join(step.cites)} follows {'' if step.conclusion else 'the '}{what}."
    return f"{' & '.join(step.cites)} -> {what}"


def write_answer(label: ProofLabel) -> str:
    """The last line of a solution. `read_answer` reads it back."""
    return f"The final answer is {label.value}"
