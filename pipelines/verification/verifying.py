"""The verifiers over a file, chunk after chunk. With an output folder each chunk is one commit.

Killed at any moment, the same command goes on: chunks that the folder holds are counted from there. All in this
process; libraries that may hang run in the workers that their verifiers start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice

from steplabel.pipelines.verification.coverage import Coverage, CoverageCounter
from steplabel.pipelines.verification.reading import REFERENCE, Marked, SolutionChoice, read_marked
from steplabel.pipelines.verification.writing import VerifiedFolder
from steplabel.pipelines.worksite import DEFAULT_CHUNK
from steplabel.schemas import ConfigError, DataError, Evidence, Reject, content_id
from steplabel.schemas.segmentation import NewlineSteps, Segmenter
from steplabel.transforms.dataset import ChunkName
from steplabel.transforms.intake import READERS, Intake
from steplabel.transforms.verify import verify_problem
from steplabel.verifiers.registry import AnyVerifier, speaks_of


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """What is verified.

    Attributes:
        input: JSONL, JSON or Parquet file, or a folder of them.
        output: folder for the dataset; empty for none.
        layout: `auto` or a name from `intake.READERS`.
        limit: rows to read at most, from the input's start; None for all.
        solutions: which ones.
        chunk: rows in one commit: what may have to be done again after a kill.
        segmenter: cuts solutions into steps that the layout does not cut.

    Raises:
        ConfigError: two verifiers of one name, or none; no such layout; a number below 1.
    """

    input: str
    verifiers: tuple[AnyVerifier, ...]
    output: str = ""
    layout: str = "auto"
    limit: int | None = None
    solutions: SolutionChoice = SolutionChoice.AUTO
    chunk: int = DEFAULT_CHUNK
    segmenter: Segmenter = field(default_factory=NewlineSteps)

    def __post_init__(self) -> None:
        names = [verifier.name for verifier in self.verifiers]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"verifiers {', '.join(names) or 'none'}: name at least one, and each once")
        if self.layout not in ("auto", *READERS):
            raise ConfigError(f"layout {self.layout!r}: there are auto, {', '.join(READERS)}")
        for name, value in (("limit", self.limit), ("chunk", self.chunk)):
            if value is not None and value < 1:
                raise ConfigError(f"--{name} {value}: must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What came of a file.

    Attributes:
        solutions: of all problems, whatever their domain.
        references: of these, the data set's own.
        kept: problems that the output folder held already.
        rejects: by stage and reason, as `stage: reason`.
        first_rejects: what the first of each says.
    """

    input: str
    output: str
    problems: int
    solutions: int
    references: int
    kept: int
    verifiers: tuple[Coverage, ...]
    rejects: Mapping[str, int]
    first_rejects: Mapping[str, str]


def verify_file(options: VerifyOptions, progress: Callable[[int], object] = lambda _: None) -> Verification:
    """Let every verifier speak of every solution of a file.

    Args:
        progress: called with the rows of each problem that is done: 1.

    Raises:
        ConfigError: no such file, or the output folder holds something else.
        DataError: the file holds no solution, or none that one of the verifiers is made for.
    """
    counting = _Counting(options)
    folder = VerifiedFolder.open(options) if options.output else None
    with folder.locked() if folder else nullcontext():
        if folder:
            folder.begin()
        for name, marked, refused in _chunks(options):
            held = folder.held(name) if folder else None
            evidence, rejects = held or _verified(options, marked, refused, progress)
            if folder and held is None:
                folder.write(name, evidence, rejects)
            if held is not None:
                counting.kept += len(evidence)
                progress(name.rows)
            counting.add(evidence, rejects, {one.evidence.problem.id: one.first_error for one in marked})
        found = counting.said()
        if folder:
            folder.end()
    return found


def _chunks(options: VerifyOptions) -> Iterator[tuple[ChunkName, list[Marked], list[Reject]]]:
    intake = Intake(layout=options.layout, segmenter=options.segmenter, needs_gold=False)
    records = read_marked(options.input, intake, options.limit, options.solutions)
    index = 0
    while batch := list(islice(records, options.chunk)):
        marked = [one for one in batch if isinstance(one, Marked)]
        refused = [one for one in batch if isinstance(one, Reject)]
        key = content_id("chunk", [one.evidence for one in marked], refused)
        yield ChunkName(index=index, key=key, rows=len(batch)), marked, refused
        index += 1


def _verified(
    options: VerifyOptions, marked: list[Marked], refused: list[Reject], progress: Callable[[int], object]
) -> tuple[list[Evidence], list[Reject]]:
    evidence, rejects = [], list(refused)
    progress(len(refused))
    for one in marked:
        said, raised = verify_problem(one.evidence, options.verifiers)
        evidence.append(said)
        rejects += raised
        progress(1)
    return evidence, rejects


class _Counting:
    """What is known of a file so far."""

    def __init__(self, options: VerifyOptions) -> None:
        self._options = options
        self._counters = [CoverageCounter(verifier) for verifier in options.verifiers]
        self._counts: Counter[str] = Counter()
        self._rejects: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self.kept = 0

    def add(self, evidence: list[Evidence], rejects: list[Reject], marks: Mapping[str, int | None]) -> None:
        for one in evidence:
            spoken = any(speaks_of(verifier, one.problem) for verifier in self._options.verifiers)
            self._counts.update(
                problems=1,
                solutions=len(one.solutions),
                references=sum(solution.policy == REFERENCE for solution in one.solutions),
                asked=spoken * len(one.solutions),
                unread=self._options.solutions is SolutionChoice.GIVEN and bool(one.problem.reference_solution),
            )
            for counter in self._counters:
                counter.add(one, marks.get(one.problem.id))
        for reject in rejects:
            kind = f"{reject.stage}: {reject.reason}"
            self._rejects[kind] += 1
            self._first.setdefault(kind, _told(reject))

    def said(self) -> Verification:
        self._check()
        return Verification(
            input=self._options.input,
            output=self._options.output,
            problems=self._counts["problems"],
            solutions=self._counts["solutions"],
            references=self._counts["references"],
            kept=self.kept,
            verifiers=tuple(counter.said() for counter in self._counters),
            rejects=dict(self._rejects.most_common()),
            first_rejects=self._first,
        )

    def _check(self) -> None:
        if not self._counts["problems"] and not self._rejects:
            raise DataError(f"{self._options.input!r} holds no rows")
        if not self._counts["solutions"]:
            raise DataError(f"{self._options.input!r} brings no solution along: {'; '.join(self._instead())}")
        if not self._counts["asked"]:
            wanted = {domain for verifier in self._options.verifiers for domain in verifier.domains}
            raise DataError(
                f"none of the {self._counts['solutions']:,} solutions of {self._options.input!r} is of a domain that "
                f"the verifiers are made for: {', '.join(sorted(wanted))}"
            )

    def _instead(self) -> Iterator[str]:
        """What the file holds that brings no solution along."""
        if self._counts["problems"]:
            yield f"problems alone ({self._counts['problems']:,})"
        if unread := self._counts["unread"]:
            yield f"reference solutions ({unread:,}), which --solutions {SolutionChoice.REFERENCE} takes"
        if self._rejects:
            yield f"refused rows ({self._rejects.total():,}), the first: {next(iter(self._first.values()))}"


def _told(reject: Reject) -> str:
    """What a reject says, and of what."""
    told = reject.detail or reject.reason
    return told if told.startswith(reject.record_id) else f"{reject.record_id}: {told}"
