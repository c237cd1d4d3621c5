"""Programs that decide what to ask next, and the driver that runs thousands of them. None touches the world.

effects.py          what programs may ask, and what they get back
driver.py           run many programs on one event loop; a plain iterator over it
stepping.py         run one program with a plain function as the world
annotation.py       what an annotator finds out; the port of annotators
tally.py            count outcomes with three answers
outcome_claim.py    a solution's own outcome as an observation
ending.py           how a program ends some of whose questions got no answer
question_filter.py  which problems are worth rollouts: neither all right nor all wrong, or SCAN's gate

asking.py           ask about one prefix: seeds, chunks, what is kept on failure
rollout_plan.py     how many completions a prefix gets: fixed, by difficulty, early ends
difficulty.py       k by the problem's pass@1
zero_test.py        "is MC zero?" as a sequential test
asker.py            ask the prefixes of one solution by such a plan

math_shepherd.py    k completions from every step
locating.py         what the searches for a first error share
omegaprm_locate.py  binary search for the first error
linear_scan.py      SCAN's scan for the first error
answer_probe.py     forced answers behind every step
gold_logprob.py     the gold answer's probability behind every step
"""

from steplabel.annotators.annotation import Annotation, AnnotationStatus, Annotator
from steplabel.annotators.answer_probe import AnswerProbe, ProbeTrace
from steplabel.annotators.difficulty import KByDifficulty
from steplabel.annotators.driver import Handler, drive
from steplabel.annotators.effects import Concurrently, Effect, Finished, Program, Sample, Samples, Score, Scored
from steplabel.annotators.gold_logprob import GoldLikelihood, GoldLogprob
from steplabel.annotators.linear_scan import LinearScan
from steplabel.annotators.locating import AskedPrefix, SearchTrace
from steplabel.annotators.math_shepherd import MathShepherd
from steplabel.annotators.omegaprm_locate import OmegaPRMLocate
from steplabel.annotators.question_filter import SCAN_GATE, QuestionDecision, QuestionFilter
from steplabel.annotators.rollout_plan import RolloutPlan
from steplabel.annotators.stepping import answer_by, samples_with
from steplabel.annotators.tally import Tally
from steplabel.annotators.zero_test import ZeroTest

__all__ = [
    "SCAN_GATE",
    "Annotation",
    "AnnotationStatus",
    "Annotator",
    "AnswerProbe",
    "AskedPrefix",
    "Concurrently",
    "Effect",
    "Finished",
    "GoldLikelihood",
    "GoldLogprob",
    "Handler",
    "KByDifficulty",
    "LinearScan",
    "MathShepherd",
    "OmegaPRMLocate",
    "ProbeTrace",
    "Program",
    "QuestionDecision",
    "QuestionFilter",
    "RolloutPlan",
    "Sample",
    "Samples",
    "Score",
    "Scored",
    "SearchTrace",
    "Tally",
    "ZeroTest",
    "answer_by",
    "drive",
    "samples_with",
]
