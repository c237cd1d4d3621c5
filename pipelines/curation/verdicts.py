"""Where verifiers see the first error of a dataset's solutions, from the verdicts in its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from steplabel.labels.counts import count_evidence
from steplabel.labels.curation.located import verdict_first_errors
from steplabel.pipelines.curation.steps import RowKey
from steplabel.schemas import ConfigError, Verdict
from steplabel.transforms.dataset import ChunkEntry, OutputFolder
from steplabel.transforms.evidence_files import read_evidence
from steplabel.transforms.io import count_tuples


def require_verdicts(folder: OutputFolder, sources: Sequence[str]) -> Iterator[str]:
    """A note on each source: how many steps it decided.

    Raises:
        ConfigError: it decided none of this dataset.
    """
    files = [folder.join(file.path) for file in folder.require_manifest().files("observations")]
    counts = count_tuples(files, "source", "verdict") if sources else {}
    decided: dict[str, int] = {}
    for (source, verdict), count in counts.items():
        if verdict != Verdict.UNKNOWN:
            decided[source] = decided.get(source, 0) + count
    for source in sources:
        if source not in decided:
            spoke = ", ".join(sorted(decided)) or "none"
            raise ConfigError(
                f"--source {source}: it decided no step of {folder.path!r}; those that did: {spoke}. Run the recipe "
                f"with --verify {source}; a source that grades steps names no place"
            )
        yield f"{source}: decided {decided[source]:,} steps"


def verdict_locations(
    folder: OutputFolder, chunk: ChunkEntry, sources: Sequence[str]
) -> dict[str, Mapping[RowKey, int | None]]:
    """By source and solution of a chunk: 0-based, -1 for none, None where it does not know."""
    if not sources:
        return {}
    evidence = read_evidence(folder, chunk, tables=("solutions", "observations"))
    keys = [(one.problem.id, solution.id) for one in evidence for solution in one.solutions]
    batch = count_evidence(evidence)
    return {source: dict(zip(keys, verdict_first_errors(batch, source), strict=True)) for source in sources}
