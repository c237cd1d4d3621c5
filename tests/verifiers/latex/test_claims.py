"""Claims of steps, and their verdicts: chains of constants, rewritings, derivations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import GoldAnswer, Problem, Solution, Verdict
from steplabel.schemas.segmentation import NewlineSteps
from steplabel.schemas.solution import make_solution
from steplabel.verifiers.latex.claims import Known, LatexClaim, claims_in
from steplabel.verifiers.latex.equations import Derivation
from steplabel.verifiers.latex.verifier import LatexVerifier
from steplabel.verifiers.port import Claim, Finding, Verifier, observe

HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN


def findings(text: str, *before: str, strict: bool = False) -> list[Finding]:
    """The findings of one step behind a problem and earlier steps."""
    known, verifier = Known(), LatexVerifier(strict=strict)
    for earlier in before:
        known.learn(earlier)
    return [
        verifier.verify(Claim(subject="s", body=found.claim, quote=found.quote)) for found in claims_in(text, known)
    ]


def verdicts(text: str, *before: str, strict: bool = False) -> list[Verdict]:
    return [finding.verdict for finding in findings(text, *before, strict=strict)]


STEPS: dict[str, tuple[str, list[Verdict]]] = {
    "inline": ("So $3^8 = 6561$.", [HOLDS]),
    "inline, wrong": ("So $3^8 = 6562$.", [FAILS]),
    "chain": (r"\[ \frac{1}{2} \cdot 4 = 2 = \frac{4}{2} \]", [HOLDS]),
    "one wrong link": (r"\[ 1 + 1 = 2 = 3 - 2 \]", [FAILS]),
    "words at the start": (r"\[ \text{Area} = \frac{1}{2} \times 4 \times 3 = 6 \]", [HOLDS]),
    "function at the start": (r"\[ f(3) = 3^2 - 2 = 8 \]", [FAILS]),
    "name at the start": (r"\[ x = 2 + 3 = 6 \]", [FAILS]),
    "align": (r"\begin{align*} A &= 3 \cdot 4 \\ &= 12 \\ &= 10 + 2 \end{align*}", [HOLDS]),
    "align, wrong row": (r"\begin{align*} A &= 3 \cdot 4 \\ &= 12 \\ &= 10 + 3 \end{align*}", [FAILS]),
    "several": (r"$1+1=2$ and $2+2=4$, thus $3+3=7$", [HOLDS, HOLDS, FAILS]),
    "prose with a power": ("Thus 3^8 = 6561, as wanted", [HOLDS]),
    "prose with latex": (r"Thus \frac{1}{2} + \frac{1}{2} = 1 holds", [HOLDS]),
    "prose in brackets": ("We see (so 2^3 = 8) that", [HOLDS]),
    "factorials": (r"$\frac{7!}{4!3!} = 35$", [HOLDS]),
    "congruence": (r"$2^{10} = 1024 \equiv 2 \pmod{7}$", [HOLDS]),
    "congruence, wrong": (r"$2^{10} \equiv 3 \pmod{7}$", [FAILS]),
    "remainder": (r"$2003 \bmod 6 = 5$", [HOLDS]),
    "about": (r"$\sqrt{2} \approx 1.414$", [HOLDS]),
    "about, wrong": (r"$\sqrt{2} \approx 1.73$", [FAILS]),
    "inequality": (r"$3\sqrt{2} < 5$", [HOLDS]),
    "inequality, wrong": (r"$3\sqrt{2} > 5$", [FAILS]),
    "degrees": (r"$180^\circ - 2 \cdot 30^\circ = 120^\circ$", [HOLDS]),
    "units": (r"$5\text{ cm} \times 4\text{ cm} = 20\text{ cm}^2$", [HOLDS]),
    "units, wrong": (r"$5\text{ cm} \times 4\text{ cm} = 21\text{ cm}^2$", [FAILS]),
    "money": (r"$\$5 + \$7 = \$12$", [HOLDS]),
    "percent of one": (r"$\frac{1}{4} = 25\%$", [HOLDS]),
    "percent of a hundred": (r"$\frac{1}{4} \times 100 = 25\%$", [HOLDS]),
    "mixed number": (r"$2\frac{1}{2} = \frac{5}{2}$", [HOLDS]),
    "mixed number of percent": (r"$33\frac13\% \cdot 60 = 20$", [HOLDS]),
    "mixed number of percent, wrong": (r"$33\frac13\% \cdot 60 = 21$", [FAILS]),
    "ambiguous division, one reading": ("$6/2(3) = 9$", [HOLDS]),
    "ambiguous division, other reading": ("$6/2(3) = 1$", [HOLDS]),
    "ambiguous division, neither": ("$6/2(3) = 2$", [FAILS]),
    "identity": ("$(x+1)^2 = x^2 + 2x + 1$", [HOLDS]),
    "imaginary unit": ("$(1+i)^2 = 2i$", [HOLDS]),
    "thousands": ("$1{,}000 \\cdot 5 = 5{,}000$", [HOLDS]),
}
NO_CLAIM = {
    "definition": "Let $x = 5$.",
    "definition by a term": r"Let $x = \frac{a}{2}$.",
    "number and number": "We get $0 = 5$.",
    "condition": "We know that $2x = 10$.",
    "inequality in letters": "For $x < 5$ it is so.",
    "unreadable": r"$\sum_{k=1}^{3} k = \int_0^1 x$",
    "no relation": "Take $2+2$.",
    "plain arithmetic is another's": "He pays 3 and 4, so 7 in all.",
    "a word cuts the side": "Half of 2^3 = 4",
    "a formula goes on before": "So $a$ + 2^3 = 8",
    "a formula goes on behind": "So 8 = 2^3 + $a$",
    "a bullet is no minus": "We list:\n- 2^3 = 8",
    "a dash is no minus": "the cube - 2^3 = 8",
    "a bracket cuts the side": "(Number of cars / 20) * 100 = 20",
}
HELD_BACK = {
    "supposed": "If $5 + 5 = 11$, then all is lost.",
    "denied": "We get $5 + 5 = 11$, a contradiction.",
    "units differ": r"$2 \cdot 3\text{ hours} = 360\text{ minutes}$",
    "unit converted": r"$2\text{ dozen} = 2 \times 12$",
    "degrees and radians": r"$2 \cdot 30^\circ = \frac{\pi}{3}$",
    "number substituted": "$5 = 2 + 4$",
    "quotient without its remainder": r"$410 \div 333 = 1$",
    "rounded": r"$\frac{22}{7} = 3.14$",
    "too large": "$9^{9^{9}} = 2 + 1$",
    "undefined": r"$\frac{1}{0} = 2 + 1$",
}
LENIENT = {
    "near": r"$\frac{22}{7} = 3.15$",
    "the equals sign runs on": r"$5 + 3 = 8 \cdot 2 = 16$",
    "power of a negative number": "$-3^2 + 1 = 10$",
}

MODULAR = r"We work in $\mathbb{Z}_7$."
NEVER_WRONG = {
    "cases in words": (r"$x-2=0$ or $x-3=0 \Rightarrow x=2$ or $x=3$", ()),
    "cases joined by or": (r"$2x+1=7 \lor 2x+1=-7 \implies x=3 \lor x=-4$", ()),
    "cases joined by commas": (r"$x - 2 = 0, x - 3 = 0 \Rightarrow x = 2, x = 3$", ()),
    "solution rounded": (r"$3x = 10 \Rightarrow x = 3.33$", ()),
    "solution rounded to nearest": (r"$9x = 6 \Rightarrow x = 0.67$", ()),
    "solution rounded up": (r"$7n = 50 \Rightarrow n = 8$ (round up)", ()),
    "solution in another unit": (r"$4x = \$2 \Rightarrow x = 50\text{ cents}$", ()),
    "solution among residues": (r"$3x = 1 \Rightarrow x = 5$ (working mod 7)", ()),
    "comma of a list": (r"$5 \cdot 20 = 100,200 - 100 = 100$", ()),
    "mistake in prose": ("A common mistake is 3^2 + 4 * 2 = 14.", ()),
    "question in prose": ("Does 7 * 8 = 54?", ()),
    "question and no": ("12 * 12 = 124? No", ()),
    "no": ("12 * 12 = 124. No, that is off.", ()),
    "need": ("We need 3 * 6 = 20, which is too much.", ()),
    "crossed": ("$12 \\cdot 12 = 124$ \u2717", ()),
    "denied in Chinese": ("\u5047\u8bbe $12 \\cdot 12 = 124$", ()),
    "ratio": (r"$3/4 : 1/2 = 3/2$", ()),
    "ratio of fractions": (r"$\frac12 : \frac13 = \frac32$", ()),
    "residues": (r"In $\mathbb{Z}_7$, $3 \cdot 5 = 1$", ()),
    "residues of the problem": (r"$3 \cdot 5 = 1$", (MODULAR,)),
    "field of two": (r"In $\mathbb{F}_2$ we have $1 + 1 = 0$", ()),
    "last digit": (r"The units digit: $7 \cdot 7 = 9$", ()),
    "another base": (r"$3 \cdot 5 = 21$", ("All numbers are in base 7.",)),
    "binary": ("$1 + 1 = 10$", ("Add the binary numbers.",)),
    "operator of the problem": ("$2 * 3 = 7$", ("Let $a * b = a^2 + b$.",)),
    "conditions in a chain": ("$2x + 1 = 3x - 2 = x + 4$", ()),
    "common ratio": (r"$\frac{a}{b+c} = \frac{b}{a+c} = \frac{c}{a+b} = k$", ()),
    "golden ratio": (r"$\frac{x}{y} = \frac{x+y}{x} = \phi$", ()),
    "absolute value": (r"$\sqrt{x^2-6x+9} = |x-3| = 3-x$ since $x<3$", ()),
    "condition behind": ("$x^3 = x \\cdot x^2 = x(x+1) = 2x + 1$, where $x^2 = x + 1$", ()),
    "percentage added": (r"$50 + 20\% = 60$", ()),
    "scale word": (r"$3\text{ dozen} + 4 = 40$", ()),
    "count of primes": (r"$\pi(10) = 4 \cdot 1$", ()),
    "value of pi": (r"$\pi \cdot 5^2 = 75$", (r"Use $\pi \approx 3$.",)),
    "estimate": (r"$49 \cdot 21 \approx 1000$", ()),
    "remainder behind a quotient": (r"$-78 \div 5 = -15 \text{ remainder } -3$", ()),
    "fraction of a negative number": (r"$\frac{1}{2} \text{ of } -10 = -5$", ()),
    "word for a difference": (r"$5 \text{ less } (-3) = 8$", ()),
    "minutes of an hour behind": (r"$\frac13 \text{ hours} = 20$ minutes", ()),
    "percent behind": (r"$\frac{12-9}{12}=25$ \%", ()),
    "percent in words behind": (r"$\frac{12-9}{12}=\boxed{25}$ percent", ()),
    "degrees behind": (r"$\frac{\pi}{6}=30$ degrees", ()),
    "degrees in words": (r"$\frac{\pi}{6}=30 \text{ degrees}$", ()),
    "scale word behind": (r"$2\cdot10^6=2$ million", ()),
    "cents behind": ("$3(0.25)=75$ cents", ()),
    "cents as dollars": (r"$5(25)+3(10)=\$1.55$", ()),
    "liters behind milliliters": (r"$8\cdot250\text{ mL}=2$ L", ()),
    "share of a class": (r"$\frac{2}{3} \text{ of the class} = 20$ students", ()),
    "million in prose": ("So the total is 2 \u00d7 500,000 = 1 million dollars", ()),
    "two units in prose": ("30 \u00d7 5 = 2 hours and 30 minutes", ()),
    "two units in a formula": (r"$30\cdot5 = 2\text{ hours and } 30\text{ minutes}$", ()),
    "a half behind": (r"$10 \cdot 0.25 = 2$ and a half dollars", ()),
    "squared behind": ("2 \u00d7 8 = 4 squared", ()),
    "an hour of minutes": (r"\[4 \times 15 = 1 \text{ hour}\]", ()),
    "a day of seconds": ("60 \u00d7 60 \u00d7 24 = 1 day", ()),
    "tens": ("7 \u00d7 10 = 7 tens", ()),
    "a thousand of a unit": ("1000 \u00d7 3 = 3 tonnes", ()),
    "hours of a clock": ("$11+3=2$ o'clock", ()),
    "not equal": ("$P(2)=8-2+1=7 != 0$", ()),
    "not equal, without spaces": ("$9+16!=36$", ()),
    "a number in a name": ("Day 1 = 3 \u00d7 5 = 15", ()),
    "a number in brackets in a name": ("Bag (2) = 3 \u00d7 4 = 12", ()),
    "a range in a name": ("Rows 1-5 = 5 \u00d7 12 = 60", ()),
    "a number at the end of a name": ("Year1*1.05 = 1050", ()),
    "a word between a number and a product": ("20 under 3 \u00d7 40 = 100", ()),
    "a sum over two rows": (r"\[ 10 \times 2 + \\ 5 \times 3 = 35 \]", ()),
    "a dash behind a name": ("Step 1 - 5 * 3 = 15", ()),
    "a range and how many": ("$10-99=90$ numbers", ()),
    "a share runs on": ("1/3 = 1/3 \u00d7 90 = 30", ()),
    "a fraction runs on": (r"$6/8 = 3/4 \cdot 20 = 15$", ()),
    "a share of what is not said": (r"$1 - \frac{3}{5} = \frac{2}{5} = 12$", ()),
    "less a third of it": (r"$30 - \frac13 = 20$", ()),
    "a rounded value runs on": ("$100/3 = 33.33 * 2 = 66.66$", ()),
    "an estimate of factors": ("45 \u00d7 35 \u2248 50 \u00d7 40 = 2000", ()),
    "a mixed number that borrows": (r"$5\frac14-2\frac34=4\frac54-2\frac34=2\frac12$", ()),
    "a mixed number that carries": (r"$9\frac{60}{60}=10$", ()),
    "money in a mixed number": (r"$\$2\frac14\cdot4=\$9$", ()),
    "cis": (r"$8\operatorname{cis}\pi=-8$", ()),
    "cis in roman letters": (r"$2\mathrm{cis}(\pi)=-2$", ()),
    "sign function": (r"$3\operatorname{sgn}(-2)=-3$", ()),
    "minus sign behind a word": ("20 apples \u2212 2 \u00d7 3 = 14 apples", ()),
    "take away": ("20 take away 3 \u00d7 4 = 8", ()),
    "double": ("double 3 \u00d7 4 = 24", ()),
    "off": ("20% off 5 \u00d7 10 = 40", ()),
    "a turn": (r"$\frac{5\pi}{6}+\frac{4\pi}{3}=\frac{13\pi}{6}=\frac{\pi}{6}$", ()),
    "a turn in degrees": (r"$350^\circ+20^\circ=10^\circ$", ()),
    "greatest integer": (r"$\left[\frac{50}{3}\right]+\left[\frac{50}{9}\right]=16+5=21$", ()),
    "whole percent": (r"$\frac17 = 14\%$", ()),
    "percent cut": (r"$\frac23 = 66\%$", ()),
    "repeating decimal": (r"$\frac56=0.8(3)$", ()),
    "a dot for a product": (r"$\frac{8.7}{2}=28$", ()),
    "a dot behind a power": ("$10^2.3=300$", ()),
    "a dot between thousands": ("2.000 - 3 \u00d7 250 = 1.250", ()),
    "a sum over two lines": ("Total = 10 \u00d7 2 +\n5 \u00d7 3 = 35", ()),
    "a colon for a quotient": ("$12 : (2+4) = 2$", ()),
    "a product in words": (r"The product of $x$ and $y$ is $1$. $\frac1x+\frac1y=\frac{x+y}{xy}=x+y$", ()),
    "two numbers have a product": (r"$\frac1a+\frac1b=\frac{a+b}{ab}=a+b$", ("Two numbers have product 1.",)),
}
SYSTEMS = {
    "true in decimal numbers only": ("$7 + 5 = 12$", "What is $7+5$ in base 8?", UNKNOWN),
    "true in the base only": ("$7 + 5 = 14$", "What is $7+5$ in base 8?", UNKNOWN),
    "decimal by its digits": (r"$1 \cdot 8 + 4 = 12$", "Convert from base 8.", HOLDS),
    "residues": ("$12 + 6 = 4$", "What is $12+6$ modulo 7?", UNKNOWN),
    "no residues": ("$12 + 6 = 17$", "What is $12+6$ modulo 7?", FAILS),
    "last digits": (r"$7 \cdot 7 = 9$", "What is the units digit of $7^2$?", UNKNOWN),
    "no last digits": (r"$7 \cdot 7 = 46$", "What is the units digit of $7^2$?", FAILS),
    "congruent figures": ("$7 + 5 = 13$", "Two congruent triangles have base 5 and height 7.", FAILS),
}


@pytest.mark.parametrize(("text", "problem", "expected"), SYSTEMS.values(), ids=SYSTEMS)
def test_number_systems(text: str, problem: str, expected: Verdict) -> None:
    """What words say of bases and residues keeps back what they could account for, and nothing else."""
    assert verdicts(text, problem) == [expected]


DOUBTED = {
    "integer cut": r"$\frac{199}{100} \approx 1$",
    "power cut": r"$\pi^2 \approx 9$",
    "percent of nothing": r"$5 \cdot 4 = 20\%$",
    "mixed number as a product": r"$3\frac{1}{2} + 1 = 2.5$",
    "mixed number as a factor": r"$2\frac12 \cdot 2 = 2$",
    "scale word left out": r"$3\text{ dozen} + 4 = 7$",
    "two units in a sum": r"$12 \text{ hours} - 30 \text{ minutes} = 11.5$",
    "two units in a sum that fits": r"$12 \text{ hours} - 2 \text{ minutes} = 10$",
    "percent that vanishes": r"$5\% \times 100 = 500$",
    "the negative root": r"$\sqrt{16} = -4$",
    "no remainder": r"$17 + 12 = 17 \mod 12$",
    "a negative remainder": r"$17 + 12 = -7 \mod 12$",
}
STILL_DECIDED = {
    "another factor than the unit's": (r"$3 \cdot 4 = 41$ feet", [FAILS]),
    "units, wrong, and a sentence behind": (r"$5\text{ cm} \times 4\text{ cm} = 21\text{ cm}$ so we go on", [FAILS]),
    "one, and a sentence behind": (r"$\frac{6}{2} - 1 = 1$ so we stop", [FAILS]),
    "factors of a number": (r"$25000 = 2^3 \times 5^2 \times 5^2 = 2^3 \times 5^4$", [FAILS]),
    "cases apart": (r"$y - 1 = 4$, so $2x + 3 = 7 \implies x = 3$", [FAILS]),
    "thousands before an operator": (r"$1000 \cdot 5 = 5,000 + 1 - 1 = 5,000$", [HOLDS]),
    "division of fractions": ("$3/4 \u00f7 1/2 = 1.5$", [HOLDS]),
    "division of fractions, wrong": ("$1/2 \u00f7 1/4 = 1/8$", [FAILS]),
    "congruence without its sign, the remainder first": (r"$5 = 10 + 7 \mod 12$", [HOLDS]),
    "congruence with its sign": (r"$10 + 19 \equiv 17 \pmod{12}$", [HOLDS]),
    "congruence without its sign": (r"$7^2 = 9 \mod 10$", [HOLDS]),
    "congruence without its sign, wrong": (r"$7^2 = 8 \mod 10$", [FAILS]),
    "a step is no ratio": ("Step 2: 2^3 = 9", [FAILS]),
    "base of a triangle": (r"The base of the triangle: $3 \cdot 5 = 16$", [FAILS]),
    "order of operations": (r"By the order of operations, $3 \cdot 5 = 16$", [FAILS]),
    "product with pi": (r"$2\pi(10) = 21\pi$", [FAILS]),
    "percentages added": (r"$20\% + 30\% = 60\%$", [FAILS]),
    "percent of a hundred": (r"$5\% \times 100 = 5$", [HOLDS]),
    "times a hundred": (r"$\frac{1}{4} \times 100 = 25\%$", [HOLDS]),
    "a wrong sign": (r"$(-2)^{2} = -4$", [FAILS]),
    "a wrong sign of a difference": ("$5 - 2 = -3$", [FAILS]),
    "wrong by much": (r"$49 \cdot 21 \approx 2000$", [FAILS]),
    "a unit behind": (r"$5 \cdot 3 = 16$ cm", [FAILS]),
    "what is counted behind": (r"$2 \cdot 3 = 7$ apples", [FAILS]),
    "the sentence goes on": (r"$3 \cdot 4 = 13$ and so on", [FAILS]),
    "no conversion": (r"$\frac{15}{45}\cdot 2=20$ marbles", [FAILS]),
    "no conversion of hours": (r"$2 \cdot 3 = 7$ hours", [FAILS]),
    "the later link of a name": ("Day 1 = 3 \u00d7 5 = 16", [FAILS]),
    "the later link of a name before a formula": (r"Case $2 = 3\cdot4=13$ ways", [FAILS]),
    "a factorial": ("$5! = 121$", [FAILS]),
    "a mixed number, wrong": (r"$2\frac34+1\frac12=3\frac54=4\frac34$", [FAILS]),
    "money in a mixed number, wrong": (r"$\$3\frac12=\$3.75$", [FAILS]),
    "a minus sign": ("20 \u2212 2 \u00d7 3 = 15", [FAILS]),
    "no turn": (r"$\frac{5\pi}{6}+\frac{4\pi}{3}=\frac{13\pi}{6}=\frac{\pi}{4}$", [FAILS]),
    "no turn in degrees": (r"$350^\circ+20^\circ=20^\circ$", [FAILS]),
    "areas that differ by two": (r"$5\pi+2\pi=9\pi$", [FAILS]),
    "square brackets": (r"$[2+3] \cdot 4 = 21$", [FAILS]),
    "a sum over two rows, wrong": (r"\[ 10 \times 2 + \\ 5 \times 3 = 36 \]", [FAILS]),
    "a number and a conclusion": ("Row 4 gives 3 \u00d7 4 = 13", [FAILS]),
    "no share": (r"$1 - \frac35 = \frac15$", [FAILS]),
    "not less a third": (r"$30 - \frac13 = 25$", [FAILS]),
    "a percentage, wrong": (r"$\frac23 = 60\%$", [FAILS]),
    "a decimal, wrong": (r"$\frac{8.6}{2}=28$", [FAILS]),
    "no estimate": ("45 \u00d7 35 \u2248 50 \u00d7 90 = 4500", [FAILS]),
    "a sum of other letters": (
        "The sum of $c$ and $d$ is 1: $(x+1)(x-2) = x^2 - 2x + x - 2 = x^2 - 3x - 2$",
        [FAILS],
    ),
    "a sentence before": ("This is a common mistake. Now 2^3 = 9", [FAILS]),
}


@pytest.mark.parametrize(("text", "before"), NEVER_WRONG.values(), ids=NEVER_WRONG)
def test_never_wrong(text: str, before: tuple[str, ...]) -> None:
    """What is right as it is meant, or not asserted, never fails."""
    assert FAILS not in verdicts(text, *before)


@pytest.mark.parametrize("text", DOUBTED.values(), ids=DOUBTED)
def test_doubted(text: str) -> None:
    """What holds under a forced reading only does not hold."""
    assert verdicts(text) == [UNKNOWN]


@pytest.mark.parametrize(("text", "expected"), STILL_DECIDED.values(), ids=STILL_DECIDED)
def test_still_decided(text: str, expected: list[Verdict]) -> None:
    """What looks like a case of doubt and is none is decided."""
    assert verdicts(text) == expected


def test_evidence_shows_what_was_decided() -> None:
    """A modulus and units are part of the evidence."""
    assert "mod 10" in findings(r"$7^2 = 9 \mod 10$")[0].evidence
    assert "[cm]" in findings(r"$5\text{ cm} + 4\text{ cm} = 10\text{ cm}$")[0].evidence


@pytest.mark.parametrize(("text", "expected"), STEPS.values(), ids=STEPS)
def test_steps(text: str, expected: list[Verdict]) -> None:
    """Claims are found in order and decided, alike by both modes."""
    assert verdicts(text) == expected
    assert verdicts(text, strict=True) == expected


@pytest.mark.parametrize("text", NO_CLAIM.values(), ids=NO_CLAIM)
def test_no_claim(text: str) -> None:
    """Definitions, conditions and what cannot be read make no claim."""
    assert verdicts(text) == []


@pytest.mark.parametrize("text", HELD_BACK.values(), ids=HELD_BACK)
def test_held_back(text: str) -> None:
    """What does not hold as read, but may be meant otherwise, is unknown with a reason."""
    (finding,) = findings(text, strict=True)
    assert finding.verdict is UNKNOWN
    assert finding.reason


@pytest.mark.parametrize("text", LENIENT.values(), ids=LENIENT)
def test_lenient_and_strict(text: str) -> None:
    """Near misses and equals signs that run on are unknown to the lenient mode, and fail the strict one."""
    assert verdicts(text) == [UNKNOWN]
    assert verdicts(text, strict=True) == [FAILS]


def test_evidence_names_the_link() -> None:
    """A failing chain says which link, and both values."""
    (finding,) = findings(r"$1 + 1 = 2 = 3 - 2$")
    assert finding.evidence == "2 = 3 + (-2): 2 and 1"


WRONG_EXPANSION = "$(x+1)(x-2) = x^2 - 2x + x - 2 = x^2 - 3x - 2$"
FREEDOM = {
    "free letters": (WRONG_EXPANSION, (), [FAILS]),
    "free in a named polynomial": ("$f(x) = (x+1)^2 = x^2 + 1$", ("Let $f(x) = (x+1)^2$.",), [FAILS]),
    "an equation about the letter": (WRONG_EXPANSION, ("Let $x^2 = x + 1$.",), [HOLDS]),
    "a value of the letter": (WRONG_EXPANSION, ("Let $x = 0$.",), [HOLDS]),
    "an equation that cannot be read": (WRONG_EXPANSION, (r"Let $\int x = 2$.",), [HOLDS]),
    "words that stand for an equation": (WRONG_EXPANSION, ("Let x be a root of unity.",), [HOLDS]),
    "alone it may be a condition": ("$(x+1)^2 = x^2 + 1$", (), []),
    "other letters": ("$x^2 + xy = x(x + z) = x + 1$", (), []),
    "substituted": (r"$(a+b)^2 - 2ab = 5^2 - 2 \cdot 3 = 19$", (), [HOLDS]),
    "golden section": ("$x^3 = x \\cdot x^2 = x(x+1) = x^2 + x = 2x + 1$", ("$x^2 = x + 1$",), [HOLDS]),
    "own condition": ("$x^2 - 5x + 6 = (x-2)(x-3) = 0$", (), [HOLDS]),
    "equal letters": (WRONG_EXPANSION, ("We know that $x$ is equal to its square plus one.",), [HOLDS]),
    "equal letters in a product": (WRONG_EXPANSION, ("Here $2xy$ and the area are equal.",), [HOLDS]),
    "equal figures": (WRONG_EXPANSION, ("All sides are equal.",), [HOLDS]),
    "other equal letters": (WRONG_EXPANSION, ("Here $b$ is equal to $c$.",), [FAILS]),
    "a reason in the same text": (f"Since the angle is right, {WRONG_EXPANSION}", (), [HOLDS]),
    "a reason in an earlier text": (WRONG_EXPANSION, ("Since the angle is right, we go on.",), [FAILS]),
    "a reason about the letter": (WRONG_EXPANSION, ("Since $x$ is the answer, we go on.",), [HOLDS]),
    "product in an equation that cannot be read": (WRONG_EXPANSION, (r"Let $\int xy = 2$.",), [HOLDS]),
    "segments are never free": ("$AB + BC = BC + AB = AB \\cdot BC + 1$", (), [HOLDS]),
}


@pytest.mark.parametrize(("text", "before", "expected"), FREEDOM.values(), ids=FREEDOM)
def test_rewritings(text: str, before: tuple[str, ...], expected: list[Verdict]) -> None:
    """A rewriting in a chain fails only where nothing is known about its letters."""
    assert verdicts(text, *before) == expected


DERIVATIONS = {
    "moved": ("$2x = 4$", ("$2x + 3 = 7$",), [HOLDS]),
    "solved": ("$x = 2$", ("$2x + 3 = 7$",), [HOLDS]),
    "expanded": ("$x^2 - 5x + 6 = 0$", ("$(x-2)(x-3) = 0$",), [HOLDS]),
    "denominators cleared": ("$2x = 3(x-1)$", (r"$\frac{2}{x-1} = \frac{3}{x}$",), [HOLDS]),
    "within a step": ("$2x + 3 = 7$, so $2x = 4$, so $x = 2$", (), [HOLDS, HOLDS]),
    "only repeated": ("$2x + 3 = 7$", ("$2x + 3 = 7$",), []),
    "from nothing": ("$3x = 4$", ("$2x + 3 = 7$",), []),
    "wrong, without an arrow": ("$2x + 3 = 7$, so $x = 3$", (), []),
    "wrong, with an arrow": (r"$2x + 3 = 7 \implies x = 3$", (), [FAILS]),
    "right, with an arrow": (r"$2x + 3 = 7 \implies x^2 = 4$", (), [HOLDS]),
    "two letters": (r"$x + y = 7 \implies x = 3$", (), []),
    "two solutions": (r"$x^2 = 9 \implies x = 3$", (), [UNKNOWN]),
    "arrow denied": (r"$2x + 3 = 7 \implies x = 3$ is wrong", (), []),
}


@pytest.mark.parametrize(("text", "before", "expected"), DERIVATIONS.values(), ids=DERIVATIONS)
def test_derivations(text: str, before: tuple[str, ...], expected: list[Verdict]) -> None:
    """An equation that says what one before said holds; it fails only behind an arrow."""
    assert verdicts(text, *before) == expected


def problem_and_solution(*steps: str) -> tuple[Problem, Solution]:
    problem = Problem(id="p", text="Solve $2x + 3 = 7$.", gold=GoldAnswer(text="2"), source="test")
    return problem, make_solution(problem, NewlineSteps().split("\n".join(steps)), policy="test")


def test_the_verifier_observes_steps() -> None:
    """Steps with claims get one observation each; the problem's equations are known; the port's contract is met."""
    verifier: Verifier[LatexClaim | Derivation] = LatexVerifier()
    assert isinstance(verifier, Verifier)
    problem, solution = problem_and_solution("Thus $2x = 4$.", "No formula.", "So $x = 2$ and $2 + 2 = 5$.")
    observations = observe(verifier, problem, solution)
    nodes = solution.nodes(problem.root_key)
    assert [(o.subject, o.verdict) for o in observations] == [(nodes[0].key, HOLDS), (nodes[2].key, FAILS)]
    assert {o.source for o in observations} == {"latex_arithmetic"}


def test_versions_tell_options_apart() -> None:
    """Strict findings are not mixed with lenient ones."""
    assert LatexVerifier().version != LatexVerifier(strict=True).version
    assert LatexVerifier().domains == frozenset()


def test_equal_bodies_are_equal_questions() -> None:
    """Spacing and sizes do not make another claim."""
    one, other = (next(iter(claims_in(text))).claim for text in (r"$2 + 2 = 4$", r"\[ 2+2 = \left( 4 \right) \]"))
    assert one == other
    assert hash(one) == hash(other)


SNIPPETS = st.sampled_from(
    ["$", r"\(", r"\)", r"\[", r"\]", "2", "3", "x", "y", "+", "-", "=", r"\cdot ", r"\frac{1}{2}", "^2", r"\sqrt{3}",
     r"\approx ", "<", r"\implies ", r"\\ &=", "&", ",", " so ", " if ", ". ", r"\text{ cm}", "(", ")", "!", r"\%", "i",
     r"\equiv ", r"\pmod{7}", "0", "|", "x^2", "2x"]
)  # fmt: skip


@given(st.lists(SNIPPETS, max_size=50).map("".join) | st.text(max_size=150))
def test_nothing_raises(text: str) -> None:
    """Arbitrary text gives findings, each with a reason."""
    assert all(finding.reason for finding in findings(f"${text}$", text))


def test_hostile_texts(hostile: str) -> None:
    """Hostile texts give no claim that holds or fails, however they stand in the text."""
    for text in (hostile, f"${hostile}$", f"$1 + 1 = {hostile}$", rf"\[ {hostile} = 1 + 1 \]"):
        decided = [finding for finding in findings(text) if finding.verdict is HOLDS]
        assert not decided
