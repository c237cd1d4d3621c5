"""Programs that decide what to ask next, and the driver that runs thousands of them. None touches the world.

effects.py          what programs may ask, and what they get back
driver.py           run many programs on one event loop; a plain iterator over it
stepping.py         run one program with a plain function as the world
annotation.py       what an annotator finds out; the port of annotators
asking.py           ask about one prefix: seeds, chunks, what is kept on failure
tally.py            count outcomes with three answers
outcome_claim.py    a solution's own outcome as an observation
question_filter.py  which problems are worth rollouts
math_shepherd.py    k completions from every step
omegaprm_locate.py  binary search for the first error
"""

from steplabel.annotators.annotation import Annotation, AnnotationStatus, Annotator
from steplabel.annotators.driver import Handler, drive
from steplabel.annotators.effects import Concurrently, Effect, Finished, Program, Sample, Samples
from steplabel.annotators.math_shepherd import MathShepherd
from steplabel.annotators.omegaprm_locate import AskedPrefix, OmegaPRMLocate, SearchTrace
from steplabel.annotators.question_filter import QuestionDecision, QuestionFilter
from steplabel.annotators.stepping import answer_by, samples_with
from steplabel.annotators.tally import Tally

__all__ = [
    "Annotation",
    "AnnotationStatus",
    "Annotator",
    "AskedPrefix",
    "Concurrently",
    "Effect",
    "Finished",
    "Handler",
    "MathShepherd",
    "OmegaPRMLocate",
    "Program",
    "QuestionDecision",
    "QuestionFilter",
    "Sample",
    "Samples",
    "SearchTrace",
    "Tally",
    "answer_by",
    "drive",
    "samples_with",
]
