"""Word sorting, letter by letter (BIG-Bench-Mistake, Tyen et al. 2024, arXiv:2311.08516).

    Q  isle ion tar
    0  ... the first letter of the words in the list. The first letter: "isle": "i" (9). "ion": "i" (9). ...
    1  We now have: (9) ["isle" ? "ion"] < (20) "tar".
    2  Now let's sort this subpart ["isle" ? "ion"] by looking at their second letters. The second letter: ...
    3  We now have: (15) "ion" < (19) "isle" for the subpart. Hence, we have "ion" < "isle" < "tar".
    4  I have now sorted all the words. The answer is ion isle tar

Covered: the letters that are named and their numbers; that words are grouped and ordered as the numbers say; that a
sorted subpart is put in its place; that the subpart sorted next is the first one that is not sorted, by its next
letter; that the answer is the order that was found, wholly sorted. Each step is held against what the steps before it
*said*, so that a mistake is found where it was made and not again where it is used. That the first subpart comes first
is this procedure's rule: a trace that takes another one breaks the rule, even where its words end up well.
Not covered: traces in other words, and an order that is cut short with dots.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from steplabel.schemas import Problem, Solution, Verdict
from steplabel.verifiers.port import Claim, Finding
from steplabel.verifiers.text.notation import is_clean

MAX_STEP_CHARS = 40_000
QUOTED_CHARS = 400
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

Group: TypeAlias = tuple[str, ...]
"""Words that stand at one place of the order, alphabetically: more than one are not sorted yet."""

_LETTER = re.compile(r'"([^"]{1,80})": "([^"])" \(([0-9]{1,3})\)')
_WORD = re.compile(r'"([^"]{1,80})"')
_NUMBER = re.compile(r"\s*\(([0-9]{1,3})\)")
_ORDINAL = re.compile(rf"\b({'|'.join(ORDINALS)}) letters?\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidAndDue:
    """What a step says of something, and what it should say after what was said before."""

    about: str
    said: tuple[object, ...]
    due: tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordSorting:
    """Follows a trace, step by step."""

    name: ClassVar[str] = "word_sorting"
    version: ClassVar[str] = "1"
    domains: ClassVar[frozenset[str]] = frozenset({"word_sorting"})

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[SaidAndDue]]:
        """What each step says that the trace so far decides."""
        trace = _Trace(order=[tuple(sorted(problem.text.split()))])
        for step, subject in zip(solution.steps, solution.node_keys, strict=True):
            text = step.text.strip()
            if not step.labelable or len(text) > MAX_STEP_CHARS or not is_clean(text):
                continue
            follow = next((follow for words, follow in _STEPS if words in text), None)
            for body in follow(trace, text) if follow else ():
                yield Claim(subject=subject, body=body, quote=text[:QUOTED_CHARS])

    def verify(self, claim: Claim[SaidAndDue]) -> Finding:
        """Compare."""
        body = claim.body
        if body.said == body.due:
            return Finding(verdict=Verdict.HOLDS, reason=body.about)
        said = set(body.said)
        missing = [entry for entry in body.due if entry not in said]
        evidence = f"due: {missing or list(body.due)}"
        return Finding(verdict=Verdict.FAILS, reason=body.about, evidence=evidence[:QUOTED_CHARS])


@dataclass(slots=True)
class _Trace:
    """What the steps so far have said.

    Attributes:
        order: the words as they are ordered so far.
        sorting: the words that are being sorted.
        letter: by which letter of theirs (0-based).
        numbers: what number that letter was said to have, by word.
        next_letter: of words that were not told apart yet, the letter that is due.
    """

    order: list[Group]
    sorting: Group = ()
    letter: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    next_letter: dict[Group, int] = field(default_factory=dict)

    def letters(self, text: str) -> Iterator[SaidAndDue]:
        """`... by looking at their second letters. The second letter: "ion": "o" (15).`"""
        head, _, tail = text.partition("letter:")
        said = [(word, letter, int(number)) for word, letter, number in _LETTER.findall(tail)]
        if not said:
            return
        due = next((group for group in self.order if len(group) > 1), ())
        chosen = _words(head)
        self.sorting = chosen or due
        named = _ORDINAL.search(head)
        self.letter = ORDINALS.index(named[1]) if named else self.next_letter.get(self.sorting, 0)
        yield SaidAndDue(about="subpart", said=self.sorting, due=due)
        if self.sorting in self.next_letter or not self.numbers:
            yield SaidAndDue(about="place", said=(self.letter,), due=(self.next_letter.get(self.sorting, 0),))
        self.numbers = {word: number for word, _, number in said}
        yield SaidAndDue(about="letters", said=tuple(sorted(said)), due=tuple(self._due_letters()))

    def _due_letters(self) -> Iterator[tuple[str, str, int]]:
        for word in self.sorting:
            letter = word[self.letter : self.letter + 1]
            # Only a to z have a number of their own: for anything else, whatever was said.
            number = ord(letter) - ord("a") + 1 if "a" <= letter <= "z" else self.numbers.get(word, 0)
            yield word, letter, number

    def ordered(self, text: str) -> Iterator[SaidAndDue]:
        """`We now have: (15) "ion" < (19) "isle" for the subpart. Hence, we have "ion" < "isle" < "tar".`"""
        part, _, whole = text.partition("Hence")
        said = [(_number(place), _words(place)) for place in part.split("<")]
        if not any(group for _, group in said):
            return
        if self.numbers:
            due = self._due_order([number for number, _ in said])
            yield SaidAndDue(about="order", said=tuple(said), due=tuple(due))
        groups = [group for _, group in said]
        self.next_letter.update({group: self.letter + 1 for group in groups if len(group) > 1})
        spliced = self._spliced(groups)
        if "<" not in whole or "..." in whole:
            self.order = spliced
            return
        self.order = [_words(place) for place in whole.split("<")]
        yield SaidAndDue(about="whole order", said=tuple(self.order), due=tuple(spliced))

    def _due_order(self, printed: Sequence[int | None]) -> Iterator[tuple[int | None, Group]]:
        """What the numbers say, without those that the trace leaves out."""
        alike: dict[int, list[str]] = {}
        for word, number in self.numbers.items():
            alike.setdefault(number, []).append(word)
        for i, (number, words) in enumerate(sorted(alike.items())):
            silent = i < len(printed) and printed[i] is None
            yield None if silent else number, tuple(sorted(words))

    def _spliced(self, groups: list[Group]) -> list[Group]:
        """The order with the words that are being sorted replaced, once: it never grows by more than a step says."""
        if self.sorting not in self.order:
            return self.order
        place = self.order.index(self.sorting)
        return [*self.order[:place], *groups, *self.order[place + 1 :]]

    def answer(self, text: str) -> Iterator[SaidAndDue]:
        """`The answer is ion isle tar`"""
        said = tuple((word.strip('",.:;'),) for word in text.partition("answer is")[2].split())
        asked = {word for group in self.order for word in group}
        if any(word in asked for (word,) in said):  # else it is no list of these words
            yield SaidAndDue(about="answer", said=said, due=tuple(self.order))


_STEPS: tuple[tuple[str, Callable[[_Trace, str], Iterable[SaidAndDue]]], ...] = (
    ("letter:", _Trace.letters),
    ("We now have", _Trace.ordered),
    ("answer is", _Trace.answer),
)
"""By words that mark it, how a step is followed."""


def _words(text: str) -> Group:
    return tuple(sorted(_WORD.findall(text)))


def _number(place: str) -> int | None:
    found = _NUMBER.match(place.rpartition(":")[2])
    return int(found[1]) if found else None
