r"""Answers as one plain notation: Unicode signs, LaTeX wrappers and Markdown marks taken off.

Covered: `\boxed`-less LaTeX as models write it (`\text{}`, `\left`, `\dfrac`, `\!`, `\$`, `\%`, degrees), inline math
delimiters, bold marks, superscripts, vulgar fractions, full-width digits, Unicode operators, a trailing full stop.
Not covered: what the answer means. Digits of other scripts are not converted: "1٢" must not become 12.
"""

from __future__ import annotations

import re
import unicodedata

MAX_ANSWER_CHARS = 2_000
"""No answer is longer: past this it is a dump or an attack, and every parser's work grows with it."""

_SIGNS = {
    "\u2212": "-",
    "\u2010": "-",
    "\u2011": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u00d7": r"\times ",
    "\u00f7": r"\div ",
    "\u00b7": r"\cdot ",
    "\u22c5": r"\cdot ",
    "\u2044": "/",
    "\u2215": "/",
    "\u03c0": r"\pi ",
    "\u221e": r"\infty ",
    "\u222a": r"\cup ",
    "\u2229": r"\cap ",
    "\u2264": r"\le ",
    "\u2265": r"\ge ",
    "\u2260": r"\ne ",
    "\u2248": r"\approx ",
    "\u00b1": r"\pm ",
    "\u2208": r"\in ",
    "\u221a": r"\sqrt ",
    "\u2205": r"\emptyset ",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u202f": " ",
}
# NFKC turns 5 squared into 52, 3 1/2 into 31/2 and 5(1) into 51: these keep apart what was apart.
_APART = {"<super>": "^{%s}", "<sub>": "_{%s}", "<fraction>": " %s ", "<circle>": " %s "}
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_ALLOWED_CONTROLS = frozenset("\t\n\r\v\f")

_WORDS = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|mbox|hbox|mathrm|mathbf|mathit|mathsf|operatorname)\s*\{([^{}]*)\}"
)
_SIZES = re.compile(r"\\(?:left|right|[bB]igg?[lrm]?)(?=\s*(?:[\[\]().|]|\\[{}|lr]))(?:\s*\.)?")
_NOTHING = re.compile(r"(?<!\\)\\(?:(?:displaystyle|textstyle|limits|nolimits|boldsymbol)(?![a-zA-Z])|!)")
_STRAY = re.compile(r"(?<!\\)\\(?=\d)")  # \\15 for \\$15
_ARGUMENT = r"(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\[a-zA-Z]+|[0-9a-zA-Z])"
_BARE_FRACTION = re.compile(rf"\\frac\s*({_ARGUMENT})\s*({_ARGUMENT})")
_BARE_ROOT = re.compile(r"\\sqrt\s*([0-9a-zA-Z])(?![0-9a-zA-Z])")
_PLAIN_ROOT = re.compile(r"(?<![a-zA-Z\\])sqrt\s*(?:\(([^(){}]*)\)|\{([^{}]*)\})")
_PLAIN_PI = re.compile(r"(?<![a-zA-Z\\])pi(?![a-zA-Z])")
_SPACES = re.compile(r"(?<!\\)\\(?:[,;: ]|q?quad(?![a-zA-Z]))|~|\s+")  # not the \\ that ends a matrix row
_FRACTIONS = re.compile(r"\\[dtc]frac(?![a-zA-Z])")
_DEGREES = re.compile(r"\^\s*(?:\\circ|\{\s*\\circ\s*\})|\\degree(?:s)?(?![a-zA-Z])|\u00b0")
_CONJUNCTION = re.compile(r"(?<=[\d})a-z])(?:\s*,\s*|\s+)(?:and|or)\s+(?=[-\d\\({])")
_WRAPS = (
    ("$$", "$$"),
    ("$", "$"),
    (r"\(", r"\)"),
    (r"\[", r"\]"),
    ("**", "**"),
    ("*", "*"),
    ("`", "`"),
    ("__", "__"),
)


def is_clean(text: str) -> bool:
    """Whether `text` holds no control, format (bidirectional, zero-width), surrogate or private ones."""
    if text.isascii():
        return text.isprintable() or all(c.isprintable() or c in _ALLOWED_CONTROLS for c in text)
    return not any(unicodedata.category(c) in _FORBIDDEN_CATEGORIES and c not in _ALLOWED_CONTROLS for c in text)


def has_foreign_digits(text: str) -> bool:
    """Whether a digit of another script than ASCII is left, which nobody here converts."""
    return not text.isascii() and any(c.isdigit() and not c.isascii() for c in text)


def plain(answer: str) -> str:
    """Bring one extracted answer into plain notation. Never raises; linear in its length."""
    text = answer if answer.isascii() else _ascii_signs(answer)
    text = unwrapped(text).replace("{,}", ",")
    if "\\" in text or "~" in text:
        text = _without_latex(text)
    elif "\u00b0" in text:
        text = _DEGREES.sub("\u00b0", text)
    if "pi" in text or "sqrt" in text:
        text = _PLAIN_PI.sub(r"\\pi", _PLAIN_ROOT.sub(lambda m: rf"\sqrt{{{m[1] or m[2] or ''}}}", text))
    text = _CONJUNCTION.sub(", ", _SPACES.sub(" ", text))
    return unwrapped(text)


def unwrapped(text: str) -> str:
    r"""Take off math delimiters, Markdown marks, and full stops at the end: `**$\frac12$**.` is `\frac12`."""
    while True:
        before = text
        text = text.strip()
        if text[-1:] in (".", ";", ",", ":") and not text.endswith(r"\,"):
            text = text[:-1]
        if text.count("**") == 1:  # its partner stood before the marker
            text = text.removesuffix("**")
        text = _inside(text)
        if text == before:
            return text


def _inside(text: str) -> str:
    """What stands between a pair of delimiters, if they are the first and last thing in the text."""
    for start, end in _WRAPS:
        if len(text) > len(start) + len(end) and text.startswith(start) and text.endswith(end):
            inner = text[len(start) : -len(end)]
            if end not in inner and not inner.endswith("\\"):
                return inner
    return text


def _without_latex(text: str) -> str:
    text = _STRAY.sub("", _NOTHING.sub("", text))
    text = text.replace(r"\$", "$").replace(r"\%", "%").replace(r"\#", "#")
    text = _DEGREES.sub("\u00b0", _FRACTIONS.sub(r"\\frac", text))
    for _ in range(3):  # \textbf{\text{B}}: nested deeper, nobody writes
        text, count = _WORDS.subn(r" \1 ", text)
        if not count:
            break
    return _BARE_ROOT.sub(r"\\sqrt{\1}", _BARE_FRACTION.sub(_braced, _SIZES.sub("", text)))


def _braced(match: re.Match[str]) -> str:
    r"""\frac\pi2 and \frac1{72}, as LaTeX takes them, with their braces."""
    top, bottom = (part if part[0] == "{" else "{" + part + "}" for part in match.groups())
    return rf"\frac{top}{bottom}"


def _ascii_signs(text: str) -> str:
    parts = [_ascii_sign(c) if c > "\x7f" else c for c in text]
    return "".join(parts)


def _ascii_sign(char: str) -> str:
    if char in _SIGNS:
        return _SIGNS[char]
    if char == "\u00b0":
        return char
    decomposition = unicodedata.decomposition(char)
    folded = "".join(_SIGNS.get(c, c) for c in unicodedata.normalize("NFKC", char))
    kind = decomposition.partition(" ")[0]
    return _APART[kind] % folded if kind in _APART else folded
