"""Where mathematics stands in a text, what it states, and what the words around it say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.verifiers.latex.context import is_asserted
from steplabel.verifiers.latex.spans import MAX_TEXT, spans_of
from steplabel.verifiers.latex.statements import UNREADABLE, statements_of

SPANS = {
    "inline dollars": ("so $2+2=4$ and", ["2+2=4"]),
    "inline brackets": (r"so \(2+2=4\) and \(x\)", ["2+2=4", "x"]),
    "display": (r"\[2+2=4\]", ["2+2=4"]),
    "double dollars": ("$$2+2=4$$", ["2+2=4"]),
    "environment": (r"\begin{align*}a&=b\end{align*}", ["a&=b"]),
    "environment in dollars": (r"$$\begin{aligned}a&=b\end{aligned}$$", [r"\begin{aligned}a&=b\end{aligned}"]),
    "money": ("It costs $5 for each, so $6 in total. $x=1$", ["x=1"]),
    "escaped dollar": (r"It costs \$5, so $x=1$", ["x=1"]),
    "unclosed": (r"so \(2+2=4 and $x=1$", ["x=1"]),
    "row break before a bracket": (r"$a \\[2pt] b$", [r"a \\[2pt] b"]),
    "nothing": ("no formula here", []),
}
STATEMENTS = {
    "one": ("2+2=4", ["2+2=4"]),
    "full stop": ("2+2=4.", ["2+2=4"]),
    "comma": ("x = 1, y = 2", ["x = 1", "y = 2"]),
    "comma in brackets": ("f(1, 2) = 3", ["f(1, 2) = 3"]),
    "thousands": ("1,000 + 1 = 1,001", ["1,000 + 1 = 1,001"]),
    "and": (r"x = 1 \text{ and } y = 2", ["x = 1", "y = 2"]),
    "unit": (r"x = 5 \text{ cm}", [r"x = 5 \text{ cm}"]),
    "arrow": (r"2x = 4 \implies x = 2", ["2x = 4", "x = 2"]),
    "quad": (r"x = 1 \quad y = 2", ["x = 1", "y = 2"]),
    "rows": (r"a = b \\ c = d", ["a = b", "c = d"]),
    "rows that go on": (r"a &= b \\ &= c \\ &\le d", ["a  = b   = c   \\le d"]),
    "a row that adds": (r"a &= b \\ &+ c", ["a  = b   + c"]),
    "row that starts with a minus": (r"a = b \\ -x = c", ["a = b", "-x = c"]),
    "tag": (r"a = b \tag{1}", ["a = b"]),
    "modulus": (r"a \equiv b \ (\text{mod } 7)", [r"a \equiv b \ \pmod{7}"]),
    "modulus with quad": (r"a \equiv b \quad (\mathrm{mod}\ 7)", [r"a \equiv b \quad \pmod{7}"]),
    "matrix": (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} = A", [f"{UNREADABLE} = A"]),
    "matrix unclosed": (r"a = b, \begin{pmatrix} 1 & 2", ["a = b", UNREADABLE]),
}
ASSERTED = {
    "plainly": ("We have |5+5=10| as wanted.", True),
    "if": ("If |5+5=11| then", False),
    "if in another sentence": ("Ask if it is so. We have |5+5=10|.", True),
    "contradiction behind": ("We get |5+5=11|, which is a contradiction.", False),
    "not equal": ("We get |5+5=11|, which doesn't hold.", False),
    "check": ("Let us check: |5+5=11|", False),
    "question": ("Is |5+5=11|?", False),
    "notation is no not": ("In this notation |5+5=10| holds.", True),
}


@pytest.mark.parametrize(("text", "found"), SPANS.values(), ids=SPANS)
def test_spans(text: str, found: list[str]) -> None:
    """The contents of all mathematics, in order."""
    assert [span.text for span in spans_of(text) if span.mathematics] == found


@pytest.mark.parametrize(("text", "found"), STATEMENTS.values(), ids=STATEMENTS)
def test_statements(text: str, found: list[str]) -> None:
    """Statements apart, rows that go on together."""
    assert [statement.text for statement in statements_of(text)] == found


def test_an_arrow_says_that_a_statement_follows() -> None:
    """Only what an arrow points to follows."""
    statements = list(statements_of(r"a = b \implies c = d, e = f \Rightarrow g = h"))
    assert [statement.follows for statement in statements] == [False, True, False, True]


def test_what_stands_behind_a_statement() -> None:
    """Up to the end of its row: there may be a unit, or another amount."""
    first, second = statements_of(r"a = 2\text{ hours and } 30\text{ minutes}")
    assert (first.text, first.behind) == ("a = 2", r"\text{ hours and } 30\text{ minutes}")
    assert second.behind == ""


@pytest.mark.parametrize(("text", "asserted"), ASSERTED.values(), ids=ASSERTED)
def test_context(text: str, asserted: bool) -> None:
    """Words around a formula may take its assertion back."""
    start, end = text.index("|"), text.rindex("|")
    assert is_asserted(text, start, end) is asserted


PIECES = st.lists(
    st.sampled_from(["$", "$$", r"\(", r"\)", r"\[", r"\]", r"\$", r"\\", "5", " for ", "x", r"\begin{align}",
                     r"\end{align}", r"\begin{cases}", r"\end{cases}", "&", ",", "=", "{", "}", r"\text{ and }"]),
    max_size=60,
).map("".join)  # fmt: skip


@given(PIECES | st.text(max_size=100))
def test_spans_cover_the_text_in_order(text: str) -> None:
    """Spans follow each other and lie in the text; nothing raises."""
    position = 0
    for span in spans_of(text):
        assert span.start >= position
        assert span.text in text[span.start : span.end]
        position = span.end
        for statement in statements_of(span.text):
            assert statement.text
    assert position <= len(text)


def test_long_texts_are_left_alone() -> None:
    """Past the bound there is nothing to find."""
    assert list(spans_of("$1+1=2$" + " " * MAX_TEXT)) == []


def test_hostile_texts(hostile: str) -> None:
    """Hostile text between delimiters ends."""
    for text in (hostile, f"${hostile}$", rf"\[{hostile}\]"):
        assert sum(1 for span in spans_of(text) for _ in statements_of(span.text)) <= len(text)
