"""Intervals of pairs that share their prompt: as wide as those pairs vary, and said so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from given import made_runs
from given.made_scores import scores
from given.tables.labels import labels
from hypothesis import given, strategies as st

from ivan_core.charts.agreement import agreement_bars
from ivan_core.charts.labels import together_squares
from ivan_core.charts.reliability import reliability_points, risk_coverage_curves
from ivan_core.charts.sides import agreement_by_larger_bars, length_bars
from ivan_core.engine import figures
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.sentences import quotes
from ivan_core.experiments.labels import sentences as label_sentences
from ivan_core.metrics.agreement import by_subset, length_balanced
from ivan_core.metrics.columns import agreement_by_larger
from ivan_core.metrics.comparison_sentences import (
    coverage_sentence,
    mcnemar_sentence,
    reliability_sentence,
)
from ivan_core.metrics.intervals import PROMPT, design_effect, wilson
from ivan_core.metrics.labels.sentences import co_occurrence_sentence, prevalence_sentence
from ivan_core.metrics.labels.shares import co_occurrence, prevalence_differences, prevalences
from ivan_core.metrics.paired import (
    difference_of_counts,
    mcnemar_mid_p,
    paired_difference,
    shared_rows,
)
from ivan_core.metrics.reliability import reliability, risk_coverage
from ivan_core.metrics.sentences import headline, length_sentence, rate_sentence
from ivan_core.metrics.summary import summarise
from ivan_core.metrics.trust import check_direction, check_seen

HARMLESS, HELPFUL = "last_response_is_harmless", "last_response_is_helpful"


def test_the_design_effect_by_hand() -> None:
    # Two prompts, one always right and one never: deviations of a half, sums by prompt 1 and -1.
    # (2 * 2 / 1) / (1 * 4 / 3) = 3.
    values, groups = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0, 0, 1, 1])
    assert design_effect(values, groups) == pytest.approx(3)
    # Every prompt alike: between prompts nothing varies, and no interval is narrowed for it.
    assert design_effect(np.array([1.0, 0.0, 1.0, 0.0]), groups) == 1.0
    # Where all are right nothing tells how alike they are: a prompt counts once.
    assert design_effect(np.ones(4), groups) == 2.0
    assert design_effect(np.ones(1), np.array([0])) == 1.0


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_nothing_changes_where_no_prompt_repeats(holds: list[bool]) -> None:
    values = np.array(holds, dtype=np.float64)
    design = design_effect(values, np.arange(len(values))[::-1])
    assert design == 1.0
    assert wilson(sum(holds), len(holds), design=design) == wilson(sum(holds), len(holds))


def _drawn(generator: np.random.Generator, prompts: int, pairs: int, alike: float) -> np.ndarray:
    """Verdicts in prompts: right with .6, correlated so far within a prompt."""
    scale = 1 / alike - 1
    right = generator.beta(0.6 * scale, 0.4 * scale, prompts)
    return (generator.random((prompts, pairs)) < right[:, None]).astype(np.float64).ravel()


def test_intervals_of_four_pairs_a_prompt_hold_the_truth_as_often_as_they_say() -> None:
    generator = np.random.default_rng(4)
    groups = np.repeat(np.arange(375), 4)
    draws, plain, widened = 1_500, 0, 0
    for _ in range(draws):
        values = _drawn(generator, 375, 4, 0.3)
        count = int(values.sum())
        without = wilson(count, len(values))
        wide = wilson(count, len(values), design=design_effect(values, groups))
        assert without is not None and wide is not None
        plain += without.low <= 0.6 <= without.high
        widened += wide.low <= 0.6 <= wide.high
    assert plain / draws < 0.89
    assert 0.935 < widened / draws < 0.97


def test_differences_of_four_pairs_a_prompt_hold_the_truth_as_often_as_they_say() -> None:
    generator = np.random.default_rng(5)
    draws, plain, widened = 800, 0, 0
    for _ in range(draws):
        ours, theirs = (_drawn(generator, 150, 4, 0.3) for _ in range(2))
        counts = [int((ours * theirs).sum()), int((ours * (1 - theirs)).sum())]
        counts += [int(((1 - ours) * theirs).sum()), int(((1 - ours) * (1 - theirs)).sum())]
        both, first, second, neither = counts
        design = design_effect(ours - theirs, np.repeat(np.arange(150), 4))
        without = difference_of_counts(both, first, second, neither)
        wide = difference_of_counts(both, first, second, neither, design=design)
        assert without is not None and wide is not None
        plain += not without.excludes_zero
        widened += not wide.excludes_zero
    assert plain / draws < 0.89
    assert 0.935 < widened / draws < 0.975


def test_length_balanced_agreement_holds_the_truth_as_often_as_it_says() -> None:
    """Right in .45 where the longer reply was chosen and in .75 elsewhere, four pairs a prompt."""
    generator, draws, plain, widened = np.random.default_rng(9), 400, 0, 0
    groups = np.repeat(np.arange(150), 4)
    longer = groups % 3 > 0
    made = scores([(2, 1)] * 600).assign(
        chosen_length=np.where(longer, 2, 1), rejected_length=np.where(longer, 1, 2)
    )
    for _ in range(draws):
        own = np.where(longer, 0.45, 0.75)
        follows = generator.random(600) < 0.3**0.5
        drawn = np.where(follows, generator.random(150)[groups], generator.random(600))
        table = made.assign(verdict=np.where(drawn < own, "agree", "disagree"))
        without, wide = (length_balanced(one) for one in (table, table.assign(**{PROMPT: groups})))
        assert without.low is not None and without.high is not None
        assert wide.low is not None and wide.high is not None
        plain += without.low <= 0.6 <= without.high
        widened += wide.low <= 0.6 <= wide.high
    assert plain / draws < 0.89
    assert 0.92 < widened / draws < 0.97


def grouped(model: str = "m") -> pd.DataFrame:
    """Forty prompts with four pairs each; the model is right on all four of a prompt or on none."""
    rewards = [(2, 1) if prompt % 4 else (1, 2) for prompt in range(40) for _ in range(4)]
    return scores(rewards, model).assign(**{PROMPT: np.repeat(np.arange(40), 4)})


def test_an_interval_that_prompts_widened_says_as_if_n() -> None:
    (summary,) = summarise(grouped())
    rate = summary.agreement
    # Deviations .25 and -.75: own 120/16 + 40 * 9/16 = 30, by prompt 16 times 7.5 = 120.
    # (120 * 40 / 39) / (30 * 160 / 159) = 4.08.
    assert rate is not None and rate.design == pytest.approx(4.0770, abs=1e-4)
    assert rate.effective_n == 39 and summary.misaligned is not None
    assert summary.misaligned.design == pytest.approx(rate.design)
    told = rate_sentence(rate, "It agrees")
    assert told == (
        "It agrees in 75% of 160 pairs (95% interval [60, 86]; prompts repeat: as if n = 39)."
    )
    assert "(prompts repeat: as if n = 39)" in headline([summary], "the choice")
    halves = grouped().assign(chosen_length=[2, 2, 1, 1] * 40, rejected_length=[1, 1, 2, 2] * 40)
    (by_length,) = summarise(halves)
    assert "Prompts repeat: as if n = 39 and 39." in length_sentence(by_length, "people's choice")
    # Both halves rest on the same prompts: their mean is no surer than either.
    assert "75% [59, 85] if both counted the same" in length_sentence(by_length, "people's choice")
    bars = by_subset(grouped())
    assert set(bars["effective_n"]) == {39}
    assert bars["low"].iloc[0] == pytest.approx(rate.low)
    (plain,) = summarise(grouped().drop(columns=PROMPT))
    assert plain.agreement == wilson(120, 160) and plain.agreement.effective_n == 160


def test_two_models_compare_by_prompt() -> None:
    other = grouped("other").assign(verdict="disagree")
    both = pd.concat([grouped("one"), other], ignore_index=True)
    found = paired_difference(shared_rows(both, "one", "other"))
    plain = paired_difference(shared_rows(both.drop(columns=PROMPT), "one", "other"))
    assert found is not None and plain is not None
    assert found.effective_n == 39 and plain.effective_n == 160
    assert found.low < plain.low and found.mid_p > plain.mid_p
    assert "Prompts repeat: both are those of 39 pairs." in mcnemar_sentence(found)


def test_labels_of_one_prompt_are_alike() -> None:
    given = labels(**{HARMLESS: [prompt % 4 > 0 for prompt in range(40) for _ in range(4)]})
    groups = given["row_id"].to_numpy() // 2
    wide = prevalences(given.assign(**{PROMPT: groups}), [HARMLESS]).iloc[0]
    plain = prevalences(given, [HARMLESS]).iloc[0]
    assert wide["share"] == plain["share"] and wide["low"] < plain["low"]
    assert wide["effective_n"] < wide["n"] and plain["effective_n"] == plain["n"]


def test_differences_of_labels_are_as_wide_as_repeated_prompts_ask() -> None:
    """In 9 of 16 prompts of two pairs only the chosen replies are harmless, in the others only the
    rejected ones."""
    pairs = [prompt < 9 for prompt in range(16) for _ in range(2)]
    given = labels(**{HARMLESS: [side for chosen in pairs for side in (chosen, not chosen)]})
    groups = given["row_id"].to_numpy() // 2
    wide = prevalence_differences(given.assign(**{PROMPT: groups}), [HARMLESS]).iloc[0]
    plain = prevalence_differences(given, [HARMLESS]).iloc[0]
    assert wide["difference"] == plain["difference"] == 0.125
    assert wide["low"] < plain["low"] and wide["high"] > plain["high"]
    # Design effect 2 * 16/15 * 31/32 = 2.067: 18 against 14 count as 8.7 and 6.8, as 8 against 7.
    assert wide["mid_p"] == mcnemar_mid_p(8, 7) > mcnemar_mid_p(18, 14) == plain["mid_p"]
    # Of 15, at most 7 or at least 8 is certain; half of what 7 and 8 weigh is taken off.
    assert wide["mid_p"] == pytest.approx(1 - 6435 / 2**15)
    # 32 / 2.067 = 15.5.
    told, told_plain = (prevalence_sentence(row, "harmless") for row in (wide, plain))
    assert " points; prompts repeat: as if n = 15). No clear difference" in told
    assert "prompts repeat" not in told_plain and plain["effective_n"] == 32
    table = pd.DataFrame([wide])
    shown = label_sentences.label_sentence(table, HARMLESS, "yes")
    assert "]; prompts repeat: as if n = 15), no clear difference." in shown
    named = label_sentences.differences_sentence(table.assign(clear=True))
    assert named.endswith("]; prompts repeat: as if n = 15).")


def test_both_texts_of_a_pair_are_one_group_where_labels_go_together() -> None:
    # Of 60 pairs of harmless texts, the texts of a pair are both helpful or neither is.
    helpful = [pair % 3 > 0 for pair in range(60) for _ in range(2)]
    found = co_occurrence(labels(**{HARMLESS: [True] * 120, HELPFUL: helpful}), [HARMLESS, HELPFUL])
    row = found[found["first_key"].eq(HARMLESS)].iloc[0]
    plain, wide = wilson(80, 120), wilson(80, 120, design=2 * 60 / 59 * 119 / 120)
    assert plain is not None and wide is not None
    assert row["share"] == pytest.approx(2 / 3) and row["low"] < plain.low
    assert row["low"] == pytest.approx(wide.low)
    # 120 / (2 * 60 / 59 * 119 / 120) = 59.5.
    assert row["effective_n"] == wide.effective_n == 59
    because = "texts share prompts: as if n = 59"
    assert f"]; {because}); of all 120 texts" in co_occurrence_sentence(row, "harmless", "helpful")
    assert f"]; {because}) also have" in label_sentences.together_sentence(pd.DataFrame([row]))
    squares = together_squares(found, {}).to_dict()
    assert f"80 of 120 (67% [54, 77]; {because})" in str(squares["datasets"])


def test_labels_that_always_or_never_go_together_count_by_pair() -> None:
    """60 pairs of harmless texts that are all helpful, or none: 60 of 60 or 0 of 60, not of 120."""
    for helpful in (True, False):
        given = labels(**{HARMLESS: [True] * 120, HELPFUL: [helpful] * 120})
        found = co_occurrence(given, [HARMLESS, HELPFUL])
        row = found[found["first_key"].eq(HARMLESS)].iloc[0]
        rate = wilson(60 * helpful, 60)
        assert rate is not None
        assert (row["low"], row["high"]) == pytest.approx((rate.low, rate.high))
    # Of one pair nothing tells how alike its texts are: it counts once.
    one = co_occurrence(
        labels(**{HARMLESS: [True, True], HELPFUL: [True, False]}), [HARMLESS, HELPFUL]
    )
    half = wilson(1, 2, design=2)
    assert half is not None and one["low"].iloc[0] == pytest.approx(half.low)


def test_charts_and_checks_say_as_if_n_where_prompts_widened_an_interval() -> None:
    told = "[60, 86]; prompts repeat: as if n = 39"
    halves = grouped().assign(
        chosen_length=[2, 2, 1, 1] * 40, rejected_length=[1, 1, 2, 2] * 40, margin=[3.0, -1.0] * 80
    )
    (by_length,) = summarise(halves)
    apart = pd.Series([1.0] * 160, index=range(160))
    surest = coverage_sentence(risk_coverage(halves), "m")
    assert surest.startswith(
        "m sides with the choice in 75% [60, 86] (prompts repeat: as if n = 39) of all it rated"
    )
    charts = {
        "agreement": agreement_bars(by_subset(grouped())),
        "length": length_bars([by_length]),
        "user column": agreement_by_larger_bars(agreement_by_larger(grouped(), apart)),
        "coverage": risk_coverage_curves(risk_coverage(halves)),
    }
    said = {name: str(chart.to_dict()["datasets"]) for name, chart in charts.items()}
    assert told in said["coverage"]
    for name in ("agreement", "user column"):
        assert "75% [60, 86] of 160; prompts repeat: as if n = 39" in said[name]
    assert "of 80; prompts repeat: as if n = 39" in said["length"]
    rate = by_length.agreement
    assert rate is not None
    assert "[60, 86] (prompts repeat: as if n = 39)" in check_direction(rate, None).reason
    both = check_seen(rate, rate, 320, None).reason
    assert both.count("(prompts repeat: as if n = 39) of 160") == 2
    plain = wilson(120, 160)
    assert "as if" not in check_direction(plain, None).reason


def test_bins_of_sureness_say_as_if_n() -> None:
    """The surest half agrees on all or none of a prompt's four pairs."""
    margins = np.where(np.arange(160) // 4 % 4, 1.0, -1.0) * (1 + np.arange(160) / 1000)
    rows = grouped().assign(margin=margins)
    found = reliability(rows, np.random.default_rng(0))
    assert (found.bins["effective_n"] < found.bins["n"]).all() and len(found.bins)
    assert "prompts repeat: as if n = " in str(reliability_points(found, "m").to_dict()["datasets"])
    fitted = found.bins[found.bins["scale"] == "fitted"]
    surest = int(fitted["effective_n"].iloc[-1])
    told = reliability_sentence(found, "m")
    assert f"(prompts repeat: as if n = {surest})" in told
    assert told.count("prompts repeat") == 2


def _pairs(path: Path, prompts: int, each: int, prompt: str = "\n\nHuman: Question {}") -> Path:
    return made_runs.write_rows(
        path,
        [
            {
                "chosen": f"{prompt.format(i)}\n\nAssistant: {'Yes, gladly. ' * (1 + i % 5)}{j}",
                "rejected": f"{prompt.format(i)}\n\nAssistant: No {'never ' * (i % 3)}{j}",
            }
            for i in range(prompts)
            for j in range(each)
        ],
    )


def test_a_run_measures_how_alike_pairs_of_one_prompt_are(data_dir: Path, tmp_path: Path) -> None:
    path = _pairs(tmp_path / "repeated.jsonl", 40, 4)
    run_id = made_runs.finished(data_dir, made_runs.spec_of_file(path))
    table = data_dir / "runs" / run_id / "table.parquet"
    found = pd.read_parquet(table)
    # Three prompts of four are judged right with all their pairs, the fourth with none.
    found["verdict"] = np.where(found["row_id"] // 4 % 4, "agree", "disagree")
    found.to_parquet(table, index=False)
    results = open_results(run_id)
    assert results.table[PROMPT].nunique() == 40
    told = " ".join(quote.sentence for quote in quotes(results))
    assert "75% of 160 pairs (95% interval [60, 86]; prompts repeat: as if n = 39)" in told
    assert "75% [60, 86] of 160 (prompts repeat: as if n = 39)" in figures.caption(
        run_id, "agreement"
    )
    assert "share their first human turn" in figures.methods(run_id, "agreement")


def test_sentences_of_few_pairs_have_the_ends_of_their_bars(data_dir: Path, tmp_path: Path) -> None:
    """Six prompts of two pairs in each subset; every second prompt is judged right."""
    path = made_runs.write_rows(
        tmp_path / "few.jsonl",
        [
            {
                "chosen": f"\n\nHuman: Question {row // 2}\n\nAssistant: Yes {row}",
                "rejected": f"\n\nHuman: Question {row // 2}\n\nAssistant: No {row}",
                "subset": "a" if row < 12 else "b",
            }
            for row in range(24)
        ],
    )
    run_id = made_runs.finished(data_dir, made_runs.spec_of_file(path))
    table = data_dir / "runs" / run_id / "table.parquet"
    found = pd.read_parquet(table)
    found["verdict"] = np.where(found["row_id"] // 2 % 2, "agree", "disagree")
    found.to_parquet(table, index=False)
    told = " ".join(quote.sentence for quote in quotes(open_results(run_id)))
    # 12 / 2.2 = 5.45 pairs; of 5, which is what stands beside, the ends would be 17 and 83.
    assert "in 50% of 12 pairs (95% interval [18, 82]; prompts repeat: as if n = 5)" in told


def test_runs_without_repeated_prompts_are_as_they_were(data_dir: Path, tmp_path: Path) -> None:
    sample = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=120))
    alone = _pairs(tmp_path / "alone.jsonl", 40, 1)
    none = _pairs(tmp_path / "none.jsonl", 40, 1, prompt="")
    runs = [
        sample,
        *(made_runs.finished(data_dir, made_runs.spec_of_file(p)) for p in (alone, none)),
    ]
    for run_id in runs:
        results = open_results(run_id)
        assert PROMPT not in results.table.columns
        assert all(s.agreement.design == 1 for s in results.summaries if s.agreement)
