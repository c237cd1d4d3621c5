"""Names for generated problems: FoVer's letters, or words that read well in sentences."""

from __future__ import annotations

from itertools import product
from string import ascii_lowercase, ascii_uppercase

LETTER_NAMES = (*ascii_uppercase, *(a + b for a, b in product("ABCDEFGHIJ", ascii_uppercase)))
"""Predicates and propositions as FoVer names them: A ... Z, AA ... JZ."""
LETTER_THINGS = tuple(letter for letter in ascii_lowercase if letter not in "uvwxyz")
"""Constants; the last letters are variables, and v is `or`."""

_ADJECTIVES = """
tall calm kind brave quick quiet green round heavy bright cold warm young proud rough smooth sharp sweet wild loud clean
early empty fair fresh gentle happy honest humble large light lucky modern narrow neat old pale plain polite rare rich
ripe shy simple slow small soft solid steady strong tidy tiny tough white wide wise
"""
_EVENTS = """
rain snow thunder fog frost drought flood harvest market festival strike election concert parade auction delay repair
inspection training rehearsal lecture exam holiday meeting vote launch landing eclipse migration sunrise sunset tide
storm thaw planting shearing baking brewing painting printing sailing racing hiking fishing mining logging weaving
singing dancing
"""
_PEOPLE = "anna ben clara david emma frank grace henry ida jonas karin leo mara nils olga paul rosa simon tina"

ADJECTIVES = tuple(_ADJECTIVES.split())
"""Said of things: `anna is tall`."""
EVENTS = tuple(_EVENTS.split())
"""Propositions: `rain happens`."""
PEOPLE = tuple(_PEOPLE.split())
"""Constants of the worded surfaces."""
