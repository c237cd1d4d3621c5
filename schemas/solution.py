"""What was answered: steps, the prefix nodes they form, and whole solutions as paths of nodes.

A tree (OmegaPRM, MCTS), a prefix trie of samples (TEMPO) and a flat list of solutions are all the same shape:
nodes that know their parent. Two solutions that begin alike share the nodes of what they share, so evidence
about a prefix is found by whoever reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import accumulate

from steplabel.schemas.errors import DataError
from steplabel.schemas.ids import content_id
from steplabel.schemas.models import SamplingParams
from steplabel.schemas.problem import Problem
from steplabel.schemas.validation import check_text


class StepKind(StrEnum):
    """What a step is. Observations (tool output) are never labelled: the policy did not write them."""

    TEXT = "text"
    CODE = "code"
    TOOL_CALL = "tool_call"
    OBSERVATION = "observation"
    THOUGHT = "thought"


class SolutionSource(StrEnum):
    """Where a solution came from."""

    SAMPLED = "sampled"
    IMPORTED = "imported"
    TREE = "tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step, with the separators that follow it: joining all texts gives the solution back exactly.

    Attributes:
        start: first character of the step in the solution's text (0-based; it ends at start + len(text)).
        token_end: count of the solution's tokens that lie wholly before the step's end, where token ids are
            known; a boundary inside a token is cut before that token. None where they are not.
    """

    text: str
    kind: StepKind = StepKind.TEXT
    labelable: bool = True
    start: int = 0
    token_end: int | None = None

    def __post_init__(self) -> None:
        check_text(self.text, field="step text")
        if not self.text:
            raise DataError("a step holds no text at all")
        if self.kind is StepKind.OBSERVATION and self.labelable:
            object.__setattr__(self, "labelable", False)

    @property
    def end(self) -> int:
        """Character just past the step."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A prefix of a problem's solution tree: `depth` steps, of which `step` is the last."""

    key: str
    parent_key: str
    problem_id: str
    step: Step
    depth: int


def node_key(parent_key: str, step: Step) -> str:
    """Key of the prefix that `step` extends `parent_key` to. Spans play no part: texts imply them."""
    return content_id("node", parent_key, step.kind, step.text)


def path_keys(root_key: str, steps: Iterable[Step]) -> tuple[str, ...]:
    """Keys of the prefixes of 1, 2, ... steps; the root (no step) is not among them."""
    keys, key = [], root_key
    for step in steps:
        key = node_key(key, step)
        keys.append(key)
    return tuple(keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A path of nodes from the root to a final answer, and who wrote it.

    Attributes:
        id: content id of path, policy, seed and index: two equal texts sampled twice are two solutions.
        node_keys: one for each step: the prefix that ends with it.
        policy: `ModelIdentity.id` of the writer, or the generator's name for imported solutions.
        sampling, seed, index: how it was drawn; None and 0 for imported ones.
        token_ids: the generated tokens, where the engine gives them; empty otherwise.
        final_answer: as extracted by the answer checker; None if there is none.
    """

    id: str
    problem_id: str
    steps: tuple[Step, ...]
    node_keys: tuple[str, ...]
    policy: str = ""
    policy_licence: str = ""
    source: SolutionSource = SolutionSource.IMPORTED
    sampling: SamplingParams | None = None
    seed: int = 0
    index: int = 0
    token_ids: tuple[int, ...] = ()
    finish_reason: str = ""
    final_answer: str | None = None

    def __post_init__(self) -> None:
        if not self.steps:
            raise DataError(f"solution {self.id}: has no steps")
        if len(self.steps) != len(self.node_keys):
            raise DataError(f"solution {self.id}: {len(self.steps)} steps, {len(self.node_keys)} node keys")

    @property
    def text(self) -> str:
        """The whole solution, exactly as it was written."""
        return "".join(step.text for step in self.steps)

    def prefix(self, count: int) -> str:
        """Text of the first `count` steps (0 gives the empty prefix)."""
        return "".join(step.text for step in self.steps[:count])

    def nodes(self, root_key: str) -> tuple[Node, ...]:
        """The path as nodes, from the first step on."""
        parents = (root_key, *self.node_keys)
        return tuple(
            Node(key=key, parent_key=parents[i], problem_id=self.problem_id, step=step, depth=i + 1)
            for i, (key, step) in enumerate(zip(self.node_keys, self.steps, strict=True))
        )


def make_solution(  # noqa: PLR0913 - a record's constructor: one argument a field
    problem: Problem,
    steps: tuple[Step, ...],
    *,
    policy: str = "",
    policy_licence: str = "",
    source: SolutionSource = SolutionSource.IMPORTED,
    sampling: SamplingParams | None = None,
    seed: int = 0,
    index: int = 0,
    token_ids: tuple[int, ...] = (),
    finish_reason: str = "",
    final_answer: str | None = None,
) -> Solution:
    """Build a solution of `problem` with its node keys, content id, and spans that follow from the texts.

    Raises:
        DataError: no steps, or a step that holds no text.
    """
    keys = path_keys(problem.root_key, steps)
    leaf = keys[-1] if keys else problem.root_key
    return Solution(
        id=content_id("solution", leaf, policy, source, sampling, seed, index),
        problem_id=problem.id,
        steps=_spanned(steps),
        node_keys=keys,
        policy=policy,
        policy_licence=policy_licence,
        source=source,
        sampling=sampling,
        seed=seed,
        index=index,
        token_ids=token_ids,
        finish_reason=finish_reason,
        final_answer=final_answer,
    )


def _spanned(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    starts = accumulate((len(step.text) for step in steps), initial=0)
    pairs = zip(steps, starts, strict=False)
    return tuple(step if step.start == start else replace(step, start=start) for step, start in pairs)
