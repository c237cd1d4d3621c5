"""What math-verify is asked, in a worker process: are two formulas the same?

Its own timeouts are alarms on the main thread and stay off.
"""

from __future__ import annotations

from typing import Any, Final

from math_verify import LatexExtractionConfig, parse, verify
from math_verify.parser import NormalizationConfig

from steplabel.verifiers.workers.frames import Message

_PRECISION: Final = 15


def compare(question: Message) -> Message:
    """Parse `gold` and `answer` and compare them both ways.

    Returns:
        The fields of `maths.Compared`.
    """
    left, right = _parsed(question["gold"]), _parsed(question["answer"])
    if left is None or right is None:
        return {"parsed": False}
    equal = bool(verify(left, right, timeout_seconds=None))
    reverse = bool(verify(right, left, timeout_seconds=None))
    values = (_value(left), _value(right)) if not equal else ("", "")
    return {
        "parsed": True,
        "equal": equal,
        "reverse": reverse,
        "gold_value": values[0],
        "answer_value": values[1],
    }


def _parsed(text: str) -> Any:
    # units: our caller took them off; left on, the variables t and g vanish from formulas as tons and grams.
    tidy = NormalizationConfig(
        basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="all", equations=False
    )
    # The whole box or nothing: without these modes a fragment of what cannot be parsed would be compared.
    found = parse(
        rf"\boxed{{{text}}}",
        extraction_config=[LatexExtractionConfig(boxed_match_priority=0, normalization_config=tidy)],
        fallback_mode="no_fallback",
        extraction_mode="first_match",
        parsing_timeout=None,
    )
    return found[0] if found else None


def _value(expression: Any) -> str:
    if not getattr(expression, "is_number", False):
        return ""
    value = expression.evalf(_PRECISION)
    return str(value) if value.is_Float or value.is_Integer else ""
