"""Whether a server draws the samples of one request apart, learnt from its answers. No I/O.

Some servers draw all n samples of a request with the request's own seed (SGLang does, and so do hosts that run it and
do not say so): the answer then holds one sample n times, which would count as n rollouts that agree. So until a server
has once given two texts to one request, copies of a first sample are taken for samples that did not come, and each is
asked for alone, with its own seed. A model that is as good as certain says the same again, and nothing is lost but its
tokens.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from steplabel.engines.openai.protocol import Answer

_log = logging.getLogger(__name__)


class CopyGuard:
    """What is known of one server.

    Attributes:
        copies: it was seen to copy: ask it for one sample at a time.
    """

    def __init__(self) -> None:
        self.copies = False
        self._apart = False

    def without_copies(self, answer: Answer) -> Answer:
        """The answer, or its first sample alone if the others say the same and may be copies."""
        if self._apart or len(answer.samples) < 2:
            return answer
        if _differ(sample.text for sample in answer.samples):
            self._apart = True
            return answer
        return replace(answer, samples=answer.samples[:1])

    def compare(self, texts: Iterable[str]) -> None:
        """Learn from samples that came as copies, and what they were when each was asked for alone."""
        if _differ(texts) and not (self.copies or self._apart):
            self.copies = True
            _log.warning("the server gives copies of one sample where several are asked for: from now on one at a time")


def _differ(texts: Iterable[str]) -> bool:
    return len(set(texts)) > 1
