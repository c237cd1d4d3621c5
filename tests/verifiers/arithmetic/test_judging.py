"""Texts and verdicts: each rule of reading and judging, by cases."""

from __future__ import annotations

import pytest

from steplabel.schemas import Verdict
from steplabel.verifiers.arithmetic import read_equations
from steplabel.verifiers.arithmetic.judging import Soft, judge
from steplabel.verifiers.arithmetic.runs import Doubt
from steplabel.verifiers.text.systems import System

HOLDS = {
    "plain": "48/2 = 24",
    "in prose": "Natalia sold 48/2 = 24 clips in May.",
    "thousands": "45,000-5,000=40,000",
    "thousands with a space": "So 17 000/5 = 3 400.",
    "no zero before the point": ".5 * 30 = 15",
    "mixed number": "2 * 1 1/2 = 3",
    "mixed number in words": "1 and 1/4 + 3/4 = 2",
    "vulgar fraction": "\u00bd * 10 = 5",
    "mixed vulgar fraction": "2 * 1\u00bd = 3",
    "times sign": "5 \u00d7 3 = 15",
    "division sign": "15 \u00f7 3 = 5",
    "en dash": "15 \u2013 5 = 10 characters with the initial D",
    "x between numbers": "5x3 = 15",
    "x behind a unit": "12 boxes x 5 = 60",
    "X before money": "4 X $3 = $12",
    "words": "3 times 5 plus 2 minus 1 = 16",
    "divided by": "12 divided by 4 equals 3",
    "multiplied by": "12 multiplied by 4 is equal to 48",
    "percent of": "20% of 50 = 10",
    "percent of, with a word": "20 percent of 50 = 10",
    "fraction of": "He ate 1/2 of 10 = 5",
    "percent times": "$400 * 25% = $100",
    "percentage": "10/50 = 20%",
    "percentage, a hundred times": "10/50 * 100 = 20%",
    "percents added": "100% - 20% = 80%",
    "recurring decimals": "12 kittens / 36 cats * 100% = 33.333...%",
    "currency": "$4200 + $3000 = $7200",
    "cents": "5\u00a2 * 4 = 20\u00a2",
    "units": "42 bananas + 56 bananas = 98 bananas",
    "unit with a slash": "$7/visit * 8 visits = $56",
    "units with slashes": "200 gallons / 4 gallons/minute = 50 minutes",
    "unit with a hyphen": "8-hour * 5 = 40",
    "unit with a power": "2 ft^2 * 3 = 6 ft^2",
    "cubic unit": "(2/5)*500cm\u00b3 = 200cm\u00b3",
    "remark in brackets": "20 apples (red) + 5 = 25",
    "power": "2^3 = 8",
    "power of Python": "2**3 = 8",
    "square": "5\u00b2 = 25",
    "negative exponent": "2^-1 = .5",
    "minus before a power": "-2^2 = -4",
    "brackets": "(5 + 3) * (2 - 1) = 8",
    "square brackets": "[5 + (3*2)] = 11",
    "product of brackets": "(3)(4) = 12",
    "product without a sign": "2(3 + 4) = 14",
    "equation in brackets": "He has some (5 + 3 = 8) apples",
    "list item": "1) 5 + 3 = 8",
    "bullet": "- 5 + 3 = 8",
    "negative": "-5 + 8 = 3",
    "negative result": "5 - 8 = -3",
    "two minuses": "5 - -3 = 8",
    "rounded": "2/3 = 0.67",
    "rounded percentage": "1/3 = 33.3%",
    "printed by a program": "80 / 3 = 26.666666666666668",
    "about": "100/3 \u2248 33.4",
    "about, in words": "100/3 = about 33.4",
    "fraction on the right": "2/6 = 1/3",
    "first of two readings": "50/ 1/2 = 25",
    "second of two readings": "50/ 1/2 = 100",
    "spaced fraction": "14 / 1 / 4 = 14 * 4",
    "share of something": "3/3 - 2/3 = 1/3 of $150",
    "times and a noun": "100 / 5 = 20 times 2 people",
    "calculator mark": "48/2 = <<48/2=24>>24",
    "twice the sign": "3000/2= =$1500",
    "next line": "5 + 3\n= 8",
    "bold": "5 + 3 = **8**",
    "full-width comma": "3\u00d74=12\uff0c120-12=108",
    "full-width semicolon": "3\u00d74=12\uff1b120-12=108",
    "fraction by fraction": "3/4 \u00f7 1/2 = 1.5",
    "fraction by fraction in latex": r"$1/2 \div 1/4 = 2$",
    "rates": "8 minutes/day + 3 minutes per day = 11 minutes/day",
    "one scale": "2 million + 3 million = 5 million",
    "whole less a percentage": "1 - 20% = 0.8",
    "all bold": "**5 + 3 = 8**",
    "dollars around": "So $5 + 3 = 8$.",
    "latex": r"\(1/3 \times 18 = 6\)",
    "latex fraction": r"\[ \frac{12 \text{ miles}}{4 \text{ mph}} = 3 \text{ hours} \]",
    "latex mixed": r"\(2 \cdot 3\frac{1}{2} = 7\)",
    "latex money": r"\$3 \times 4 = \$12",
    "latex percent": r"50\% \times 10 = 5",
    "latex box": r"40 + 20 = \boxed{60}",
    "latex thousands": r"1{,}000 + 1 = 1{,}001",
    "a name's value": "Apples left = 160 - 60. Apples left = 100.",
    "aligned": "\\begin{align*} 5 + 3 &= 8 \\\\ 8 * 2 &= 16 \\end{align*}",
    "aligned chain": "\\begin{align*} 5 + 3 &= 2 + 6 \\\\ &= 8 \\end{align*}",
    "a letter's value": "O = 50 - 31\nO = 19",
    "the letter of a unit": "8 * 10 = 80 m",
    "displayed formulas side by side": r"\[ 150 + 160 = 310 \] \[ 310 + 190 = 500 \]",
    "spaced mixed number in latex": r"$3 \frac{1}{2} \cdot 2 = 7$",
    "improper fraction beside a number": r"$2\frac{3}{2} = 3$",
    "displays in dollars": "$$99 - 8 = 91$$ $$91 + 26 = 117$$",
    "a whole and a half": "1 1/2 * 2 = 3",
    "whole and unit of another number": "In 2 hours he writes 30 minutes * 2 = 60 minutes",
    "two sums of feet": "3 feet + 2 feet = 5 feet",
    "product beside a divisor": "6/2(1+2) = 9",
    "scientific notation": "1.5 \u00d7 10^3 = 1500",
    "small power of ten": "5 * 10^-2 = 0.05",
    "half of one number": "1/2 of 10 + 6 = 11",
    "nothing to compute": "20% = 0.2",
    "thousands with spaces": "1 000 000 / 4 = 250 000",
    "thousands with spaces in latex": r"$10^6=1\,000\,000$",
    "thousands with apostrophes": "2^20 = 1'048'576",
    "whole percentage": "1/7 = 14%",
    "whole percentage, rounded up": "1/6 = 17%",
    "take away": "20 take away 3 \u00d7 4 = 8",
}
FAILS = {
    "sum": "4+4+6 = 18 hot dogs",
    "sum of what is counted alike": "3 apples + 2 apples = 6",
    "product": "10 x 1,248 = 11,480",
    "quotient": "So 1152/ 1,536 = .5",
    "money": "$4200+$3000 = $8600",
    "ten times": "192*100=$1920",
    "all readings": "500/ 2/5 = 200 seats are already taken",
    "decimals": "1/6 * 0.01 = 0.0025",
    "rounded the wrong way": "2/3 = 0.76",
    "percentage": "10/50 = 30%",
    "negative": "5 - 8 + 1 = 3",
    "plain sum after a denial": "That was wrong. Now 5 + 3 = 9.",
    "a test": "In the second test he got 5 + 3 = 9 points",
    "what is not there": "The apples that are not red are 10 - 4 = 7",
    "modular homes": "Of the modular homes 5 + 3 = 9 are left",
    "wanted": "We need 3 * 6 = 20 eggs",
    "fractions with an obelus": "3/4 \u00f7 1/2 = 5",
    "fractions with an obelus, from left to right": "1/3 \u00f7 1/5 = 1/15",
    "in latex": r"\(18 - 6 = 13\)",
    "a name's value": "Apples left = 160 - 60. Apples left = 90.",
    "not in the mark": "8*3 = <<80*3=240>>25",
    "between a sum and a bound": "5 + 3 = 9 < 10",
    "about something else": "He talks about 5 + 3 apples, so 2 * 3 = 7",
    "a denial in the next sentence but one": "So 5 + 3 = 9. He is glad. It was not wrong.",
    "not grouped": "1.500 + 2.25 = 3.950",
    "positive power": "3^2 + 1 = 8",
    "whole from whole": "7*8 = 57",
    "below one": "1/2 + 1/4 = 1",
    "about": "100/3 \u2248 50",
    "a rate in money": "$7/visit * 8 visits = $57",
    "one thing counted": "3 apples + 2 apples = 6 apples",
    "one thing counted, in two kinds": "2 red apples + 3 green apples = 6 apples",
    "nothing named on the left": "3 + 2 = 6 apples",
    "nothing named on the right of a product": "3 boxes * 4 = 13",
    "one measure": "20 hours + 5 hours = 26",
    "one measure, as a word and not": "$20 - $5 = 16 dollars",
    "a formula in dollars": "$5 + 3 = 9$",
    "one unit in a product": "5 * 60 minutes = 310 minutes",
    "percentages of one thing": "100% - 60% = 30%",
    "whole percentage, too far": "2/3 = 60%",
    "points and no thousands": "1.250 - 1 = 1.3",
    "a total that does not run": "1 - 1/4 = 2/4 * 80",
    "a dash and another number": "2 adults - 2 * $10 = $30",
    "no mixed number with a hyphen": "3-1/2 = 4.5",
    "a label with a colon": "Day 12: 5 + 3 = 9",
    "behind a time": "It is 12:30. 5 + 3 = 9",
    "and, behind a noun": "Bob has 5 apples and 3 * 2 = 7 pears",
    "more than somebody": "18 - 5 = 14 more than Bob",
    "a number less another share": "30 - 1/3 = 25",
    "a number and not its nearest ten": "34 + 21 = 600 (to the nearest ten)",
    "about a product": "45 \u00d7 35 \u2248 50 \u00d7 400",
    "ordinals": "130/2 = 85 marks in each of the third and fourth tests",
    "a span behind": "5 * 89 = 474 dollars over 5 days",
    "a plain comma": "50 * 2 = 90, 3 dogs",
}
SOFT = {
    "near": ("36 + 34 + 38 = 107", Soft.NEAR),
    "operands rounded before": ("3.33 * 300 = 1000", Soft.NEAR),
    "factor 60": ("2 * 3 = 360", Soft.FACTOR),
    "factor 100": ("100 * 0.75 = 0.75", Soft.FACTOR),
    "power of a negative number": ("-3^2 = 9", Soft.SIGNED),
    "power of a negative number in a sum": ("4 + -3^2 = 13", Soft.SIGNED),
    "points for thousands": ("1.000 + 500 = 1.500", Soft.SPELLED),
    "running total": ("5 * 60 = 300 + 58", Soft.RUNNING),
    "running total from a fraction": ("1 - 1/4 = 3/4 * 80", Soft.RUNNING),
    "running total from a percentage": ("100% - 20% = 80% * 50", Soft.RUNNING),
    "running total from a rounded number": ("50/3 = 16.67 \u00d7 2", Soft.RUNNING),
    "running total from a negative number": ("-5 + 3 = -2 * 4", Soft.RUNNING),
    "points for thousands in one number": ("1.250 - 400 - 350 = 500", Soft.SPELLED),
    "hyphen in a mixed number": ("3-1/2 = 3.5", Soft.SPELLED),
    "improper fraction of a mixed number": (r"$1\frac{4}{2} = 3$", Soft.SPELLED),
    "percentage of a fraction": ("3/4% = 0.0075", Soft.SPELLED),
    "point that multiplies": ("8.7/2 = 28", Soft.SPELLED),
    "dash that separates": ("2 adults - 2 * $10 = $20", Doubt.SIGN),
    "dash behind a name": ("Store 1 \u2013 4 * $5 = $20", Doubt.SIGN),
    "hyphen behind a list's number": ("1- 5 + 3 = 8", Doubt.SIGN),
    "a number less a share of it": ("30 - 1/3 = 20", Doubt.OF),
    "equations added": ("(1) + (2) = 15 + 10", Doubt.CITED),
    "segment below": ("12/8 = 9/EF, so EF = 6", Soft.NAME),
    "quantity below": ("7/3 = 14/height", Soft.NAME),
    "price list": ("3 apples + 2 oranges = $7", Soft.OTHERS),
    "price list with sums": ("40 hours + 5 OT hours = 40*10 + 5*12", Soft.OTHERS),
    "bar model": ("3 units + 5 units = 40", Soft.OTHERS),
    "bar model, partly named": ("2 boxes + 5 = 17", Soft.OTHERS),
    "percentages of what is counted": ("100% - 60% = 20 girls", Soft.OTHERS),
    "numbers of shops": ("Stores 1 + 2 = $40 + $35", Soft.OTHERS),
    "terms that count different things": ("2 reams + 50 sheets = 1050 sheets", Soft.OTHERS),
    "other measure": ("4 \u00d7 5 mm = 2 cm", Soft.OTHERS),
    "other measure of a sum": ("2 weeks + 3 = 17 days", Soft.OTHERS),
    "measure that is not known": ("44 ft / 1 sec = 30 mph", Soft.OTHERS),
    "power in a measure": ("2*43560 ft^2 = 9680 square yards", Soft.OTHERS),
    "hours of a week": ("7 \u00d7 24 = 1 week", Soft.FACTOR),
}
UNKNOWN = {
    "definition": ("1 bedroom = 11*11", Soft.DEFINITION),
    "conversion alone": ("22 yards = 66 feet", Soft.DEFINITION),
    "whole number": ("17/4 = 4 boxes", Soft.WHOLE),
    "nothing whole": ("1/7 = 0", Soft.WHOLE),
    "remainder": ("17/5 = 4 with a remainder of 2", Doubt.WORDING),
    "decimals cut off with dots": ("2 / 3 * 100% = 66.666...%", Soft.CUT),
    "decimals cut off": ("5/9 = 0.55", Soft.CUT),
    "percentage and share": ("9 / 21 * 100% = 42.857", Soft.PERCENT),
    "dollars and cents": ("$1/2 = 50 cents", Soft.UNITS),
    "pounds and ounces": ("4 pounds - 6 ounces = 58 ounces", Soft.UNITS),
    "hours and minutes": ("2 * 3 hours = 360 minutes", Soft.UNITS),
    "about, and not far": ("100/3 \u2248 35", Soft.NEAR),
    "share of what is not said": ("1/3 = 5 apples", Doubt.SHARE),
    "percent added": ("50 + 20% = 60", Doubt.PERCENT),
    "half before": ("half of 10 + 6 = 13", Doubt.CHANGED),
    "average before": ("the average of 10 + 6 = 8", Doubt.WORDING),
    "dozen behind": ("5 dozen * 2 = 120", Doubt.WORDING),
    "dozen behind the right side": ("60 / 4 = 2 dozen", Doubt.WORDING),
    "ordinal": ("1st - 5 = 6th", Doubt.WORDING),
    "numbered": ("10 pages per day on day 1 * 2 = 20", Doubt.WORDING),
    "compound": ("8 packs of 5 bags * $4/pack = $160", Doubt.LINKED),
    "two expressions": ("20 + 10 decorations to the 29 + 24 = 83", Doubt.LINKED),
    "a clause between": ("He ate 2*5 apples so what remains = 12", Doubt.LINKED),
    "a clause before the operator": ("X is 9 because - 18/-2 = 9", Doubt.LINKED),
    "rate with spaces": ("$25 / day * 24 days = $50", Doubt.RATE),
    "remark with a number": ("2 hours (15 minutes) * 4 = 10", Doubt.ASIDE),
    "bracket beside a number": ("in week 5 (3 + 2) = 7", Doubt.BESIDE),
    "bullet or sign": ("- 5 + 3 = -2", Doubt.SIGN),
    "names": ("1Dachshund+1/4Papillon = 3/4Papillon", Doubt.NAMED),
    "share of words": ("20% of the cost + 5 = 10", Doubt.OF),
    "clock without a colon": ("0900-0130 = 0730 hours", Doubt.CLOCK),
    "number with a broken comma": ("because 14, 400 / 80 = 180", Doubt.NUMBER),
    "negative taken for positive": ("5 - 8 = 3", Soft.RANGE),
    "years": ("2010-2020 = 10 years", Soft.RANGE),
    "ages": ("ages 5-12 = $8 each", Soft.RANGE),
    "office hours": ("9-5 = 8 hours of work", Soft.RANGE),
    "times of the day": ("9 am - 5 pm = 8 hours", Doubt.TIME),
    "negative in brackets": ("$5 - $6 - $2 = ($3)", Soft.BRACKETS),
    "two units summed": ("2 hours + 30 minutes = 32 minutes", Soft.UNITS),
    "feet and inches": ("3 feet + 6 inches = 9 inches", Soft.UNITS),
    "two kinds of money": ("$5 + 5 cents = $10", Soft.UNITS),
    "cups and tablespoons": ("1 cup + 2 tablespoons = 18 tablespoons", Soft.UNITS),
    "coins": ("2 dimes + 1 nickel = 25 cents", Soft.UNITS),
    "centuries": ("1 century - 2 decades = 80 years", Soft.UNITS),
    "one scale of two": ("3 dozen + 4 = 7", Doubt.WORDING),
    "no division for a percentage": ("10 + 10 = 20%", Soft.PERCENT),
    "percent of one taken from a number": ("50 - 10% = 49.9", Doubt.PERCENT),
    "square of": ("the square of 5 + 1 = 26", Doubt.CHANGED),
    "one-third of": ("one-third of 9 + 3 = 6", Doubt.CHANGED),
    "twice as many": ("twice as many as 4 + 2 = 10", Doubt.CHANGED),
    "mixed number with a hyphen": ("1-1/2 cups + 1/2 cup = 2 cups", Doubt.NUMBER),
    "floors": ("[3.7] + [2.5] = 5", Doubt.FLOOR),
    "names of equations": ("From (1) + (2) = 10", Doubt.CITED),
    "not true": ("It is not true that 2 + 2 = 5.", Doubt.ASSERTED),
    "false": ("so 4 + 1 = 6, which is false", Doubt.ASSERTED),
    "does not hold": ("$2 + 3 = 6$ does not hold", Doubt.ASSERTED),
    "rejected": ("Take n = 4: 4 + 2 = 7. No.", Doubt.ASSERTED),
    "question": ("Does 7 * 8 = 54?", Doubt.ASSERTED),
    "wanted, but": ("We need 3 * 6 = 20, but it is not", Doubt.ASSERTED),
    "supposed": ("Suppose 1 + 1 = 3.", Doubt.ASSERTED),
    "said": ("Tom says 7 + 8 = 16, but", Doubt.ASSERTED),
    "denied in Chinese": ("3*5=16 \u662f\u9519\u8bef\u7684", Doubt.ASSERTED),
    "option": ("Option A: 3 x 4 = 13 is incorrect", Doubt.ASSERTED),
    "mistake": ("A common mistake is 3+4*2=14", Doubt.ASSERTED),
    "base": ("Working in base 8: 7 + 5 = 14.", Doubt.SYSTEM),
    "binary": ("In binary: 1 + 1 = 10", Doubt.SYSTEM),
    "modulo": ("Modulo 7, 5 + 4 = 2.", Doubt.SYSTEM),
    "units digit": ("The units digit: 7 * 7 = 9", Doubt.SYSTEM),
    "field": (r"In $\mathbb{F}_2$ we have $1 + 1 = 0$", Doubt.SYSTEM),
    "residues": (r"In $\mathbb{Z}_7$ we have $5 + 4 = 2$", Doubt.SYSTEM),
    "mixed number in latex as a product": (r"$3 \frac{1}{2} = 1.5$", Doubt.NUMBER),
    "mixed number taken apart": ("1 1/2 * 4 = 2", Doubt.NUMBER),
    "nothing computed, behind a share": ("(50% + 50%) of 10 = 10", Doubt.LINKED),
    "nothing computed, behind a half": ("half of 10 = 10", Doubt.CHANGED),
    "half of a sum": ("half of 10 + 6 = 16", Doubt.CHANGED),
    "twice a sum": ("twice 5 + 3 = 8", Doubt.CHANGED),
    "squared": ("5 squared + 1 = 6", Doubt.CHANGED),
    "discount": ("$50 * 10% off = $45", Doubt.WORDING),
    "date": ("12/25/2020 - 5 = 7", Soft.DATE),
    "day of a month": ("May 31 + 1 = 1", Doubt.WORDING),
    "two dashes": ("5 -- 3 = 2", Doubt.SIGN),
    "divisor beside a product": ("6/2(1+2) = 1", Doubt.BESIDE),
    "about before": ("That is about 31 * 3 = 90", Doubt.ASSERTED),
    "approximately behind": ("31 * 3 = 90 approximately", Doubt.ASSERTED),
    "rounded behind": ("31 * 3 = 90 (rounded)", Doubt.ASSERTED),
    "or so": ("31 * 3 = 90 or so", Doubt.ASSERTED),
    "numbers behind": ("5 + 4 = 8 15", Doubt.NUMBER),
    "numbers before": ("3 5/4 = 4 1/4", Doubt.NUMBER),
    "all divided": ("4 plus 10 all divided by 2 equals 7", Doubt.LINKED),
    "sum of two, divided": ("The sum of 12 and 8 divided by 4 equals 5", Doubt.LINKED),
    "half of that": ("half of that 10 + 6 = 8", Doubt.CHANGED),
    "doubled": ("(4 + 10) doubled = 28", Doubt.CHANGED),
    "more than a number": ("7 \u00d7 15 = 5 more than 100", Doubt.LINKED),
    "and a half": ("30 \u00d7 3 = 1 and a half hours", Doubt.WORDING),
    "to the nearest ten": ("34 + 21 = 60 (to the nearest ten)", Soft.NEAR),
    "about a product of rounded numbers": ("45 \u00d7 35 \u2248 50 \u00d7 40", Soft.NEAR),
    "repeating decimal": ("x = 0.1(6) = 1/6", Doubt.BESIDE),
    "whole percentage cut off": ("2/3 = 66%", Soft.CUT),
    "two measures on the right": ("7 \u00d7 15 minutes = 1 hour + 45 minutes", Soft.UNITS),
    "cent sign": ("$1 + 75\u00a2 = $1.75", Soft.UNITS),
    "nothing left of thousands": ("5 \u00d7 1 000 000 = 0", Doubt.NUMBER),
}
OBSTACLES = {
    "word before the operator": ("the rest + 5 * 3 = 16", "cut off"),
    "function": ("factorial(4) = 24", "cut off"),
    "function further left": ("3 + f(2) = 7", "cut off"),
    "operator before a word": ("5 * the 3 + 2 = 25", "cut off"),
    "unread sign": ("\u221a 9 + 16 = 19", "cut off"),
    "operator before a stop": (".8 + . 84 + .82 = 2.46", "cut off"),
    "subscript of a logarithm": (r"\log_2 4^3 = 6", "cut off"),
    "logarithm in a sum": (r"$\log_5 25 + 3 = 5$", "cut off"),
    "root": (r"\sqrt[3] 8 + 1 = 3", "cut off"),
    "binomial": (r"$\binom 5 2 + 1 = 11$", "cut off"),
    "clock": ("6:00 + 48 = 7", "cut off"),
    "colon that divides": ("12 : 3 + 2 = 6", "cut off"),
    "colon that divides by a bracket": ("12 : (2 + 4) = 2", "cut off"),
    "colon that divides on the right": ("30 = 24 : 3 + 22", "cut off"),
    "bullet that multiplies": ("5 \u2022 3 + 2 = 17", "cut off"),
    "point that multiplies": ("5 . 3 + 2 = 17", "cut off"),
    "dash that subtracts": ("20 \u2014 3 + 2 = 19", "cut off"),
    "hours, minutes": ("7 \u00d7 15 = 1 hour, 45 minutes", "cut off"),
    "right side cut off": ("8/3 = 24/Y", "cut off"),
    "right side goes on": ("6 * 4 = 4!", "behind the right side"),
    "decimal comma": ("3,5 * 2 = 7", "cut off"),
    "feet and inches": ("5 feet 3 inches + 2 inches = 65 inches", "cut off"),
    "feet and inches that fit by chance": ("5 feet 3 inches + 2 inches = 5 inches", "cut off"),
    "dollars and cents": ("$5 and 30 cents + 20 cents = $5.50", "cut off"),
    "minutes and seconds": ("5 minutes 30 seconds - 30 seconds = 5 minutes", "cut off"),
    "hours and minutes right": ("2 * 75 minutes = 2 hours 30 minutes", "cut off"),
    "hours and minutes right, with and": ("2 * 75 minutes = 2 hours and 30 minutes", "cut off"),
    "remainder in latex": (r"$7^2 = 9 \mod 10$", "behind the right side"),
    "remainder that says nothing": (r"$17 = 17 \mod 12$", "behind the right side"),
    "product with pi": (r"$4 * 9 = 36 \pi$", "behind the right side"),
    "division by zero": ("5/0 = 0", "division by zero"),
    "tower": ("9^9^9 = 5", "too large"),
    "big exponent": ("7^99 = 5", "exponent"),
    "many digits": (f"{'9' * 31} + 1 = 5", "too large"),
    "many tokens left": (f"{'1+' * 150}1 = 5", "cut off"),
    "many tokens right": (f"2 + 3 = {'1+' * 150}1", "cut off"),
    "many words": (f"2 + 3 = 5 {'apples ' * 250}", "too large"),
    "deep": (f"{'(' * 40}1{')' * 40} + 1 = 5", "too large"),
    "function in latex": (r"\( f\left(\frac{-2}{13}\right) = \frac{11}{15} \)", "cut off"),
    "format character": ("5 + 3 = 8\u202e", "characters"),
    "other digits": ("5 + 3 = 1\u0668", "characters"),
}
NO_EQUATION = {
    "no sign": "He has 5 + 3 apples",
    "no number left": "The total = 5 + 3",
    "no number right": "5 + 3 = eight",
    "algebra": "10m - 7 = 3",
    "algebra on the right": "15 = 3x",
    "algebra with spaces": "5 x + 3 = 8",
    "letters only": "a = b",
    "comparison": "5 + 3 >= 8",
    "not equal": "5 + 3 != 9",
    "not equal to a product": "3*4 + 2 != 15",
    "arrow": "5 + 3 => 8",
    "matrix": r"2 \begin{pmatrix} 1 & 2 \end{pmatrix} = 3 + 1",
    "empty": "",
    "only a mark": "He has <<5+3=8>> apples",
    "definition of a letter": "Let x = the number of weeks",
}


