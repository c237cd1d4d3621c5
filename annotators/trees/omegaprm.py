"""OmegaPRM: a tree of states for each problem, searched from many wrong rollouts (Luo et al. 2024, arXiv:2406.06592).

A state is a prefix s; MC(s) = c/k over its k rollouts. The sampled solutions are the first rollouts of the root.
A pool holds every rollout r with a wrong answer whose state has 0 < MC(s) < 1. Again and again (section 3.3):

    select    the (s, r) with the highest Q(s, r) + U(s), and take it out of the pool for good
              Q(s, r) = alpha^(1 - MC(s)) * beta^(len(r) / L)     prefer states that are nearly right, short rollouts
              U(s)    = c_puct * sqrt(sum of all N) / (1 + N(s))  prefer states that were selected rarely
    search    r for its first error by halving, with k rollouts at each prefix (section 3.2)
    maintain  N(s) grows by one; each prefix that was asked is a state of its own, with its MC, and its wrong
              rollouts enter the pool

until the pool is empty, or the search limit or a budget is reached. No prefix is estimated twice, over the whole
tree: prefixes are known by their text, so that the same words in other pieces cost nothing. The paper's constants:
k = 8, alpha = 0.5, beta = 0.9, L = 500 tokens, c_puct = 0.125, 100 searches.

What comes out. Every searched rollout is a solution (source `tree`; a sampled one that is searched by its own steps
is in the evidence already), whose nodes hold the rollouts, so that any label view can count them. The paper trains
on single-step edges only: those are the observations of source `omegaprm`, one for each node that is one step behind
a state and a state itself; score = MC as the search saw it, verdict `holds` iff MC > 0. Where a search ends at the last
step of a wrong solution, that step has MC = 0 by the outcome. Labels take from them which steps count, and the values
from the rollouts. One more observation, on the problem's root, holds a `TreeTrace`.

Deviations, and why:

    steps       visible ones by default; `pieces=16` cuts by length, as the paper does, where the average is that of the
                problem's own solutions (the paper has the data set's), and halves a rollout's pieces of one
                sixteenth instead of its tokens: the same places for a solution of average length (see `pieces`)
    len(r)      in tokens where they are known; for solutions that came without, in words
    twins       of equal texts one is searched, solutions or rollouts of whatever states, cut into whatever pieces: a
                second search would learn next to nothing
    ties        go to the rollout that entered the pool first
    the root    in the paper it has k rollouts of its own; here the given solutions, of which there may be few:
                `ask_root` asks for k more

Not known is never wrong: rollouts that could not be checked count neither for nor against a state and do not enter
the pool; where too few are left the search of that rollout ends there, and the annotation says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

from steplabel.annotators.annotation import Annotation, AnnotationStatus, Solved
from steplabel.annotators.asking.difficulty import KByDifficulty
from steplabel.annotators.asking.prefix import check_belong, check_counts, labelable_depths
from steplabel.annotators.effects import Program, Samples
from steplabel.annotators.ending import status_of
from steplabel.annotators.tally import Tally
from steplabel.annotators.trees.pieces import EvenPieces
from steplabel.annotators.trees.rollout_pool import Candidate, RolloutPool, RolloutSelection, State
from steplabel.annotators.trees.tree import Findings, ask_state, is_failure, monte_carlo, recut, tree_path
from steplabel.schemas import (
    BudgetExhausted,
    CheckedOutcome,
    ConfigError,
    DataError,
    EngineError,
    Observation,
    Outcome,
    Problem,
    Reason,
    Rollout,
    SamplingParams,
    Solution,
    Verdict,
)
from steplabel.schemas.codec import to_json
from steplabel.schemas.segmentation import NewlineSteps, Segmenter


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeTrace:
    """What a search over a tree did: the evidence of its observation on the root, as JSON.

    Attributes:
        root_value: MC of the bare problem; None if it is not known.
        searches: rollouts that were selected and searched.
        states: prefixes that were estimated, the root left out.
        undecided: those of them about which too little is known.
        pool: wrong rollouts that were left when the search ended.
    """

    root_value: float | None
    searches: int
    states: int
    undecided: int
    pool: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OmegaPRM:
    """OmegaPRM's search over the tree of one problem; a `ProblemAnnotator`.

    Attributes:
        k: completions for each prefix.
        k_by_difficulty: takes the place of `k`: how many each prefix of the problem gets follows from the root's
            outcomes, which are the given solutions' and, with `ask_root`, those of the rule's pilot.
        sampling: of completions; None takes the solution's own parameters, or the defaults where it was imported.
        segmenter: cuts rollouts into steps; the given solutions keep theirs.
        pieces: cut rollouts and solutions into so many pieces of an average solution instead (16 in the paper).
            Solutions with steps that the policy did not write keep their steps.
        selection: the constants of Q and U.
        searches: most rollouts to select and search for each problem; the paper's search limit.
        max_samples: most completions to ask for each problem; None for no limit but that of the searches. A search
            that it ends is complete: no repeat would find more.
        ask_root: ask k completions of the bare problem first, or the rule's pilot. They count for its MC and enter
            the pool.
        silence_is_failure: completions and solutions that were cut by length or gave no answer count as wrong, as
            in the paper, and are searched. Otherwise they are unknown.
        min_decided: completions that must count for or against a prefix before the search goes on as if MC = 0. None
            takes half of k, rounded up.

    Raises:
        ConfigError: a number out of its range.
    """

    name: ClassVar[str] = "omegaprm"
    version: ClassVar[str] = "2"

    k: int = 8
    k_by_difficulty: KByDifficulty | None = None
    sampling: SamplingParams | None = None
    segmenter: Segmenter = field(default_factory=NewlineSteps)
    pieces: int | None = None
    selection: RolloutSelection = field(default_factory=RolloutSelection)
    searches: int = 100
    max_samples: int | None = None
    ask_root: bool = False
    silence_is_failure: bool = True
    min_decided: int | None = None

    def __post_init__(self) -> None:
        least, most = self.root_k, self.most_k
        check_counts(k=least, chunk=least)
        limits = (
            (self.searches >= 1, "searches", self.searches, "at least 1"),
            (self.pieces is None or self.pieces >= 2, "pieces", self.pieces, "at least 2, or None"),
            (self.max_samples is None or self.max_samples >= most, "max_samples", self.max_samples, "k or more"),
            (self.min_decided is None or 1 <= self.min_decided <= least, "min_decided", self.min_decided, "in 1..k"),
        )
        for ok, name, value, rule in limits:
            if not ok:
                raise ConfigError(f"omegaprm {name}={value!r} must be {rule} (k={least}..{most})")

    @property
    def root_k(self) -> int:
        """Completions of the bare problem, where it is asked: no more than any prefix gets."""
        return self.k_by_difficulty.pilot if self.k_by_difficulty else self.k

    @property
    def most_k(self) -> int:
        """Most completions that a prefix can get."""
        return self.k_by_difficulty.most if self.k_by_difficulty else self.k

    def problem_program(self, problem: Problem, solved: Sequence[Solved], *, seed: int) -> Program[Annotation]:
        """Return a program that searches one problem's tree: see `ProblemAnnotator.problem_program`."""
        for solution, outcome in solved:
            check_belong(problem, solution, outcome)
        return (yield from _Search(self, problem, solved, seed).run())

    def most_samples(self, steps: int) -> int:
        """k at each prefix that a bisection of the steps looks at, in every search, for a problem of one solution."""
        asked = self.most_k * self.searches * max(0, steps - 1).bit_length() + self.root_k * self.ask_root
        return asked if self.max_samples is None else min(asked, self.max_samples)


