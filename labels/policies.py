"""The ready policies by name, and the paper that each stands for: what the command line offers.

Their options are said in their own files; what counts mean in `monte_carlo.py` and `estimates.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from steplabel.labels.advantage import GroupAdvantage, ProcessAdvantage, StepwiseReward
from steplabel.labels.counting import Counted, ObservedScores, RolloutCounts, SiblingCounts, counting_of
from steplabel.labels.credit import MinForm
from steplabel.labels.estimates import Ending
from steplabel.labels.estimation import HardAbove, HardAny, Soft
from steplabel.labels.gate import OutcomeGated
from steplabel.labels.policy import LabelPolicy
from steplabel.labels.progress import RelativeProgress
from steplabel.labels.routes import RouteValue
from steplabel.labels.scan import Scan
from steplabel.labels.scored import ScoredGain, ScoredValue
from steplabel.labels.searched import SearchedEdges
from steplabel.labels.step_results import LastNumber
from steplabel.labels.verified import Verified
from steplabel.schemas import AfterError, LabelTarget

__all__ = [
    "NAMED_BY_OPTIONS",
    "POLICIES",
    "PROBE",
    "HardAbove",
    "HardAny",
    "LabelPolicy",
    "Soft",
    "reads_routes",
    "reads_shares",
]

PROBE = "Answer: "
"""The text that forces an answer in the ready policies, as the annotator `answer_probe` has it by default.

Answers to another text are counted by `RolloutCounts(probe=...)`: a recipe whose annotator asks by one text and whose
labels count the answers to another is refused.
"""

NAMED_BY_OPTIONS = (
    HardAny,
    HardAbove,
    Soft,
    Scan,
    RelativeProgress,
    ProcessAdvantage,
    StepwiseReward,
    GroupAdvantage,
    MinForm,
    OutcomeGated,
    ScoredValue,
    ScoredGain,
    RouteValue,
    SearchedEdges,
    Verified,
    Counted,
)
"""Policies that derive their name from their options if it is empty: after a change of options, empty it."""

_READY: tuple[LabelPolicy, ...] = (
    HardAny(),
    HardAny(gate_outcome=True),
    HardAny(after_error=AfterError.CUT),
    HardAny(ending=Ending.FORCED),
    HardAbove(),
    Soft(),
    Soft(gate_outcome=True),
    Soft(after_error=AfterError.CUT),
    Soft(ending=Ending.FORCED),
    # OmegaPRM's binary search (Luo et al. 2024, arXiv:2406.06592, section 3.2). It asks few prefixes after
    # the error, and which ones is chance. That all are unreachable holds only up to sampling error (a
    # completer may repair), and the Qwen "lessons" paper found labels after the first error harmful: the rest
    # is unknown, not "-". The search took rollouts without an answer as failures when it chose where to go,
    # so must we.
    HardAny(name="locate", gate_outcome=True, after_error=AfterError.UNKNOWN, unknown_as="wrong"),
    # The papers' own views: what did not end in the right answer failed.
    HardAny(name="math_shepherd_hard", unknown_as="wrong"),
    Soft(name="math_shepherd_soft", unknown_as="wrong"),
    # Zhang et al. 2025, arXiv:2501.07301: hard labels, steps after the first error removed.
    HardAny(name="qwen_hard", unknown_as="wrong", after_error=AfterError.CUT),
    Scan(),
    RelativeProgress(name="genprm", unknown_as="wrong"),
    RelativeProgress(name="genprm_difference", form="difference", unknown_as="wrong"),
    ProcessAdvantage(name="pav", unknown_as="wrong"),
    MinForm(name="pure", values_of=Soft(unknown_as="wrong")),
    OutcomeGated(name="gra", labels_of=Soft(unknown_as="wrong")),
    # TEMPO: V(prefix) from the prefix tree of the samples, and its difference along the steps, the
    # temporal-difference half of its credit (the other half is the same for all steps).
    Counted(name="prefix_tree", policy=Soft(unknown_as="wrong"), counting=SiblingCounts()),
    Counted(name="tempo", policy=ProcessAdvantage(best_of=1, unknown_as="wrong"), counting=SiblingCounts()),
    Counted(name="gigpo", policy=GroupAdvantage(unknown_as="wrong"), counting=SiblingCounts(result=LastNumber())),
    Counted(name="vsrm", policy=StepwiseReward(unknown_as="wrong"), counting=RolloutCounts(probe=PROBE)),
    # AnytimeReasoner: how good an answer forced here would be.
    Counted(name="anytime", policy=Soft(unknown_as="wrong"), counting=RolloutCounts(probe=PROBE)),
    # OmegaPRM's tree says which steps count, by its observations; their rollouts say what they are worth.
    SearchedEdges(name="omegaprm"),
    SearchedEdges(name="omegaprm_hard", target=LabelTarget.REACHABLE),
    # What a search or a scorer said itself, by its observations: the names of sources are the annotators'.
    ScoredValue(name="mcts", source="mcts"),
    RouteValue(name="rest_mcts"),
    ScoredGain(name="igpo"),
    # What verifiers said of the steps themselves: the names of sources are the verifiers'.
    Verified(name="fover", sources=("logic", "sat_task"), proves=True),
    Verified(name="formalised", sources=("z3_formalisation",), proves=True),
    Verified(name="refuted", sources=("arithmetic", "latex_arithmetic", "z3_entailment")),
)

POLICIES: Mapping[str, LabelPolicy] = MappingProxyType({policy.name: policy for policy in _READY})
"""The ready policies by name. Others are calls of the classes above."""


def reads_shares(policy: LabelPolicy) -> bool:
    """Whether labels rest on the shares c/k of rollouts, not only on whether any rollout is right.

    An annotator that stops at the first right rollout over-states the shares. "Reachable at threshold 0" does not
    read them, nor do policies that count no rollouts; any other policy is taken to read them.
    """
    if not isinstance(counting_of(policy), RolloutCounts):
        return False
    while isinstance(policy, (Counted, OutcomeGated)):
        policy = policy.policy if isinstance(policy, Counted) else policy.labels_of
    above = policy.threshold if isinstance(policy, (HardAbove, SearchedEdges)) else 0.0
    return policy.target != LabelTarget.REACHABLE or above > 0.0


def reads_routes(policy: LabelPolicy) -> bool:
    """Whether labels rest on route values, which count the steps of the tree that the search grew: t of T.

    Where steps of that tree are joined afterwards, they say nothing.
    """
    counting = counting_of(policy)
    by_source = isinstance(counting, ObservedScores) and counting.source == RouteValue().source
    return by_source or isinstance(policy, RouteValue)
