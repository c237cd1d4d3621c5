"""The two sides of an equals sign: which expression stands left of it, which right, and what stands beside them.

An expression that something unread stands beside (`the rest + 5 = 8`, `= 5 * cost`) has an obstacle, and so has one
that a quantity in two units is part of (`5 feet 3 inches + 2 inches`): nothing is decided about it. One beside which a
word may change it has a doubt: on `day 1 * 2` it may hold, but not fail; behind `half of the 10 + 5` neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from steplabel.schemas import Reason
from steplabel.verifiers.arithmetic.lookahead import is_mark_of_operation, is_measure, starts_operand
from steplabel.verifiers.arithmetic.reader import read_run
from steplabel.verifiers.arithmetic.runs import Doubt, Mode, Run
from steplabel.verifiers.arithmetic.tokens import Kind, Tokens
from steplabel.verifiers.arithmetic.wording import (
    BEFORE,
    BETWEEN,
    CHANGING,
    CITING,
    COMMANDS,
    FILLERS,
    FRACTIONS,
    JOINING,
    ROUGHLY,
    UNIT_LETTERS,
)
from steplabel.verifiers.text.dimensions import names_two_units

_MODES = (Mode.FRACTIONS,)
_RIGHT_MODES = (*_MODES, Mode.SHORT)
_JOINED = (Kind.WORD, Kind.OTHER, Kind.NUMBER)


@dataclass(slots=True, kw_only=True)
class Found:
    """A side's expression. Not frozen, for speed: nobody changes it once it is made.

    Attributes:
        others: the same text in other `Mode`s, `apart` in the mode that splits numbers.
        doubt: a word of `Doubt`, or empty. `obstacle`: a `schemas.Reason` with what was met, or empty.
        about: the text says that it is not exact.
        algebra: a letter stands behind a number.
    """

    run: Run
    others: tuple[Run, ...] = ()
    apart: Run | None = None
    doubt: str = ""
    obstacle: str = ""
    about: bool = False
    algebra: bool = False


def find_left(tokens: Tokens, start: int, sign: int) -> Found | None:
    """The last expression of a clause, if it reaches to the equals sign."""
    found = _last(tokens, start, sign, Mode.FIRST)
    if found is None or not found.run.modes:
        return found
    others = (_last(tokens, start, sign, mode) for mode in _MODES if mode & found.run.modes)
    split = _last(tokens, start, sign, Mode.SPLIT) if found.run.modes & Mode.SPLIT else None
    apart = split.run if split and split.run.postfix else None
    return replace(found, others=_readable(other.run for other in others if other), apart=apart)


def _readable(runs: Iterable[Run]) -> tuple[Run, ...]:
    return tuple(run for run in runs if run.postfix)


def _last(tokens: Tokens, start: int, end: int, mode: int) -> Found | None:
    """Read one expression after another; what stands between them may cut the next one off."""
    kinds = tokens.kinds
    at, bullet, computed = start, False, False
    before: Run | None = None
    hanging = start > 1 and (kinds[start - 2] == Kind.OPERATOR or is_mark_of_operation(tokens, start - 1))  # "5 +. 84"
    while at < end:
        kind = kinds[at]
        if kind == Kind.WORD:
            at += 1
        elif _begins(tokens, at, start, end):
            run = read_run(tokens, at, end, mode)
            if run.stop >= end:
                hanging = hanging or (before is not None and _is_compound(tokens, before, run.stop))
                return _found_left(tokens, run, start, hanging=hanging, unclear=computed or run.linked, bullet=bullet)
            at, before = max(run.stop, at + 1), run
            hanging = not run.postfix or (hanging and kinds[run.stop - 1] != Kind.WORD)  # \log_2 4^3
            computed = computed or run.lone < 0
        else:
            is_bullet = at == start and kind == Kind.OPERATOR and tokens.texts[at] in "-*"
            bullet = bullet or is_bullet
            hanging = hanging or kind == Kind.OTHER or (kind == Kind.OPERATOR and not is_bullet)
            at += 1
    return None


def _is_compound(tokens: Tokens, run: Run, stop: int) -> bool:
    """Whether a number and what follows it, up to a token, are one quantity: 5 feet 3 inches; 1 hour, 45 minutes."""
    words, behind = tokens.texts[run.lone + 1 : run.stop], run.stop + (tokens.texts[run.stop] == ",")
    if run.lone < 0 or behind >= stop or tokens.kinds[behind] != Kind.NUMBER or len(words) > 2:
        return False
    if not words or any(word != "and" and not (at == 0 and is_measure(word)) for at, word in enumerate(words)):
        return False
    start = max(0, tokens.matches[run.start].start() - 1)  # with its $
    return names_two_units(tokens.source[start : tokens.matches[stop - 1].end()])


def _begins(tokens: Tokens, at: int, start: int, end: int) -> bool:
    """Whether an expression begins at a token. A minus is its sign where it touches it, and nothing else before."""
    kind = tokens.kinds[at]
    if kind == Kind.NUMBER:
        return True
    if kind == Kind.OPERATOR:
        sign = tokens.texts[at] == "-" and at + 1 < end and tokens.tight(at + 1)
        before = at == start or (tokens.kinds[at - 1] == Kind.WORD and not tokens.tight(at))
        return sign and before and starts_operand(tokens, at + 1, end)
    return kind == Kind.OPEN and starts_operand(tokens, at, end)


def _found_left(tokens: Tokens, run: Run, start: int, *, hanging: bool, unclear: bool, bullet: bool) -> Found:
    doubt = run.doubt or (Doubt.LINKED if unclear else Doubt.SIGN if bullet else _doubt_before(tokens, run, start))
    cut = hanging or (tokens.tight(run.start) and tokens.kinds[run.start - 1] in _JOINED)
    obstacle = _unreadable(run) or (f"{Reason.UNSUPPORTED}: the left side is cut off" if cut else "")
    return Found(run=run, doubt=doubt, obstacle=obstacle)


def _unreadable(run: Run) -> str:
    if run.over_bounds:
        return f"{Reason.BUDGET}: too large an expression"
    return "" if run.postfix else f"{Reason.UNPARSABLE}: brackets"


def _doubt_before(tokens: Tokens, run: Run, start: int) -> str:
    """From the few words before an expression."""
    at = run.start
    if at == start:
        return Doubt.NUMBER if start > 1 and _is_split_number(tokens, start) else ""
    if tokens.kinds[at] == Kind.OPERATOR or tokens.kinds[at - 1] == Kind.NUMBER:
        return Doubt.SIGN if tokens.kinds[at] == Kind.OPERATOR else Doubt.NUMBER  # 3 5/4
    word = tokens.texts[at - 1].lower()
    if tokens.kinds[at] == Kind.OPEN and word in CITING:
        return Doubt.CITED  # from (1) + (2)
    reach = 3 if word in JOINING else 2 if word == "and" else 0
    if Kind.NUMBER in tokens.kinds[max(start, at - reach) : at - 1]:
        return Doubt.LINKED  # 8 packs of 5 bags * $4; 24 eggs in 1 tray * 2; the sum of 12 and 8 divided by 4
    return _change(tokens, at - 1, start)


def _change(tokens: Tokens, at: int, start: int) -> str:
    """A doubt if the word before an expression changes it: half of the 10 + 5."""
    while at >= start and tokens.kinds[at] == Kind.WORD:
        word = tokens.texts[at].lower()
        if word not in BETWEEN:
            if word in CHANGING or ("-" in word and word.rpartition("-")[2] in FRACTIONS):
                return Doubt.CHANGED
            return Doubt.WORDING if word in BEFORE else ""
        at -= 1
    return ""


def _is_split_number(tokens: Tokens, at: int) -> bool:
    """14, 400 / 80."""
    before, comma, behind = tokens.texts[at - 2 : at + 1]
    return comma == "," and len(before) <= 3 and before.isdigit() and len(behind) == 3 and behind.isdigit()


def find_right(tokens: Tokens, start: int, end: int) -> Found | None:
    """The expression behind an equals sign, as far as it goes."""
    begin, about = _after_fillers(tokens, start, end)
    if not starts_operand(tokens, begin, end):
        return None
    run = read_run(tokens, begin, end)
    others: tuple[Run, ...] = ()
    apart: Run | None = None
    if run.modes:
        others = _readable(read_run(tokens, begin, end, mode) for mode in _RIGHT_MODES if mode & run.modes)
        split = read_run(tokens, begin, end, Mode.SPLIT) if run.modes & Mode.SPLIT else run
        apart = split if split is not run and split.postfix else None
    return Found(
        run=run,
        others=others,
        apart=apart,
        doubt=run.doubt or _doubt_behind(tokens, run, end) or (Doubt.NAMED if run.letters else ""),
        obstacle=_unreadable(run) or _obstacle_behind(tokens, run, end),
        about=about or tokens.kinds[start - 1] == Kind.ABOUT,
        algebra=run.letters and not _has_unit_letter(tokens, run),
    )


def _has_unit_letter(tokens: Tokens, run: Run) -> bool:
    """= 80 m, where nothing but a number and a letter stands there."""
    return run.lone >= 0 and run.lone + 1 < run.stop and tokens.texts[run.lone + 1] in UNIT_LETTERS


def _after_fillers(tokens: Tokens, at: int, end: int) -> tuple[int, bool]:
    about = False
    while at < end and tokens.kinds[at] == Kind.WORD:
        word = tokens.texts[at].lower()
        if word not in FILLERS and word not in ROUGHLY:
            break
        about = about or word in ROUGHLY
        at += 1
    return at, about


def _doubt_behind(tokens: Tokens, run: Run, end: int) -> str:
    """From what follows the right side."""
    at = run.stop
    kind = tokens.kinds[at] if at < end else Kind.BREAK
    if kind == Kind.OPERATOR:
        return Doubt.SIGN
    if kind not in (Kind.NUMBER, Kind.OPEN):
        return ""
    if tokens.kinds[at - 1] != Kind.WORD:
        return Doubt.NUMBER
    return Doubt.LINKED if tokens.texts[at - 1].lower() == "than" else ""  # 5 more than 100


def _obstacle_behind(tokens: Tokens, run: Run, end: int) -> str:
    at = run.stop
    if at >= end:
        return ""
    kind, text = tokens.kinds[at], tokens.texts[at]
    command = text == "\\" and at + 1 < end and tokens.texts[at + 1] in COMMANDS
    if kind == Kind.OTHER and (command or tokens.tight(at)):
        return f"{Reason.UNPARSABLE}: {text!r} behind the right side"
    goes_on = kind == Kind.OPERATOR and (text != "-" or tokens.tight(at))
    compound = run.lone >= 0 and _is_compound(tokens, run, min(at + 3, end))
    if goes_on or compound or is_mark_of_operation(tokens, at):
        return f"{Reason.UNSUPPORTED}: the right side is cut off"
    return ""
