"""`steplabel relabel` and `steplabel curate`: a new dataset from the evidence, or the labels, of a run."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from steplabel.pipelines.terminal import RunFolder, choice, err, out, print_json, run_folder

label_app = typer.Typer(rich_markup_mode="rich")
"""Commands of `steplabel` itself: `cli.py` takes them in."""


@label_app.command(epilog="Example:\n\nsteplabel relabel labelled --policy soft --output labelled-soft")
def relabel(
    run_: RunFolder,
    output: Annotated[str, typer.Option(help="Folder for the new dataset.")],
    policy: Annotated[str, typer.Option(help="Label policy: hard | soft | hard_gated | soft_gated | ...")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="field=value of the policy.")] = None,
    recheck: Annotated[bool, typer.Option(help="Judge every stored answer again with today's checker.")] = False,
) -> None:
    """Derive other labels from the evidence of a run: no model, no tokens."""
    from rich.progress import track

    from steplabel.labels.policies import POLICIES
    from steplabel.pipelines import report
    from steplabel.pipelines.overrides import apply_overrides
    from steplabel.pipelines.relabelling import Relabelling
    from steplabel.pipelines.relabelling import relabel as derive
    from steplabel.verifiers import AnswerChecker

    chosen = apply_overrides(POLICIES[choice(policy, tuple(POLICIES), "--policy")], set_ or [])
    how = Relabelling(policy=chosen, checker=AnswerChecker() if recheck else None)
    source, target = run_folder(run_), run_folder(output)
    total = len(source.require_manifest().chunks)
    for _ in track(derive(source, target, how), total=total, description="relabel", console=err):
        pass
    counts = report.count_dataset(target)
    report.print_counts(out, target, counts)
    report.require_labels(target, counts)


@label_app.command(
    epilog="Examples:\n\n"
    "steplabel curate mc --agree located --output agreed\n\n"
    "steplabel curate mc --source arithmetic --rule uncontradicted --output sound\n\n"
    "steplabel curate mc --contamination math500.jsonl --duplicates exact --balance 1:1 --output train\n\n"
    "steplabel curate groups --prof 4 --output consistent"
)
def curate(
    run_: RunFolder,
    output: Annotated[str, typer.Option(help="Folder for the new dataset; the same command goes on in it.")],
    contamination: Annotated[
        list[str] | None,
        typer.Option(help="Test set (JSONL, JSON, Parquet): drop problems that share 13 words in a row with it."),
    ] = None,
    duplicates: Annotated[str, typer.Option(help="exact | near: keep one of the solutions that say the same.")] = "",
    agree: Annotated[
        list[str] | None,
        typer.Option(help="Another dataset: keep solutions on whose first error both agree. May be repeated."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(help="Verifier whose verdicts are in the evidence, to agree with like --agree. May be repeated."),
    ] = None,
    rule: Annotated[
        str,
        typer.Option(
            help="How many must agree: all | uncontradicted (all that know) | majority | a number, this one included."
        ),
    ] = "all",
    prof: Annotated[
        int | None, typer.Option(help="PROF: drop so many of each problem's solutions, the least consistent.")
    ] = None,
    compress: Annotated[
        bool, typer.Option("--compress", help="HNC: merge nodes of each problem's tree and label it anew.")
    ] = False,
    compress_children: Annotated[int, typer.Option(help="--compress: least children of a node that gives one up.")] = 4,
    merge: Annotated[str, typer.Option(help="same-sign | random: join neighbouring steps (TP-GRPO, FoVer).")] = "",
    balance: Annotated[str, typer.Option(help="Erroneous to clean solutions, such as 1:1.")] = "",
    seed: Annotated[int, typer.Option(help="Of the draws of --compress, --merge random and --balance.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Make a new dataset of the labels of a run: filtered, merged, balanced. The evidence is copied.

    What is asked for is done in this order: contamination, duplicates, agree, prof, compress, merge, balance. Every
    solution that is dropped is written to `rejects` with its reason.
    """
    from rich.progress import track

    from steplabel.pipelines.curation import options, summary, writing

    asked = options.CurationOptions(
        contamination=tuple(contamination or ()),
        duplicates=duplicates and choice(duplicates, ("exact", "near"), "--duplicates"),
        agree=tuple(agree or ()),
        sources=tuple(source or ()),
        rule=rule,
        prof=prof,
        compress=compress,
        children=compress_children,
        merge=merge and choice(merge, ("same-sign", "random"), "--merge"),
        balance=balance,
        seed=seed,
    )
    how, given, target = options.curation_of(asked), run_folder(run_), run_folder(output)
    with err.status("looking at the dataset"):
        opened = writing.open_curation(given, how)
        writing.require_own(opened, target)
    for note in opened.notes:
        err.print(escape(note), highlight=False, soft_wrap=True)
    total = len(given.require_manifest().chunks)
    for _ in track(writing.curate(opened, target), total=total, description="curate", console=err):
        pass
    found = summary.summarise(given, target, how, opened.notes)
    if json_:
        print_json(found)
    else:
        summary.print_summary(out, found)
    summary.require_rows(found)
