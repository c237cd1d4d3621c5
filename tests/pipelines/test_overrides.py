"""`--set path.to.field=value`."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from steplabel.pipelines.models import model_use
from steplabel.pipelines.overrides import apply_overrides
from steplabel.pipelines.recipes import RECIPES
from steplabel.schemas import AfterError, ConfigError, SamplingParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    sampling: SamplingParams = SamplingParams()
    title: str = "x"
    note: str | None = None
    limit: int | None = None
    after: AfterError = AfterError.KEPT


@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        pytest.param("sampling.temperature=0.5", ("sampling", "temperature"), 0.5, id="nested float"),
        pytest.param("sampling.temperature=1", ("sampling", "temperature"), 1.0, id="int taken for a float"),
        pytest.param('sampling.stop=["\\n\\n"]', ("sampling", "stop"), ("\n\n",), id="JSON list"),
        pytest.param("title=8", ("title",), "8", id="a text field keeps digits as text"),
        pytest.param("limit=null", ("limit",), None, id="null"),
        pytest.param("limit=3", ("limit",), 3, id="optional int"),
        pytest.param("after=cut", ("after",), AfterError.CUT, id="enum"),
        pytest.param(" title =a=b", ("title",), "a=b", id="spaces around the path, and = in the value"),
        pytest.param("title=Answer: ", ("title",), "Answer: ", id="a text keeps its outer spaces"),
        pytest.param("title=\n", ("title",), "\n", id="all of them"),
        pytest.param('title="Answer: "', ("title",), "Answer: ", id="a JSON string is its text"),
        pytest.param('title="a\\n\\u00e9"', ("title",), "a\né", id="with its escapes"),
        pytest.param('title= "a" ', ("title",), "a", id="spaces around a JSON string"),
        pytest.param('title="a', ("title",), '"a', id="half a JSON string is plain text"),
        pytest.param("title=null", ("title",), "null", id="a text field keeps null as text"),
        pytest.param('title=["a"]', ("title",), '["a"]', id="and a list"),
        pytest.param("title=\udcff", ("title",), "\udcff", id="bytes of no encoding are left to the record"),
        pytest.param("note= a ", ("note",), " a ", id="optional text keeps its outer spaces"),
        pytest.param('note="8"', ("note",), "8", id="optional text as JSON"),
        pytest.param("note=null", ("note",), None, id="optional text may be absent"),
        pytest.param("limit= 3 ", ("limit",), 3, id="spaces around a number"),
        pytest.param("after= cut ", ("after",), AfterError.CUT, id="spaces around an enum's word"),
    ],
)
def test_sets_one_field(assignment: str, path: tuple[str, ...], value: object) -> None:
    """A value is read as the field's type."""
    changed: object = apply_overrides(Outer(), [assignment])
    for name in path:
        changed = getattr(changed, name)
    assert changed == value


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        pytest.param("sampling", "path.to.field=value", id="no equals sign"),
        pytest.param("samplign.n=1", "it has sampling, title, note, limit, after", id="typo lists the fields"),
        pytest.param("sampling.temperature=hot", "temperature", id="wrong type"),
        pytest.param("sampling.temperature=99", "99", id="refused by the record itself"),
        pytest.param("title.more=1", "plain value", id="path into a plain value"),
        pytest.param("after=never", "never", id="no such enum value"),
    ],
)
def test_refuses_with_help(assignment: str, words: str) -> None:
    """A bad assignment is a ConfigError that says what would do."""
    with pytest.raises(ConfigError, match=words.replace(".", r"\.")):
        apply_overrides(Outer(), [assignment])


@pytest.mark.parametrize("probe", ["Answer: ", '"Answer: "'], ids=["as it is", "as JSON"])
def test_a_default_can_be_set_to_itself(probe: str) -> None:
    """The text that forces an answer ends with a blank: taken from it, VSRM would ask another question."""
    recipe = RECIPES["vsrm"](model_use("scripted:m:f"))
    assert apply_overrides(recipe, [f"annotator.probe={probe}"]) == recipe


def test_later_assignments_win() -> None:
    """Assignments apply in order."""
    assert apply_overrides(Outer(), ["limit=1", "limit=2"]).limit == 2


def test_fields_that_must_fit_each_other_change_together() -> None:
    """A record that refuses either change alone takes both, in any order."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Pair:
        left: int = 1
        right: int = 1

        def __post_init__(self) -> None:
            if self.left != self.right:
                raise ConfigError("unequal")

    with pytest.raises(ConfigError, match="unequal"):
        apply_overrides(Pair(), ["left=2"])
    assert apply_overrides(Pair(), ["right=2", "left=2"]) == Pair(left=2, right=2)
