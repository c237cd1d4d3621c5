"""Evidence to labels: a policy is a pure function, so labels are derived again in milliseconds.

Evidence to counts
    outcomes.py      whose word counts where several checkers, versions or statements disagree
    counts.py        rollouts at every step, or answers to a probe behind it; whose rollouts
    siblings.py      no rollouts at all: how the samples that passed through a state came out
    step_results.py  which states are equal: what a step comes to, in one canonical word
    claims.py        what sources say of nodes: the one verdict and the one score that count
    columns.py       records to integer codes
    coded.py         codes to counts: what columns of evidence can come to without records
    counting.py      these ways as values, and `Counted`: a policy over another way than the usual one

Counts to labels
    estimates.py     counts to values with bounds, before and after a step; who speaks at the end
    ragged.py        labels while they are written
    monte_carlo.py   the semantics of counts: marks, implication, outcome, first error, what follows it
    policy.py        what a policy is
    estimation.py    hard and soft estimation (Math-Shepherd)
    scan.py          self-confidence gate, tolerance window (SCAN)
    progress.py      relative progress (GenPRM)
    advantage.py     a prover's advantage (PAV), step-wise rewards (VSRM), advantages in a group (GiGPO)
    credit.py        min-form credit (PURE)
    gate.py          nothing is earned by a wrong answer (G-RA)
    verified.py      what verifiers said of the steps (FoVer)
    scored.py        what a source graded itself: values (AlphaMath) and their change (IGPO)
    searched.py      the steps that a search singled out, by their counts (OmegaPRM)
    routes.py        values by the way to a right answer (ReST-MCTS*)
    policies.py      the ready policies by name

Labels to records
    apply.py         counts -> policy -> StepLabels
    rows.py          StepLabels to the flat rows of the dataset
    preferences.py   pairs of sibling steps, one better than the other (Step-DPO, Step-Q)
    metrics.py       first-error F1 with bootstrap intervals, paired differences
    step_metrics.py  per-step quality: precision and recall of "-", Brier, reliability, ranking

    curation/        filtered, balanced, merged, looked at: before anyone trains on labels

Not covered yet: posterior.
"""

from steplabel.labels.advantage import GroupAdvantage, ProcessAdvantage, StepwiseReward
from steplabel.labels.apply import is_labelled, label_evidence
from steplabel.labels.coded import CodedEvidence, count_coded
from steplabel.labels.counting import Counted, ObservedScores, ObservedVerdicts, RolloutCounts, SiblingCounts
from steplabel.labels.counts import count_evidence, evidence_tokens
from steplabel.labels.credit import MinForm
from steplabel.labels.estimates import Ending
from steplabel.labels.gate import OutcomeGated
from steplabel.labels.metrics import F1Difference, F1Report, first_error_difference, first_error_f1
from steplabel.labels.policies import POLICIES, HardAbove, HardAny, LabelPolicy, Soft
from steplabel.labels.preferences import StepPreference, mark_preferences, value_preferences
from steplabel.labels.progress import RelativeProgress
from steplabel.labels.routes import RouteValue
from steplabel.labels.rows import label_rows
from steplabel.labels.scan import Scan
from steplabel.labels.scored import ScoredGain, ScoredValue
from steplabel.labels.searched import SearchedEdges
from steplabel.labels.siblings import count_siblings
from steplabel.labels.step_results import LastNumber, last_number
from steplabel.labels.verified import Verified

__all__ = [
    "POLICIES",
    "CodedEvidence",
    "Counted",
    "Ending",
    "F1Difference",
    "F1Report",
    "GroupAdvantage",
    "HardAbove",
    "HardAny",
    "LabelPolicy",
    "LastNumber",
    "MinForm",
    "ObservedScores",
    "ObservedVerdicts",
    "OutcomeGated",
    "ProcessAdvantage",
    "RelativeProgress",
    "RolloutCounts",
    "RouteValue",
    "Scan",
    "ScoredGain",
    "ScoredValue",
    "SearchedEdges",
    "SiblingCounts",
    "Soft",
    "StepPreference",
    "StepwiseReward",
    "Verified",
    "count_coded",
    "count_evidence",
    "count_siblings",
    "evidence_tokens",
    "first_error_difference",
    "first_error_f1",
    "is_labelled",
    "label_evidence",
    "label_rows",
    "last_number",
    "mark_preferences",
    "value_preferences",
]
