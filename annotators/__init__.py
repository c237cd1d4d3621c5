"""Programs that decide what to ask next, and the driver that runs thousands of them. None touches the world.

effects.py          what programs may ask, and what they get back
driver.py           run many programs on one event loop; a plain iterator over it
stepping.py         run one program with a plain function as the world
banked.py           answers from an outcome bank: replays without a model
annotation.py       what an annotator finds out; the ports of annotators
tally.py            count outcomes with three answers
outcome_claim.py    a solution's own outcome as an observation
ending.py           how a program ends some of whose questions got no answer
question_filter.py  which problems are worth rollouts: neither all right nor all wrong, or SCAN's gate

asking/             ask about prefixes: plans, seeds, early ends
steps/              annotators of one solution
trees/              annotators of one problem, over a tree of steps
"""

from steplabel.annotators.annotation import Annotation, AnnotationStatus, Annotator, ProblemAnnotator
from steplabel.annotators.asking.difficulty import KByDifficulty
from steplabel.annotators.asking.rollout_plan import RolloutPlan
from steplabel.annotators.asking.zero_test import ZeroTest
from steplabel.annotators.banked import BankEngine
from steplabel.annotators.driver import Handler, drive
from steplabel.annotators.effects import Concurrently, Effect, Finished, Program, Sample, Samples, Score, Scored
from steplabel.annotators.question_filter import SCAN_GATE, QuestionDecision, QuestionFilter
from steplabel.annotators.stepping import answer_by, samples_with
from steplabel.annotators.steps.answer_probe import AnswerProbe, ProbeTrace
from steplabel.annotators.steps.formalise import Formalise
from steplabel.annotators.steps.gold_logprob import GoldLikelihood, GoldLogprob
from steplabel.annotators.steps.linear_scan import LinearScan
from steplabel.annotators.steps.locating import AskedPrefix, SearchTrace
from steplabel.annotators.steps.math_shepherd import MathShepherd
from steplabel.annotators.steps.omegaprm_locate import OmegaPRMLocate
from steplabel.annotators.steps.samples_only import SamplesOnly
from steplabel.annotators.tally import Tally
from steplabel.annotators.trees.mcts import MCTS, NodeStatistics
from steplabel.annotators.trees.next_step import NextSteps
from steplabel.annotators.trees.omegaprm import OmegaPRM, TreeTrace
from steplabel.annotators.trees.pieces import EvenPieces
from steplabel.annotators.trees.rollout_pool import RolloutSelection
from steplabel.annotators.trees.state_value import StateValue

__all__ = [
    "MCTS",
    "SCAN_GATE",
    "Annotation",
    "AnnotationStatus",
    "Annotator",
    "AnswerProbe",
    "AskedPrefix",
    "BankEngine",
    "Concurrently",
    "Effect",
    "EvenPieces",
    "Finished",
    "Formalise",
    "GoldLikelihood",
    "GoldLogprob",
    "Handler",
    "KByDifficulty",
    "LinearScan",
    "MathShepherd",
    "NextSteps",
    "NodeStatistics",
    "OmegaPRM",
    "OmegaPRMLocate",
    "ProbeTrace",
    "ProblemAnnotator",
    "Program",
    "QuestionDecision",
    "QuestionFilter",
    "RolloutPlan",
    "RolloutSelection",
    "Sample",
    "Samples",
    "SamplesOnly",
    "Score",
    "Scored",
    "SearchTrace",
    "StateValue",
    "Tally",
    "TreeTrace",
    "ZeroTest",
    "answer_by",
    "drive",
    "samples_with",
]
