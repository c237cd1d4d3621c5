"""The bank's half of the label-quality benchmark: baselines do what they say, figures are those of the bank."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from steplabel.annotators import Annotator, LinearScan, MathShepherd, OmegaPRMLocate
from steplabel.labels import POLICIES, RolloutCounts, first_error_f1
from steplabel.pipelines.bank import Bank, read_bank, replay
from steplabel.pipelines.bank_building import build_bank
from steplabel.pipelines.bank_plan import BankPlan, Quota, RolloutsWanted
from steplabel.pipelines.bank_second import build_second
from steplabel.pipelines.cli import EXIT_CODES
from steplabel.pipelines.models import model_use
from steplabel.pipelines.recipes import RECIPES
from steplabel.schemas import ConfigError, GoldAnswer, Problem, SamplingParams, Step, StepMark
from steplabel.schemas.bank import BankedPrefix, BankedProblem, BankedSolution, BankSplit, SolutionKind

SOLVER = "scripted:steplabel.engines.bundled.solver:sloppy"
SAMPLING = SamplingParams()
QUIET = Console(quiet=True)


@dataclass(frozen=True)
class Parts:
    """The benchmark's own modules; they are scripts beside the package, not a part of it."""

    agreement: Any
    baselines: Any
    completers: Any
    document: Any
    found: Any
    live: Any
    methods: Any
    misses: Any
    noise: Any
    plot: Any
    scoring: Any
    sections: Any
    self_confidence: Any
    tables: Any


