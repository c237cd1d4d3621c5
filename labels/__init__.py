"""Evidence to labels: a policy is a pure function, so labels are derived again in milliseconds.

    counts.py        evidence to counts at every step: whose rollouts, whose answer checker
    monte_carlo.py   the semantics of counts: marks, implication, outcome, first error, what follows it
    policies.py      the named policies: hard and soft estimation, with their options
    apply.py         counts -> policy -> StepLabels
    rows.py          StepLabels to the flat rows of the dataset
    metrics.py       first-error F1 with bootstrap intervals, paired differences
    step_metrics.py  per-step quality: precision and recall of "-", Brier, reliability, ranking

Not covered yet: SCAN, relative progress, advantage, consensus, posterior.
"""

from steplabel.labels.apply import is_labelled, label_evidence
from steplabel.labels.counts import count_evidence, evidence_tokens
from steplabel.labels.metrics import F1Difference, F1Report, first_error_difference, first_error_f1
from steplabel.labels.policies import POLICIES, HardAny, LabelPolicy, Soft
from steplabel.labels.rows import label_rows

__all__ = [
    "POLICIES",
    "F1Difference",
    "F1Report",
    "HardAny",
    "LabelPolicy",
    "Soft",
    "count_evidence",
    "evidence_tokens",
    "first_error_difference",
    "first_error_f1",
    "is_labelled",
    "label_evidence",
    "label_rows",
]
