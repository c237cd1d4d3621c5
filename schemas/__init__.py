"""The vocabulary, said once. Every other room imports its words from here.

errors.py        whose fault it was: the configuration, the data, the engine, the store
ids.py           content-addressed ids and derived seeds
validation.py    what text and numbers may enter
models.py        which model answered and how it was asked
problem.py       problems, gold answers, chat messages, images, tools, tests
solution.py      steps, prefix nodes, solutions
evidence.py      rollouts, outcomes, observations, rejects
exported_rollout.py   a rollout in a file of its own
labels.py        step labels under one policy, dataset rows
bank.py          the outcome bank: outcomes and lengths of rollouts at every prefix
batches.py       evidence and labels of many solutions as flat arrays
segmentation.py  lossless splitting of solutions into steps
sentences.py     where sentences end in written reasoning
named.py         what a user names as package.module:name
codec.py         records to JSON and MessagePack and back
arrow.py         records to Arrow and back, by one derived schema
columns.py       columns of tables as arrays, for work on whole tables
layouts/         one module per outside format
"""

from steplabel.schemas.errors import (
    BudgetExhausted,
    ConfigError,
    DataError,
    EngineClosed,
    EngineError,
    MissingExtra,
    ModelLoadError,
    NothingLabelled,
    SteplabelError,
    StoreError,
)
from steplabel.schemas.evidence import (
    CheckedOutcome,
    Evidence,
    FinishReason,
    Observation,
    Outcome,
    Reason,
    Reject,
    Rollout,
    Verdict,
)
from steplabel.schemas.exported_rollout import ExportedRollout
from steplabel.schemas.ids import content_id, derive_seed
from steplabel.schemas.labels import (
    NO_ERROR,
    AfterError,
    GoldSteps,
    LabelRow,
    LabelTarget,
    RunInfo,
    StepLabels,
    StepMark,
)
from steplabel.schemas.models import ModelIdentity, SamplingParams
from steplabel.schemas.problem import (
    AnswerType,
    ContentPart,
    GoldAnswer,
    Message,
    PartKind,
    Problem,
    Role,
    Tool,
    UnitTest,
    content_problem_id,
)
from steplabel.schemas.segmentation import (
    BlankLineSteps,
    GivenSteps,
    MarkerSteps,
    NewlineSteps,
    OffsetSteps,
    Segmenter,
    SentenceSteps,
    token_boundaries,
    with_token_ends,
)
from steplabel.schemas.solution import (
    Node,
    Solution,
    SolutionSource,
    Step,
    StepKind,
    make_solution,
    node_key,
    path_keys,
)

__all__ = [
    "NO_ERROR",
    "AfterError",
    "AnswerType",
    "BlankLineSteps",
    "BudgetExhausted",
    "CheckedOutcome",
    "ConfigError",
    "ContentPart",
    "DataError",
    "EngineClosed",
    "EngineError",
    "Evidence",
    "ExportedRollout",
    "FinishReason",
    "GivenSteps",
    "GoldAnswer",
    "GoldSteps",
    "LabelRow",
    "LabelTarget",
    "MarkerSteps",
    "Message",
    "MissingExtra",
    "ModelIdentity",
    "ModelLoadError",
    "NewlineSteps",
    "Node",
    "NothingLabelled",
    "Observation",
    "OffsetSteps",
    "Outcome",
    "PartKind",
    "Problem",
    "Reason",
    "Reject",
    "Role",
    "Rollout",
    "RunInfo",
    "SamplingParams",
    "Segmenter",
    "SentenceSteps",
    "Solution",
    "SolutionSource",
    "Step",
    "StepKind",
    "StepLabels",
    "StepMark",
    "SteplabelError",
    "StoreError",
    "Tool",
    "UnitTest",
    "Verdict",
    "content_id",
    "content_problem_id",
    "derive_seed",
    "make_solution",
    "node_key",
    "path_keys",
    "token_boundaries",
    "with_token_ends",
]
