"""A sequential test of "is MC zero?" at a stated error rate.

The hypothesis to be refuted is that the prefix is worth at least `p0`: MC >= p0. Completions are asked one after
another (or `chunk` at a time) until

    one is right              MC > 0, for certain
    n0 of them have failed    MC = 0 is believed, n0 = the least n with (1 - p0)^n <= alpha
    k_max were asked          truncated: see below

Were MC >= p0, n0 independent completions would all fail with a probability of at most (1 - p0)^n0 <= alpha, however
often one looks: there is one boundary, and it is met at one count. So of the prefixes worth at least p0 a share of at
most alpha is called zero. It is Wald's sequential probability ratio test (1945) of MC = 0 against MC = p0: a success
is impossible under the one, so it decides at once; n failures are (1 - p0)^n times as likely under the other. Of
prefixes worth less than p0 more are called zero: p0 says which values count as none.

`k_max` (an annotator's `k`) truncates the test. Failures stop at k_max < n0, and MC = 0 is then believed with the error
rate (1 - p0)^k_max that so many failures do give: larger than alpha, and what `error_rate` says of any count of
failures. Math-Shepherd's and OmegaPRM's "none of 8" is this test with alpha = .05 and p0 = .31.

Not covered: completions of one prefix that depend on each other (they share hidden causes only through the prefix,
which is given); values between 0 and p0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from steplabel.schemas import ConfigError

ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroTest:
    """When failures alone suffice to call MC zero. The head of this file states the test.

    Attributes:
        p0: the least value that is to be told from zero, in (0, 1).
        alpha: share of prefixes worth p0 or more that may be called zero, in (0, 1).

    Raises:
        ConfigError: one of them is not within (0, 1).
    """

    p0: float = 0.2
    alpha: float = 0.05

    def __post_init__(self) -> None:
        for name, value in (("p0", self.p0), ("alpha", self.alpha)):
            if not 0.0 < value < 1.0:
                raise ConfigError(f"zero_test {name}={value} must lie between 0 and 1, both excluded")

    @property
    def failures(self) -> int:
        """n0: failures without a success at which MC = 0 is believed; 14 for p0=.2, alpha=.05."""
        # Where (1 - p0)^n meets alpha exactly, rounding may put the quotient just above n.
        return max(1, math.ceil(math.log(self.alpha) / math.log1p(-self.p0) - ROUNDING))

    def error_rate(self, failures: int) -> float:
        """Most that the chance of so many failures, and no success, can be where MC >= p0."""
        return math.exp(failures * math.log1p(-self.p0))
