"""steplabel: step-level labels for process reward models. Evidence is kept, labels are derived.

The rooms, in the order in which they may import one another:

    schemas  <-  { engines, annotators, verifiers, labels }  <-  transforms  <-  pipelines
"""

from steplabel.version import __version__

__all__ = ["__version__"]
