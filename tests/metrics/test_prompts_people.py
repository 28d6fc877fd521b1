"""Agreement of people and labelers where pairs share prompts: by prompt, and said so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from given import made_runs
from given.made_reviews import Said
from given.tables.labels import INSULT, crossed

from ivan_core.domain.labels import TextKey
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import datasets
from ivan_core.engine.opinions import ceiling_of, used_opinions
from ivan_core.metrics.intervals import units_of, wilson
from ivan_core.metrics.labels.agreement import agreement_table, choice_agreement
from ivan_core.metrics.sentences import interval
from ivan_core.review.agreement import cell_agreement, cells_beside, choices_beside
from ivan_core.review.sentences import cell_sentence, pairs_sentence

REFUSAL = "last_response_is_refusal"
CHOICES = ("chosen", "rejected")
MET = {True: "chosen", False: "rejected"}


def test_rows_of_one_prompt_are_one_unit_and_rows_alone_are_as_they_were() -> None:
    prompts = np.array([7, 3, 7, 5])
    assert units_of([1, 2, 3, 0], prompts).tolist() == [0, 1, 2, 1]
    assert units_of([4, 9, 4], None).tolist() == [0, 1, 0]
    assert units_of([], prompts).tolist() == []


def test_the_same_pair_four_times_tells_no_more_than_once() -> None:
    left, right = crossed(20, 6, 8, 46)
    once = agreement_table({"a": left, "b": right}, [INSULT], np.random.default_rng(1), 300)
    four = [
        table.loc[table.index.repeat(4)].assign(
            row_id=lambda own: own["row_id"] * 4 + np.tile(np.arange(4), len(own) // 4)
        )
        for table in (left, right)
    ]
    found = agreement_table(
        dict(zip("ab", four, strict=True)),
        [INSULT],
        np.random.default_rng(1),
        300,
        prompts=np.arange(160) // 4,
    )
    ends = ["coefficient", "low", "high", "ac1", "ac1_low", "ac1_high"]
    assert found.loc[0, ends].tolist() == pytest.approx(once.loc[0, ends].tolist())
    by_pair = agreement_table(
        dict(zip("ab", four, strict=True)), [INSULT], np.random.default_rng(1), 300
    )
    assert by_pair["high"][0] - by_pair["low"][0] < 0.6 * (once["high"][0] - once["low"][0])
    # As many units as before, each four times as large.
    assert (found["n"][0], once["n"][0]) == (320, 80)
    assert found["share_effective_n"][0] == pytest.approx(once["share_effective_n"][0], abs=1)


def test_kappa_of_four_pairs_a_prompt_holds_the_truth_as_often_as_it_says() -> None:
    """Two people say the same in 70% of pairs, in some prompts more often: correlation .3.

    Either side is as likely, so that kappa is 2 * .7 - 1 = .4.
    """
    generator, draws, plain, widened = np.random.default_rng(6), 300, 0, 0
    scale = 1 / 0.3 - 1
    prompts = np.arange(240) // 4
    for _ in range(draws):
        alike = generator.beta(0.7 * scale, 0.3 * scale, 60)[prompts]
        ours = generator.random(240) < 0.5
        theirs = ours ^ (generator.random(240) >= alike)
        people = {
            name: {row: CHOICES[int(side)] for row, side in enumerate(sides)}
            for name, sides in (("Ada", ours), ("Bob", theirs))
        }
        for groups in (None, prompts):
            table = choice_agreement(people, CHOICES, generator, 300, prompts=groups)
            row = table.iloc[0]
            inside = int(row["low"] <= 0.4 <= row["high"])
            if groups is None:
                plain += inside
            else:
                widened += inside
    assert plain / draws < 0.9
    assert 0.92 < widened / draws < 0.98


def test_reviews_of_repeated_prompts_say_as_if_n(data_dir: Path, tmp_path: Path) -> None:
    """25 prompts of four pairs; Ada meets the choice in all pairs of 18 of them, else in none."""
    path = made_runs.write_rows(
        tmp_path / "repeated.jsonl",
        [
            {
                "chosen": f"\n\nHuman: Question {row // 4}\n\nAssistant: Yes {row}",
                "rejected": f"\n\nHuman: Question {row // 4}\n\nAssistant: No {row}",
            }
            for row in range(100)
        ],
    )
    made_runs.finished(data_dir, made_runs.spec_of_file(path))
    dataset = datasets.find(DatasetRequest(source=str(path)))
    assert dataset is not None
    said = Said(data_dir, dataset.fingerprint)
    queue = said.pairs(100)
    said.choose(queue, "Ada", {row: MET[row // 4 % 4 > 0] for row in range(100)})
    # Pairs of a prompt are the same: (4 * 25/24) / (100/99) = 4.125, and 100 / 4.125 = 24.2.
    wide = wilson(72, 100, design=4.125)
    assert wide is not None and interval(wide) == "[52, 86]"
    found = {one.who.kind: one for one in choices_beside(dataset, used_opinions(dataset))}
    told = "agree on 72 of 100 pairs (72% [52, 86]; prompts repeat: as if n = 24)."
    assert found["choice"].sentence.endswith(told)
    best = ceiling_of(dataset)
    assert best is not None
    assert (best.agreed.low, best.agreed.high) == pytest.approx((wide.low, wide.high))
    assert best.low == pytest.approx((1 + (2 * wide.low - 1) ** 0.5) / 2)
    assert "in 72% [52, 86] (prompts repeat: as if n = 24). It assumes" in best.sentence
    said.choose(queue, "Bob", dict.fromkeys(range(40), "chosen"))
    # Three of ten prompts: (4 * 10/9) / (40/39) = 4.33, and 40 / 4.33 = 9.2.
    fewer = wilson(28, 40, design=13 / 3)
    assert fewer is not None
    assert pairs_sentence(used_opinions(dataset)).startswith(
        "Two people gave the same answer in 28 of 40 pairs (70%"
        f" {interval(fewer)}; prompts repeat: as if n = 9)."
    )
    texts = [TextKey(row, "chosen") for row in range(100)]
    answers = {
        "Ada": {text: {REFUSAL: text.row_id // 4 % 4 > 0} for text in texts},
        "Bob": {text: {REFUSAL: True} for text in texts},
    }
    used = replace(used_opinions(dataset), texts=answers)
    (cell,) = (one for one in cells_beside(dataset, used) if one.who.name == "Ada")
    assert "72 of 100 texts (72% [52, 86]; texts share prompts: as if n = 24)" in cell_sentence(
        cell
    )
    assert cell_agreement(cell)["share_low"] == pytest.approx(wide.low)
