"""What becomes of labelled solutions before anyone trains on them: filtered, balanced, merged, looked at.

    consensus.py            keep what independent sources agree on: the location of the first error
    located.py              where a verifier sees the first error
    process_consistency.py  PROF: drop solutions whose steps contradict their answer
    balance.py              classes in a wanted ratio: SCAN's 1:1, FoVer's last steps
    joined_steps.py         neighbouring steps into one, with the labels this leaves
    step_merging.py         which steps: at random (FoVer), of one sign (TP-GRPO)
    node_compression.py     HNC: nodes of a solution tree merged with their parents
    duplicates.py           exact and near duplicates
    minhash.py              which of many sets may be similar
    contamination.py        n-grams shared with test sets
    step_diagnostics.py     repeated and useless steps; Clip and Delta
    noise_by_length.py      how wrong labels are, by number of steps
    refinements.py          GLoRe's triples: draft, place of the error, right continuation
    interventions.py        InT's prefixes: up to the error, and the step that replaces it
    row_labels.py           a dataset's row back as labels
    texts.py                what counts as the same text
    draws.py                chance that belongs to a record

All are pure functions over records. Chance is drawn by a seed and content ids, so results do not depend on the
order of records or on how they were cut into shards. Unknown stays unknown: it is neither agreement nor
disagreement, joins nothing, and belongs to no class.
"""

from steplabel.labels.curation.balance import (
    EVEN,
    Balanced,
    ClassCount,
    LastStep,
    balance,
    balanced_examples,
    balanced_last_steps,
    error_class,
    last_steps,
)
from steplabel.labels.curation.consensus import (
    AgreementRule,
    AllAgree,
    AtLeast,
    Consensus,
    ConsensusReport,
    Majority,
    NoConsensus,
    Silence,
    agree_on_location,
    agreed_labels,
    agreed_row,
    consensus_report,
)
from steplabel.labels.curation.contamination import (
    Contamination,
    HeldOutItem,
    NgramIndex,
    build_index,
    find_contamination,
)
from steplabel.labels.curation.duplicates import DuplicateGroup, Duplicates, exact_duplicates, near_duplicates
from steplabel.labels.curation.interventions import InterventionPrefix, Interventions, intervention_prefixes
from steplabel.labels.curation.located import verdict_first_errors
from steplabel.labels.curation.node_compression import CompressedTree, compress_tree, right_shares
from steplabel.labels.curation.noise_by_length import Difference, LengthNoise, noise_by_length
from steplabel.labels.curation.process_consistency import (
    ConsistentGroup,
    Inconsistency,
    ScoredSolution,
    consistency,
    filter_group,
)
from steplabel.labels.curation.refinements import NoRefinement, Refinements, RefinementTriple, refinement_triples
from steplabel.labels.curation.row_labels import has_own_steps, row_labels
from steplabel.labels.curation.step_diagnostics import StepDiagnosis, clip_rewards, delta_rewards, diagnose_steps
from steplabel.labels.curation.step_merging import merge_random_steps, merge_same_sign

__all__ = [
    "EVEN",
    "AgreementRule",
    "AllAgree",
    "AtLeast",
    "Balanced",
    "ClassCount",
    "CompressedTree",
    "Consensus",
    "ConsensusReport",
    "ConsistentGroup",
    "Contamination",
    "Difference",
    "DuplicateGroup",
    "Duplicates",
    "HeldOutItem",
    "Inconsistency",
    "InterventionPrefix",
    "Interventions",
    "LastStep",
    "LengthNoise",
    "Majority",
    "NgramIndex",
    "NoConsensus",
    "NoRefinement",
    "RefinementTriple",
    "Refinements",
    "ScoredSolution",
    "Silence",
    "StepDiagnosis",
    "agree_on_location",
    "agreed_labels",
    "agreed_row",
    "balance",
    "balanced_examples",
    "balanced_last_steps",
    "build_index",
    "clip_rewards",
    "compress_tree",
    "consensus_report",
    "consistency",
    "delta_rewards",
    "diagnose_steps",
    "error_class",
    "exact_duplicates",
    "filter_group",
    "find_contamination",
    "has_own_steps",
    "intervention_prefixes",
    "last_steps",
    "merge_random_steps",
    "merge_same_sign",
    "near_duplicates",
    "noise_by_length",
    "refinement_triples",
    "right_shares",
    "row_labels",
    "verdict_first_errors",
]