class _Search:
    """One problem's search under way."""

    def __init__(self, config: OmegaPRM, problem: Problem, solved: Sequence[Solved], seed: int) -> None:
        self.config, self.problem, self.seed = config, problem, seed
        self.k = config.k
        self.solved = tuple((solution, outcome) for solution, outcome in solved if outcome is not None)
        given = next((solution.sampling for solution, _ in solved if solution.sampling), None)
        self.sampling = config.sampling or given or SamplingParams()
        self.segmenter = _segmenter(config, [solution for solution, _ in solved])
        self.root = State(steps=(), value=None)
        self.states: dict[str, State] = {"": self.root}  # by the prefix's text
        self.pool = RolloutPool(config.selection)
        self.searched: dict[str, Solution] = {}  # by the whole text
        self.wrong: set[str] = set()  # ids of those whose answer is wrong, not only missing
        self.found = Findings()

    def run(self) -> Program[Annotation]:
        """Search until there is nothing left to search, or no more may be."""
        try:
            yield from self._plant()
            if not self.pool:
                return self._skipped()
            while len(self.searched) < self.config.searches and (selected := self._select()) is not None:
                if not (yield from self._locate(*selected)):
                    break
        except (EngineError, BudgetExhausted) as error:
            return self._annotation(status_of(error), f"after {len(self.searched)} searches: {error}")
        undecided = self._trace().undecided
        detail = f"too few completions of {undecided} prefixes could be checked" if undecided else ""
        return self._annotation(AnnotationStatus.COMPLETE, detail)

    def _plant(self) -> Program[None]:
        """The root: its rollouts are the given solutions, and k more if they are to be asked."""
        config, key = self.config, self.problem.root_key
        more = Samples(rollouts=(), outcomes=())
        if config.ask_root:
            more = yield ask_state(self.problem, key, (), n=config.root_k, sampling=self.sampling, seed=self.seed)
            self.found.heard(more)
        outcomes = (*(outcome for _, outcome in self.solved), *more.outcomes)
        self.root.value = self._value(outcomes)
        if config.k_by_difficulty:
            self.k = config.k_by_difficulty.k(Tally.of(outcomes)) or 0  # none: then nothing is in the pool either
        for solution, outcome in self.solved:
            self._offer(self.root, solution, outcome)
        for rollout, outcome in zip(more.rollouts, more.outcomes, strict=True):
            self._offer(self.root, rollout, outcome)

    def _value(self, outcomes: Sequence[CheckedOutcome]) -> float | None:
        config = self.config
        return monte_carlo(outcomes, silence_is_failure=config.silence_is_failure, min_decided=config.min_decided)

    def _offer(self, state: State, written: Solution | Rollout, outcome: CheckedOutcome) -> None:
        """Put a rollout into the pool if it belongs there."""
        if is_failure(outcome, silence_is_failure=self.config.silence_is_failure):
            self.pool.offer(state, written, outcome)

    def _select(self) -> tuple[State, Solution] | None:
        """Take the best rollout out of the pool: its state and its path; None if the pool is empty."""
        while (candidate := self.pool.take()) is not None:
            path = self._path(candidate)
            if path is None or path.text in self.searched:
                continue
            self.pool.selected(candidate)
            self.searched[path.text] = path
            if candidate.outcome.outcome is Outcome.WRONG:
                self.wrong.add(path.id)
            if path is not candidate.written:
                self.found.path(path, candidate.outcome)
            return candidate.state, path
        return None

    def _path(self, candidate: Candidate) -> Solution | None:
        written, steps = candidate.written, candidate.state.steps
        if isinstance(written, Solution):
            whole = self.config.pieces is None or not all(step.labelable for step in written.steps)
            return written if whole else recut(self.problem, written, self.segmenter)
        try:
            steps = (*steps, *self.segmenter.split(written.text))
        except DataError:
            return None  # it added nothing: there is no step to blame
        return tree_path(self.problem, steps, written, candidate.outcome)

    def _locate(self, state: State, path: Solution) -> Program[bool]:
        """Halve what lies behind a state until the first error is found; False if no more may be asked."""
        depths = (0, *labelable_depths(path))
        low, high = depths.index(len(state.steps)), len(depths) - 1
        while high - low > 1:
            middle = (low + high) // 2
            text = path.prefix(depths[middle])
            if text not in self.states:
                if not self._may_ask():
                    return False
                yield from self._estimate(path, depths[middle])
            value = self.states[text].value
            if value is None:
                break
            low, high = (middle, high) if value > 0 else (low, middle)
        return True

    def _may_ask(self) -> bool:
        limit = self.config.max_samples
        return limit is None or self.found.samples + self.k <= limit

    def _estimate(self, path: Solution, depth: int) -> Program[None]:
        """Make the first `depth` steps a state: ask k completions, and put the wrong ones into the pool."""
        key, steps = path.node_keys[depth - 1], path.steps[:depth]
        samples: Samples = yield ask_state(
            self.problem,
            key,
            steps,
            n=self.k,
            sampling=self.sampling,
            seed=self.seed,
            token_ids=path.token_ids,
        )
        self.found.heard(samples)
        state = self.states[path.prefix(depth)] = State(steps=steps, value=self._value(samples.outcomes))
        for rollout, outcome in zip(samples.rollouts, samples.outcomes, strict=True):
            self._offer(state, rollout, outcome)

    def _skipped(self) -> Annotation:
        value = self.root.value
        words = {None: Reason.NONE_DECIDED, 0.0: Reason.ALL_WRONG, 1.0: Reason.ALL_RIGHT}
        detail = f"{words.get(value, Reason.NO_STEPS)}: MC = {value} of the bare problem: nothing to search"
        return self._annotation(AnnotationStatus.SKIPPED, detail)

    def _annotation(self, status: AnnotationStatus, detail: str = "") -> Annotation:
        edges = {node: value for path in self.searched.values() for node, value in self._edges(path)}
        claims = [self._claim(node, value) for node, value in edges.items()]
        return self.found.annotation(status, [self._root_claim(), *claims], detail=detail)

    def _edges(self, path: Solution) -> Iterator[tuple[str, float]]:
        """The nodes of a path that are one step behind a state, and known themselves, with their MC."""
        depths = labelable_depths(path)
        states = [self.root, *(self.states.get(path.prefix(depth)) for depth in depths)]
        for depth, (parent, child) in zip(depths, pairwise(states), strict=True):
            if parent is None or parent.value is None:
                continue
            key = path.node_keys[depth - 1]
            if child is not None and child.value is not None:
                yield key, child.value
            elif child is None and parent.value > 0 and depth == depths[-1] and path.id in self.wrong:
                yield key, 0.0

    def _claim(self, node: str, value: float) -> Observation:
        return Observation(
            subject=node,
            source=self.config.name,
            source_version=self.config.version,
            verdict=Verdict.HOLDS if value > 0 else Verdict.FAILS,
            score=value,
        )

    def _trace(self) -> TreeTrace:
        estimated = [state for state in self.states.values() if state is not self.root]
        return TreeTrace(
            root_value=self.root.value,
            searches=len(self.searched),
            states=len(estimated),
            undecided=sum(state.value is None for state in estimated),
            pool=len(self.pool),
        )

    def _root_claim(self) -> Observation:
        return Observation(
            subject=self.problem.root_key,
            source=self.config.name,
            source_version=self.config.version,
            evidence=to_json(self._trace()).decode(),
        )


def _segmenter(config: OmegaPRM, solutions: Sequence[Solution]) -> Segmenter:
    if config.pieces is None or not solutions:
        return config.segmenter
    average = sum(len(solution.text) for solution in solutions) / len(solutions)
    return EvenPieces(chars=average / config.pieces)