@pytest.fixture
def parts(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return Parts(**{field.name: import_module(f"quality_parts.{field.name}") for field in fields(Parts)})


def bank_of(ends: Sequence[str], *, end: str, first_error: int = -1) -> Bank:
    """One solution of as many steps as there are texts of letters: the rollouts of each prefix but the empty one."""
    lines = [f"step {i}\n" for i in range(len(ends))]
    solution = BankedSolution(
        steps=tuple(Step(text=line, start=sum(map(len, lines[:i]))) for i, line in enumerate(lines)),
        seed=0,
        index=0,
        end=end,
        answer=None,
        finish_reason="stop",
        first_error=first_error,
        first_consequential=first_error,
    )
    prefixes = tuple(
        BankedPrefix(solution=0, depth=depth, ends=text, tokens=(depth,) * len(text))
        for depth, text in enumerate(["w" * len(ends[0]), *ends])
    )
    row = BankedProblem(
        problem=Problem(id="p", text="q", gold=GoldAnswer(text="1")),
        split=BankSplit.TEST,
        completer="m",
        licence="",
        sampling=SAMPLING,
        checker="c",
        checker_version="1",
        solutions=(solution,),
        prefixes=prefixes,
    )
    return Bank.of([row])


def located(parts: Parts, locate: Any, bank: Bank, *, k: int) -> Any:
    return parts.found.one_by_one(locate)(parts.found.Replays(bank), k, 0)


@pytest.mark.parametrize(
    ("ends", "end", "first", "rollouts"),
    [
        (["ew", "ww", "ee", "ww"], "w", 1, 4),
        (["ew", "we", "rr", "ww"], "w", 3, 6),
        (["nl", "ee", "ee", "ww"], "w", 0, 2),
        (["ww", "ww", "ww", "ee"], "e", -1, 0),
        (["ww", "ww", "ww", "rr"], "r", -1, 0),
        (["ww"], "w", 0, 0),
    ],
    ids=["first zero", "none before the last", "silence", "right", "right, spelt otherwise", "one step"],
)
def test_right_answer_is_right(parts: Parts, ends: list[str], end: str, first: int, rollouts: int) -> None:
    """SCAN: nothing is asked of a right answer; else from the front up to the first step without a success."""
    found = located(parts, parts.baselines.right_answer_is_right, bank_of(ends, end=end), k=2)
    assert (found.first_errors, found.rollouts) == ([first], rollouts)


@pytest.mark.parametrize(
    ("ends", "end", "first", "rollouts"),
    [
        (["ew", "ww", "ee", "ww"], "w", 1, 4),
        (["ew", "rr", "ee", "ee"], "e", 1, 4),
        (["ew", "we", "ww", "ee"], "e", -1, 4),
        (["ew", "we", "ee", "rr"], "r", 2, 4),
        (["ee", "ww"], "w", 0, 0),
        (["ww"], "w", None, 0),
    ],
    ids=[
        "first without a match",
        "8.0 is not 8",
        "the step before the answer is not asked",
        "the answer is spelt otherwise",
        "two steps are one",
        "one step has no label",
    ],
)
def test_string_check(parts: Parts, ends: list[str], end: str, first: int | None, rollouts: int) -> None:
    """distilabel: letter by letter, every prefix paid for, the answer joined to the step before it."""
    found = located(parts, parts.baselines.string_check, bank_of(ends, end=end), k=2)
    assert (found.first_errors, found.rollouts) == ([first], rollouts)


def test_reselection_pays_for_every_search_and_believes_the_last(parts: Parts) -> None:
    """openr: three searches of 2k fresh rollouts a prefix; only the third one's word counts."""
    # k=1, so each search reads two letters of a prefix. Steps 0..3; the halves look at prefix 2 first, then 1 or 3.
    lucky_in_the_first_search = ["eeeeee", "wewwww", "wwwwww", "wwwwww"]
    found = located(parts, parts.baselines.reselection, bank_of(lucky_in_the_first_search, end="w"), k=1)
    assert found.first_errors == [1]
    assert found.rollouts == 3 * 2 * 2, "two prefixes a search, two rollouts a prefix, three searches"
    assert found.tokens == (2 + 3) * 2 + 2 * (2 + 1) * 2


def test_reselection_of_a_right_answer_asks_nothing(parts: Parts) -> None:
    """Only rollouts with a wrong answer are searched."""
    found = located(parts, parts.baselines.reselection, bank_of(["ww" * 3] * 3, end="e"), k=1)
    assert (found.first_errors, found.rollouts, found.tokens) == ([-1], 0, 0)


def test_a_search_that_meets_no_failure_finds_no_error(parts: Parts) -> None:
    """Halving ends behind the last step where every prefix it looks at succeeds."""
    found = located(parts, parts.baselines.reselection, bank_of(["ee" * 3] * 3, end="w"), k=1)
    assert found.first_errors == [-1]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bank of the scripted solver, with as many rollouts as the sections on noise and consensus need."""
    folder = tmp_path_factory.mktemp("bank")
    quota = Quota(solutions=60, clean=20, erroneous=20, lucky=3)
    plan = BankPlan(use=model_use(SOLVER), rollouts=32, quota=quota)
    build_bank(plan, store=folder / "s.sqlite", output=folder / "bank.parquet", console=QUIET)
    return folder / "bank.parquet"


@pytest.fixture(scope="module")
def second_path(path: Path) -> Path:
    """The same solutions, completed by a solver of another temperature, which its sampling only names."""
    use = model_use(SOLVER)
    wanted = RolloutsWanted(use=replace(use, sampling=replace(use.sampling, temperature=0.5)), rollouts=8)
    output = path.with_name("second.parquet")
    build_second(wanted, of=path, store=path.with_name("s.sqlite"), output=output, console=QUIET)
    return output


@pytest.fixture
def bank(path: Path) -> Bank:
    return read_bank(path)


def named(parts: Parts, name: str) -> Any:
    (method,) = (method for method in parts.methods.METHODS if method.name == name)
    return method


def scored(parts: Parts, method: Any, k: int, bank: Bank, *, replications: int = 1) -> Any:
    return parts.scoring.score(method, k, parts.found.Replays(bank), replications=replications)


# Scores.


@pytest.mark.parametrize(
    ("name", "annotator", "policy"),
    [
        ("math_shepherd_soft", MathShepherd(k=8), "math_shepherd_soft"),
        ("omegaprm_locate", OmegaPRMLocate(k=8), "locate"),
        ("genprm, ratio", MathShepherd(k=8, ask_root=True), "genprm"),
        ("linear_scan", LinearScan(k=8), "locate"),
    ],
)
def test_a_score_is_the_replay_against_the_truth(
    parts: Parts, bank: Bank, name: str, annotator: Annotator, policy: str
) -> None:
    """One replication: F1 and its interval are those of the labels; costs and values those of the replay."""
    method = named(parts, name)
    found = scored(parts, method, 8, bank)
    replayed = replay(annotator, bank, POLICIES[policy])
    report = first_error_f1([one.first_error for one in replayed.labels], bank.truth(), groups=bank.groups())
    assert (found.f1, found.f1_low, found.f1_high) == (report.f1, report.f1_low, report.f1_high)
    assert (found.n_error, found.n_clean) == (report.n_error, report.n_clean)
    assert (found.rollouts, found.tokens) == (replayed.rollouts_per_solution, replayed.tokens_per_solution)
    if method.reading is not parts.found.Reading.MARKS:
        measured = method.measure(parts.found.Replays(bank), 8, 0)
        assert measured.values == [one.values for one in replayed.labels]


def test_soft_values_are_judged_as_chances_and_rank_steps(parts: Parts, bank: Bank) -> None:
    """Calibration and ranking of Monte Carlo values; ranking alone of advantages."""
    soft, gained = (scored(parts, named(parts, name), 8, bank) for name in ("math_shepherd_soft", "pav"))
    assert 0 < soft.brier < 0.25
    assert soft.ranking > 0.8
    assert (gained.brier, gained.calibration_error) == (None, None)
    assert gained.ranking > 0.8


def test_hard_labels_are_judged_by_their_marks(parts: Parts, bank: Bank) -> None:
    """Their squared distance from the truth is the share of wrong marks; the values behind them say nothing."""
    found = scored(parts, named(parts, "math_shepherd_hard"), 8, bank)
    labels = replay(MathShepherd(k=8), bank, POLICIES["math_shepherd_hard"]).labels
    wrong = [
        (mark is StepMark.POSITIVE) != right
        for case, one in zip(bank.cases, labels, strict=True)
        for mark, right in zip(
            one.marks, parts.scoring.right_steps(case.record.problem.text, case.banked.text), strict=True
        )
    ]
    assert found.brier == pytest.approx(sum(wrong) / len(wrong))


def test_changes_are_not_judged_after_the_first_error(parts: Parts) -> None:
    """What a step of a lost solution gained is neither right nor wrong: an advantage has one number a live step."""
    judged = {method.name: method.judged_after_error for method in parts.methods.METHODS}
    assert judged["math_shepherd_soft"]
    assert judged["gra"]
    assert not any(judged[name] for name in ("pav", "genprm, ratio", "tempo", "gigpo", "pure", "stepwise reward"))


def test_credits_have_no_first_error_of_their_own(parts: Parts, bank: Bank) -> None:
    """PURE's marks are another view's and G-RA's stand in right solutions alone: ranking, and no F1."""
    for name in ("pure", "gra"):
        found = scored(parts, named(parts, name), 8, bank)
        assert (found.f1, found.acc_error, found.misses) == (None, None, None)
        assert 0.5 < found.ranking <= 1


def test_unlabelled_solutions_are_missed_and_told_apart(parts: Parts, bank: Bank) -> None:
    """SCAN's gate leaves solutions out: F1 on all counts them as missed, F1 of what is labelled does not."""
    found = scored(parts, named(parts, "scan_base"), 8, bank)
    assert 0 < found.unknown < 1
    assert found.f1 < found.f1_labelled
    assert found.misses.unlabelled > 0


def test_replications_are_averaged_and_do_not_narrow_the_interval(parts: Parts, bank: Bank) -> None:
    """Accuracies are means over replications; problems, not replications, make the interval."""
    method = named(parts, "math_shepherd_hard")
    once = [scored(parts, method, 4, bank)]
    shifted = replace(method, measure=lambda replays, k, offset: method.measure(replays, k, offset + 4))
    once.append(scored(parts, shifted, 4, bank))
    both = scored(parts, method, 4, bank, replications=2)
    assert both.replications == 2
    assert both.acc_error == pytest.approx(sum(one.acc_error for one in once) / 2)
    assert (both.n_error, both.n_clean) == (once[0].n_error, once[0].n_clean)
    assert both.f1_high - both.f1_low > 0.7 * (once[0].f1_high - once[0].f1_low)


def test_replications_share_no_rollout(parts: Parts) -> None:
    """As many as the bank has room for, as far apart as the method needs; one of a method that asks nothing."""
    method = parts.methods.Method(name="m", family=parts.methods.Family.STEPS, measure=None, most_of_one=3)
    assert method.replications(4, held=64, most=4) == [0, 12, 24, 36]
    assert method.replications(8, held=64, most=4) == [0, 24]
    assert method.replications(32, held=64, most=4) == []
    assert method.replications(0, held=64, most=4) == [0]
    assert replace(method, at_least=32).replications(4, held=64, most=4) == [0, 32]


def test_every_method_asks_no_more_than_it_says(parts: Parts, bank: Bank) -> None:
    """With `most_of_one` and `at_least` rollouts of each prefix it gets by: replications do not overlap."""
    for method in parts.methods.METHODS:
        k = min(method.budgets, key=lambda k: abs(k - 4))
        need = max(k * method.most_of_one, method.at_least)
        ends = [prefix.ends[:need] for row in bank.rows for prefix in row.prefixes]
        assert all(len(end) == need for end in ends)
        short = Bank.of(
            replace(row, prefixes=tuple(replace(p, ends=p.ends[:need], tokens=p.tokens[:need]) for p in row.prefixes))
            for row in bank.rows
        )
        method.measure(parts.found.Replays(short), k, 0)


def test_views_of_one_annotator_share_what_it_was_told(parts: Parts, bank: Bank) -> None:
    """Equal questions are asked once; other budgets, other rollouts and other ways of counting are not."""
    replays = parts.found.Replays(bank)
    counting = parts.methods.POLICIES["prefix_tree"].counting
    counts = replays.counts(MathShepherd(k=2), RolloutCounts())
    assert replays.counts(MathShepherd(k=2), RolloutCounts()) is counts
    for other in (
        replays.counts(MathShepherd(k=4), RolloutCounts()),
        replays.counts(MathShepherd(k=2), RolloutCounts(), 2),
        replays.counts(MathShepherd(k=2), counting),
    ):
        assert other is not counts


def test_a_bank_that_is_too_small_says_so(parts: Parts, bank: Bank) -> None:
    """Rather than a score of nothing."""
    method = named(parts, "openr, re-selection")
    with pytest.raises(ConfigError, match="k=32: the bank holds only 32"):
        scored(parts, method, 32, bank, replications=4)


def test_names_of_methods_differ_and_twins_exist(parts: Parts) -> None:
    """A curve is found by its name."""
    names = [method.name for method in parts.methods.METHODS]
    assert len(set(names)) == len(names)
    assert {method.twin for method in parts.methods.METHODS} - {""} <= set(names)


def test_twins_have_the_first_errors_of_their_twin(parts: Parts, bank: Bank) -> None:
    """So that one curve stands for both."""
    replays = parts.found.Replays(bank)
    for method in parts.methods.METHODS:
        if method.twin:
            said = [one.measure(replays, 4, 0).first_errors for one in (method, named(parts, method.twin))]
            assert said[0] == said[1]


@pytest.mark.parametrize("failures", [1, 2, 8, 14, 32])
def test_the_zero_test_of_a_budget_needs_as_many_failures(parts: Parts, failures: int) -> None:
    """Its p0 is the least value that so many failures tell from zero at the stated error rate."""
    test = parts.methods.zero_test(failures)
    assert test.failures == failures
    assert test.error_rate(failures) == pytest.approx(parts.methods.ALPHA)


def test_steps_are_judged_one_by_one(parts: Parts, bank: Bank) -> None:
    """The first strictly wrong step of the values' truth is the bank's first error."""
    for case, first in zip(bank.cases, bank.truth(), strict=True):
        right = parts.scoring.right_steps(case.record.problem.text, case.banked.text)
        assert len(right) == len(case.solution.steps)
        assert (right.index(False) if False in right else -1) == first


def test_misses_are_told_apart(parts: Parts, bank: Bank) -> None:
    """Exact, lucky, missed, early, late and silent share out the erroneous solutions; false alarms the clean ones."""
    truth = bank.truth()
    perfect = parts.misses.Misses.of(truth, bank.cases)
    assert asdict(perfect) == dict.fromkeys(asdict(perfect), 0.0)
    clean = parts.misses.Misses.of([-1] * len(truth), bank.cases)
    lucky = sum(case.banked.kind is SolutionKind.LUCKY for case in bank.cases)
    erroneous = sum(first >= 0 for first in truth)
    assert clean.lucky == pytest.approx(lucky / erroneous)
    assert clean.lucky + clean.missed == pytest.approx(1)
    silent = parts.misses.Misses.of([None] * len(truth), bank.cases)
    assert (silent.unlabelled, silent.false_alarms) == (1, 0)
    first_step = parts.misses.Misses.of([0] * len(truth), bank.cases)
    assert first_step.false_alarms == 1
    assert first_step.early == pytest.approx(sum(first > 0 for first in truth) / erroneous)
    assert parts.misses.Misses.of([5], bank_of(["ww"] * 6, end="w", first_error=2).cases).late == 1


# SCAN's gate.


def test_below_the_gate_only_the_bare_problem_is_asked(parts: Parts) -> None:
    """A problem that is never solved costs its self-confidence and gets no label; without a gate it is searched."""
    bank = bank_of(["eewwwwww"] * 3, end="w")
    gated = parts.self_confidence.WithSelfConfidence(search=LinearScan(k=2), samples=4)
    found = replay(gated, bank, POLICIES["scan"])
    assert found.rollouts_per_solution == 4
    assert [one.first_error for one in found.labels] == [None]
    assert replay(replace(gated, gate=0.0), bank, POLICIES["locate"]).rollouts_per_solution == 4 + 2 * 2


def test_self_confidence_weighs_the_steps_before_the_error(parts: Parts) -> None:
    """SCAN's values come from the rollouts of the bare problem: min(1, MC / SC)."""
    row = bank_of(["eewwwwww", "ewwwwwww", "wwwwwwww", "wwwwwwww"], end="w", first_error=2).rows[0]
    root = replace(row.prefixes[0], ends="eeewwwww")
    bank = Bank.of([replace(row, prefixes=(root, *row.prefixes[1:]))])
    annotator = parts.self_confidence.WithSelfConfidence(search=LinearScan(k=4), samples=4)
    (labels,) = replay(annotator, bank, POLICIES["scan"]).labels
    assert labels.first_error == 2
    assert labels.values == pytest.approx((0.5 / 0.75, 0.25 / 0.75, 0.0))


# Noise.


def test_noise_is_what_contradicts_the_truth(parts: Parts, bank: Bank) -> None:
    """Shares of one line, counted once more by hand; bins by length add up to the whole."""
    report = parts.noise.measure_noise(bank)
    for split in BankSplit:
        part = bank.part(split)
        (line,) = (one for one in report.lines if (one.line, one.split) == ("Monte Carlo, all steps", split))
        labels = replay(MathShepherd(k=8, ask_root=True), part, POLICIES["math_shepherd_hard"]).labels
        pairs = [
            (mark, value, right)
            for case, one in zip(part.cases, labels, strict=True)
            for mark, value, right in zip(
                one.marks,
                one.values,
                parts.scoring.right_steps(case.record.problem.text, case.banked.text),
                strict=True,
            )
        ]
        plus = [right for mark, _, right in pairs if mark is StepMark.POSITIVE]
        minus = [right for mark, _, right in pairs if mark is StepMark.NEGATIVE]
        assert line.whole.false_plus == pytest.approx(1 - sum(plus) / len(plus))
        assert line.whole.false_minus == pytest.approx(sum(minus) / len(minus))
        distances = [abs(value - right) for _, value, right in pairs if value is not None]
        assert line.whole.distance == pytest.approx(sum(distances) / len(distances))
        wrong = sum(one.first_error != true for one, true in zip(labels, part.truth(), strict=True))
        assert line.whole.locations == pytest.approx(wrong / len(labels))
        assert sum(one.solutions for one in line.by_length) == line.whole.solutions == len(part.cases)
        assert sum(one.steps for one in line.by_length) == line.whole.steps


def test_lines_on_what_scan_keeps_are_judged_on_the_same_solutions(parts: Parts, bank: Bank) -> None:
    """Else a filter would look like a repair."""
    report = parts.noise.measure_noise(bank)
    for split in BankSplit:
        kept = {one.line: one.whole.solutions for one in report.lines if one.split is split}
        assert kept["Monte Carlo, cut, what SCAN keeps"] == kept[parts.noise.KEPT_BY_SCAN]
        assert kept[parts.noise.KEPT_BY_SCAN] < kept["Monte Carlo, all steps"]


def test_what_is_chosen_is_chosen_on_the_train_split(parts: Parts, bank: Bank) -> None:
    """The test split has no say: with hardly any of it the same constants are chosen."""
    train, test = (bank.part(split) for split in (BankSplit.TRAIN, BankSplit.TEST))
    with_little = Bank.of([*train.rows, test.rows[0]])
    chosen = [
        [one.line for one in parts.noise.measure_noise(whole).lines if "chosen on train" in one.line]
        for whole in (bank, with_little)
    ]
    assert len(chosen[0]) == 3 * len(BankSplit)
    assert chosen[0] == chosen[1]


def test_a_window_without_soft_labels_is_not_the_nearest(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The distance of no labels is not a distance of zero: a window that leaves any is chosen."""

    def distance(line: Any, *_: object) -> Any:
        window = getattr(line.policy, "window", None)
        return SimpleNamespace(whole=SimpleNamespace(distance=0.2 if window == 3 else None))

    monkeypatch.setattr(parts.noise, "_noise", distance)
    monkeypatch.setattr(parts.noise, "_said", lambda *_: [-1])
    train = parts.found.Replays(bank_of(["ww"], end="w"))
    assert [line.policy.window for line in parts.noise._chosen(train) if hasattr(line.policy, "window")] == [3]


def test_intervals_of_noise_are_over_problems(parts: Parts) -> None:
    """Copies of a solution in its own problem add nothing to what is known; of other problems they do."""
    hits, groups = [True, False, False, True, False] * 4, [f"p{i}" for i in range(20)]
    low, high = parts.noise.share_interval(hits, groups)
    assert 0 < low < 0.4 < high < 1
    assert parts.noise.share_interval(hits * 9, groups * 9) == pytest.approx((low, high), abs=0.03)
    surer = parts.noise.share_interval(hits * 9, [f"p{i}" for i in range(180)])
    assert surer[1] - surer[0] < (high - low) / 2
    assert parts.noise.share_interval([], []) == (None, None)


# Consensus.


def test_consensus_keeps_what_agrees(parts: Parts, path: Path, second_path: Path) -> None:
    """Shares and F1 by hand for two halves of one completer; each source has the agreed F1 on what is kept."""
    bank, second = read_bank(path), read_bank(second_path)
    report = parts.agreement.measure_agreement(bank, second)
    halves = [replay(MathShepherd(k=8), bank, POLICIES["math_shepherd_hard"], offset=offset) for offset in (0, 8)]
    said = [[one.first_error for one in half.labels] for half in halves]
    here = [i for i, (one, two) in enumerate(zip(*said, strict=True)) if one == two is not None]
    (kept,) = (one for one in report.kept if one.sources == ("A1", "A2"))
    assert kept.share == pytest.approx(len(here) / len(bank.cases))
    truth, groups = bank.truth(), bank.groups()
    expected = first_error_f1([said[0][i] for i in here], [truth[i] for i in here], groups=[groups[i] for i in here])
    assert kept.agreed == expected
    assert kept.on_kept == (expected.f1, expected.f1)
    assert kept.on_all == tuple(first_error_f1(one, truth, resamples=0).f1 for one in said)


def test_gain_of_consensus_is_selection_and_agreement(parts: Parts, path: Path, second_path: Path) -> None:
    """The two parts add up to what agreed labels have over the third source on all solutions."""
    report = parts.agreement.measure_agreement(read_bank(path), read_bank(second_path))
    for kept in report.kept:
        gained = kept.agreed.f1 - kept.fresh_on_all
        assert kept.selection + kept.agreement.difference == pytest.approx(gained)
    assert any("B" in one.sources for one in report.kept)


def test_a_completer_that_repairs_everything_is_a_source_of_its_own(parts: Parts, bank: Bank) -> None:
    """The second bank's rollouts speak for it: one that always succeeds calls all right solutions clean."""
    always = Bank.of(
        replace(row, prefixes=tuple(replace(p, ends="e" * len(p.ends)) for p in row.prefixes)) for row in bank.rows
    )
    sources = {one.name: one for one in parts.agreement.measure_agreement(bank, always).sources}
    last = [len(case.solution.steps) - 1 for case in bank.cases]
    right = [case.banked.end in "er" for case in bank.cases]
    assert sources["B"].said == tuple(-1 if ok else at for ok, at in zip(right, last, strict=True))
    assert sources["A1&B"].said == sources["B"].said
    assert sources["A1&B"].tokens == pytest.approx(sources["A1"].tokens + sources["B"].tokens)


def test_without_a_second_bank_there_is_consensus_within_one(parts: Parts, bank: Bank) -> None:
    """Halves and methods; nobody is named as the second completer."""
    report = parts.agreement.measure_agreement(bank, None)
    assert len(report.completers) == 1
    assert {one.sources for one in report.kept} == {("A1", "A2"), ("A1", "L2"), ("A1", "R2")}


def test_a_completer_is_described_by_where_it_goes_on_from(parts: Parts) -> None:
    """Shares of right rollouts: from the bare problem, after right steps, after a wrong one; the end counts nowhere."""
    row = bank_of(["ewww", "eeww", "wwwr", "eeee"], end="w", first_error=2).rows[0]
    root = replace(row.prefixes[0], ends="eeee")
    found = parts.completers.Completer.of(Bank.of([replace(row, prefixes=(root, *row.prefixes[1:]))]))
    assert (found.from_problem, found.from_right, found.from_wrong) == (1.0, 3 / 8, 1 / 4)
    assert found.name == "m, temperature 1"
    clean = parts.completers.Completer.of(bank_of(["ee", "ee"], end="e"))
    assert (clean.from_right, clean.from_wrong) == (1.0, None)


def test_a_second_bank_of_other_solutions_is_refused(parts: Parts, bank: Bank) -> None:
    """Agreement about different solutions would be no agreement."""
    with pytest.raises(ConfigError, match="not the first one's"):
        parts.agreement.measure_agreement(bank, bank.part(BankSplit.TEST))


# Writing.


@pytest.mark.parametrize("name", ["BANK", "NOISE", "CONSENSUS", "LIVE"])
def test_section_replaces_what_stood_between_the_markers(parts: Parts, tmp_path: Path, name: str) -> None:
    """Writing twice leaves one section; the rest of the document stays, other sections too."""
    document = tmp_path / "doc.md"
    section = parts.sections.Section[name]
    others = "".join(f"{one.begin}\nkept\n{one.end}\n" for one in parts.sections.Section if one is not section)
    document.write_text(f"before\n\n{section.begin}\nold\n{section.end}\n\n{others}", encoding="utf-8")
    for text in ("| a |", "| b |"):
        parts.sections.write_section(section, text, document)
        expected = f"before\n\n{section.begin}\n\n{text}\n\n{section.end}\n\n{others}"
        assert document.read_text(encoding="utf-8") == expected


@pytest.mark.parametrize("text", ["none", "{begin} only", "{end} before {begin}", "{begin} {end} {begin} {end}"])
def test_a_document_without_its_markers_is_left_alone(parts: Parts, tmp_path: Path, text: str) -> None:
    """The message names them."""
    document = tmp_path / "doc.md"
    section = parts.sections.Section.BANK
    document.write_text(text.format(begin=section.begin, end=section.end), encoding="utf-8")
    before = document.read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="once each"):
        parts.sections.write_section(section, "table", document)
    assert document.read_text(encoding="utf-8") == before


def test_the_document_holds_every_marker(parts: Parts, repository: Path) -> None:
    """Each command finds its place in docs/label_quality.md."""
    text = (repository / "docs" / "label_quality.md").read_text("utf-8")
    for section in parts.sections.Section:
        assert text.count(section.begin) == text.count(section.end) == 1


def test_small_banks_show_the_budgets_they_have(parts: Parts, bank: Bank) -> None:
    """A method none of whose budgets are for the document shows all that fit."""
    method = replace(named(parts, "omegaprm_locate"), shown=(64,))
    scores = [scored(parts, method, k, bank) for k in (1, 2)]
    text = parts.document.bank_section(scores, bank, plot="")
    assert text.count("| omegaprm_locate |") == 2 + 1, "two budgets, and one line of misses"


def test_curves_rise_in_cost(parts: Parts, bank: Bank) -> None:
    """One curve a method, its points in order of their tokens; none for twins and for credits."""
    chosen = [named(parts, name) for name in ("math_shepherd_hard", "math_shepherd_soft", "pure", "omegaprm_locate")]
    drawn = parts.plot.curves([scored(parts, method, k, bank) for method in chosen for k in (8, 2, 4)])
    assert [one.name for one in drawn] == ["math_shepherd_hard", "omegaprm_locate"]
    for one in drawn:
        assert list(one.tokens) == sorted(one.tokens)
        assert len(one.f1) == len(one.labelled) == 3
        assert all(math.isfinite(f1) for f1 in one.f1)


def test_plot_is_an_image(parts: Parts, bank: Bank, tmp_path: Path) -> None:
    """Families with and without a price, and one that leaves solutions out; equal figures give equal bytes."""
    pytest.importorskip("matplotlib")
    points = (("omegaprm_locate", 2), ("omegaprm_locate", 4), ("prefix_tree", 0), ("scan_base", 2))
    scores = [scored(parts, named(parts, name), k, bank) for name, k in points]
    for name in ("a.svg", "b.svg"):
        parts.plot.write_plot(scores, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def command(repository: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "benchmarks/label_quality.py", "--json", *arguments],
        cwd=repository,
        check=True,
        capture_output=True,
        text=True,
    )
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def test_what_was_asked_wrongly_ends_in_one_line(repository: Path, path: Path, tmp_path: Path) -> None:
    """A method that does not exist and a bank that does not: the error's own exit code, and no traceback."""
    for arguments in (("--bank", str(path), "--method", "guessing"), ("--bank", str(tmp_path / "none.parquet"))):
        done = subprocess.run(
            [sys.executable, "benchmarks/label_quality.py", *arguments],
            cwd=repository,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == EXIT_CODES[ConfigError]
        assert done.stderr.splitlines()[-1].startswith("error: ")
        assert "Traceback" not in done.stderr


BANK = ("--bank", "b.parquet")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((*BANK, "--method", "pav", "--write"), "--write replaces whole sections", id="one line written"),
        pytest.param((*BANK, "--split", "train", "--write"), "--write replaces whole sections", id="one half written"),
        pytest.param((*BANK, "--method", "pav", "--second", "c.parquet"), "--second", id="consensus of one line"),
        pytest.param((*BANK, "--recipe", "vsrm"), "--recipe", id="recipe"),
        pytest.param((*BANK, "--problems", "5", "--k", "4"), "--problems, --k", id="problems, k"),
        pytest.param((*BANK, "--engine", "bundled2", "--keep", "x"), "--engine, --keep", id="engine, keep"),
        pytest.param(("--second", "c.parquet"), "--second", id="second bank alone"),
        pytest.param(("--method", "pav"), "--method", id="method without a bank"),
        pytest.param(("--split", "test", "--replications", "1"), "--split, --replications", id="parts of no bank"),
    ],
)
def test_options_that_do_nothing_or_harm_are_refused(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """Before anything is measured: an hour later the document would have lost all lines but one."""
    assert parts
    monkeypatch.setattr(sys, "argv", ["label_quality.py", *arguments])
    with pytest.raises(SystemExit) as end:
        import_module("label_quality").parsed()
    assert end.value.code == 2
    assert f"error: {said}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        (*BANK, "--second", "c.parquet", "--replications", "2", "--write", "--document", "d.md"),
        (*BANK, "--split", "train", "--method", "pav", "--method", "pure", "--json"),
        ("--recipe", "omegaprm", "--problems", "40", "--k", "4", "--engine", "bundled", "--keep", "x", "--write"),
    ],
    ids=["whole bank", "part of it", "live"],
)
def test_options_that_fit(parts: Parts, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """All others may stand together."""
    assert parts
    monkeypatch.setattr(sys, "argv", ["label_quality.py", *arguments])
    assert import_module("label_quality").parsed().json == ("--json" in arguments)


@pytest.mark.slow
def test_the_command_measures_every_method_and_writes_the_document(
    parts: Parts, path: Path, second_path: Path, repository: Path, tmp_path: Path
) -> None:
    """Every method at every budget that fits, noise and consensus, in the JSON and in the document."""
    document = tmp_path / "doc.md"
    document.write_text("\n".join(f"{one.begin}\n{one.end}\n" for one in parts.sections.Section), encoding="utf-8")
    banks = ("--bank", str(path), "--second", str(second_path))
    printed = command(repository, *banks, "--replications", "2", "--write", "--document", str(document))
    rows = printed["bank"]
    fits = {(m.name, k) for m in parts.methods.METHODS for k in m.budgets if m.replications(k, held=32, most=1)}
    assert {(row["method"], row["k"]) for row in rows} == fits
    written = document.read_text(encoding="utf-8")
    for row in rows:
        if row["f1"] is not None:
            assert 0 <= row["f1_low"] <= row["f1"] <= row["f1_high"] <= 1
        assert row["tokens"] > 0 or row["family"] == "the samples alone"
        if row["shown"]:
            f1 = "" if row["f1"] is None else f"{row['f1']:.3f}"
            assert f"| {row['method']} | {row['k']} | {f1} |" in written
    for line in printed["noise"]["lines"]:
        assert f"| {line['line']} | {line['split']} |" in written
    for kept in printed["consensus"]["kept"]:
        assert f"| {' + '.join(kept['sources'])}" in written
    assert "temperature 0.5" in written


@pytest.mark.slow
def test_live_recipes_are_run_and_written(parts: Parts, repository: Path, tmp_path: Path) -> None:
    """Any recipe by name, one without rollouts too; without both of the pair there is no difference."""
    document = tmp_path / "doc.md"
    section = parts.sections.Section.LIVE
    document.write_text(f"{section.begin}\n{section.end}\n", encoding="utf-8")
    recipes = ("--recipe", "tempo", "--recipe", "vsrm")
    written = ("--write", "--document", str(document))
    printed = command(repository, *recipes, "--problems", "12", "--engine", SOLVER, *written)
    assert [row["method"] for row in printed["rows"]] == ["tempo", "vsrm"]
    assert printed["rows"][0]["rollouts_per_solution"] == 0
    assert printed["paired"] is None
    assert "| `vsrm` |" in document.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "at_root"), [("math_shepherd", 0), ("pav", 16), ("vsrm", 8)], ids=["steps", "the bare problem", "probes"]
)
def test_live_rollouts_are_those_that_were_asked(
    parts: Parts, label: Any, recipe_of: Any, rows_of: Any, name: str, at_root: int
) -> None:
    """The rows' own counts, which are of steps, and those of the bare problem."""
    folder = label(name, recipe_of(name)).folder
    rows = rows_of(folder)
    expected = sum(sum(row.rollouts) for row in rows) / len(rows) + at_root
    assert parts.live.rollouts_per_solution(folder) == pytest.approx(expected)


def test_k_is_put_where_a_recipe_has_one(parts: Parts, tmp_path: Path) -> None:
    """A k that problems get by their difficulty stays: the annotator asks nothing of the other one."""
    plan = parts.live.Plan(recipes=("genprm",), problems=1, k=3, engine=SOLVER, folder=tmp_path)
    assert parts.live.recipe_of("omegaprm_locate", plan).annotator.k == 3
    for name in ("genprm", "tempo"):
        assert parts.live.recipe_of(name, plan) == RECIPES[name](model_use(SOLVER))


def test_unknown_recipes_are_refused(parts: Parts, tmp_path: Path) -> None:
    """The message names those that there are."""
    with pytest.raises(ConfigError, match="--recipe 'scan': there are math_shepherd"):
        parts.live.Plan(recipes=("scan",), problems=1, k=1, engine=SOLVER, folder=tmp_path)