def verdicts(text: str, *, strict: bool = False) -> set[tuple[Verdict, str]]:
    return {(finding.verdict, finding.reason) for finding in (judge(e, strict=strict) for e in read_equations(text))}


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.parametrize("text", HOLDS.values(), ids=HOLDS.keys())
def test_holds(text: str, strict: bool) -> None:
    """A true equation is read whole and holds, in both modes."""
    assert {verdict for verdict, _ in verdicts(text, strict=strict)} == {Verdict.HOLDS}


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.parametrize("text", FAILS.values(), ids=FAILS.keys())
def test_fails(text: str, strict: bool) -> None:
    """A false equation that nothing accounts for fails, in both modes."""
    assert verdicts(text, strict=strict) == {(Verdict.FAILS, "unequal")}


@pytest.mark.parametrize(("text", "why"), SOFT.values(), ids=SOFT.keys())
def test_soft(text: str, why: str) -> None:
    """What is near, by a factor, or a running total is unknown in lenient mode and fails in strict mode."""
    assert verdicts(text) == {(Verdict.UNKNOWN, f"undecided: {why}")}
    assert verdicts(text, strict=True) == {(Verdict.FAILS, "unequal")}


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.parametrize(("text", "why"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_unknown(text: str, why: str, strict: bool) -> None:
    """A false equation that may mean something else is unknown in both modes, and says why."""
    assert verdicts(text, strict=strict) == {(Verdict.UNKNOWN, f"undecided: {why}")}


@pytest.mark.parametrize(("text", "why"), OBSTACLES.values(), ids=OBSTACLES.keys())
def test_obstacles(text: str, why: str) -> None:
    """What could be read only in part, or not be computed, is unknown even in strict mode."""
    found = verdicts(text, strict=True)
    assert {verdict for verdict, _ in found} == {Verdict.UNKNOWN}
    assert all(why in reason for _, reason in found)


@pytest.mark.parametrize("text", NO_EQUATION.values(), ids=NO_EQUATION.keys())
def test_no_equation(text: str) -> None:
    """Algebra, words and comparisons are no claims of this verifier."""
    assert read_equations(text) == ()


def test_chain() -> None:
    """Each sign of a chain is an equation of its own: the wrong one fails, the others hold."""
    findings = [judge(equation, strict=True) for equation in read_equations("4 * 5 + 1 = 20 + 1 = 22 = 11 * 2")]
    assert [finding.verdict for finding in findings] == [Verdict.HOLDS, Verdict.FAILS, Verdict.HOLDS]


def test_running_total() -> None:
    """A running total is unknown where it passes the result on, and decided where it ends."""
    findings = [judge(equation, strict=False) for equation in read_equations("5x60 = 300 + 58 = 358")]
    assert [finding.verdict for finding in findings] == [Verdict.UNKNOWN, Verdict.HOLDS]


def test_a_comma_that_may_end_a_statement() -> None:
    """Digits behind a comma may be another statement's where an equals sign follows them."""
    findings = [judge(equation, strict=True) for equation in read_equations("5*20=100,200-100=100")]
    assert {finding.verdict for finding in findings} == {Verdict.UNKNOWN}
    assert {finding.reason for finding in findings} == {f"undecided: {Doubt.COMMA}"}


def test_words_before_a_step_stop_failing() -> None:
    """An unknown system spoken of before a text keeps its equations from failing, not from holding."""
    findings = [
        judge(e, strict=True).verdict for e in read_equations("5 + 3 = 9, 2 + 2 = 4", system=System(other=True))
    ]
    assert findings == [Verdict.UNKNOWN, Verdict.HOLDS]


def test_several_equations() -> None:
    """Equations of several sentences do not meet."""
    equations = read_equations("She had 3 * 4 = 12 eggs. Then 12 - 5 = 7, so 7 + 1 = 9.")
    assert [equation.quote for equation in equations] == ["3 * 4 = 12 eggs", "12 - 5 = 7", "7 + 1 = 9"]
    assert [judge(equation, strict=True).verdict for equation in equations] == ["holds", "holds", "fails"]


def test_a_name_is_not_reused() -> None:
    """A name's second expression, or a value after its first value, is a new assignment and no claim."""
    assert read_equations("Total = 5 + 3. Total = 8 + 4") == ()
    assert len(read_equations("Cost = 5 * 3 = 15. Cost = 10")) == 1
    assert read_equations("Cost = 5 * 3. Price = 10") == ()
    assert read_equations("Room 1: Area = 4 * 5\nRoom 2: Area = 30") == ()


def test_evidence_gives_both_sides() -> None:
    """The evidence holds the exact values of both sides."""
    (equation,) = read_equations("2/3 + 1 = 7")
    assert judge(equation, strict=True).evidence == "left 5/3, right 7"


def test_quote_keeps_money_and_units() -> None:
    """What people are shown is the text, units and currency included."""
    (equation,) = read_equations("She paid $2.50 * 4 eggs = $10 in all.")
    assert equation.quote == "$2.50 * 4 eggs = $10 in all"
