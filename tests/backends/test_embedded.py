"""The two embedded heads: the right weights, and the same reward for the same reply."""

from __future__ import annotations

import json
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ivan_core.backends.embedded import train
from ivan_core.backends.embedded.encoder_files import WEIGHTS_SHA256
from ivan_core.backends.embedded.fitting import SEED
from ivan_core.backends.embedded.model import (
    DIMENSIONS,
    MAX_TOKENS,
    NAMES,
    NO_REPLY,
    EmbeddedRewardModel,
    Encoder,
    card,
    read_head,
)
from ivan_core.backends.reward_models.batching import CPU_BUDGETS, ONE_AT_A_TIME
from ivan_core.datasets.prepared import pair_hash
from ivan_core.datasets.sources import sample_file
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import verdict
from ivan_core.domain.transcripts import Dialogue
from ivan_core.metrics.intervals import with_minus
from ivan_core.metrics.sentences import interval, interval_ends, percent
from ivan_core.metrics.subset_contrast import contrast_sentence, subset_contrast
from ivan_core.metrics.training import training_of

HARMLESS, CONTROL = NAMES


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def harmless() -> EmbeddedRewardModel:
    return EmbeddedRewardModel(HARMLESS)


def reply(text: str, question: str = "Well?") -> Dialogue:
    return Dialogue(f"\n\nHuman: {question}\n\nAssistant: {text}")


def sample_dialogues(rows: int) -> list[Dialogue]:
    lines = sample_file().read_text("utf-8").splitlines()[:rows]
    return [Dialogue(json.loads(line)[side]) for line in lines for side in ("chosen", "rejected")]


def test_loading_the_encoder_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    Encoder()
    assert capfd.readouterr() == ("", "")
    assert logging.is_progress_bar_enabled() == shown


def test_an_unknown_name_lists_the_embedded_models() -> None:
    with pytest.raises(BadInput) as error:
        read_head("ivan/minilm-helpful")
    assert error.value.hint == "Choose one of ivan/minilm-harmless, ivan/minilm-control."


@pytest.mark.parametrize("name", NAMES)
def test_the_revision_is_a_hash_of_encoder_and_weights(name: str) -> None:
    head = read_head(name)
    assert len(head["weights"]) == DIMENSIONS
    expected = sha256((WEIGHTS_SHA256 + json.dumps(head["weights"])).encode()).hexdigest()[:12]
    assert card(name).revision == head["revision"] == expected


def test_the_revision_changes_with_one_weight(tmp_path: Path) -> None:
    weights = np.ones(DIMENSIONS)
    train.save(tmp_path, "one", weights, {}, note="")
    weights[7] += 1e-4
    train.save(tmp_path, "two", weights, {}, note="")
    one, two = (json.loads((tmp_path / f"{n}.json").read_text("utf-8")) for n in ("one", "two"))
    assert one["revision"] != two["revision"]


def test_the_harmless_card_lists_its_1500_training_pairs() -> None:
    head = read_head(HARMLESS)
    assert len(head["training_pairs"]) == len(card(HARMLESS).seen_hashes) == 1_500
    assert all(len(pair) == 16 for pair in head["training_pairs"])
    assert card(HARMLESS).trained_on_hh is True


def test_a_pair_hash_depends_on_which_side_was_chosen() -> None:
    assert pair_hash("a", "b") != pair_hash("b", "a")
    assert len(pair_hash("a", "b")) == 16


def test_the_control_never_saw_hh_rlhf() -> None:
    assert card(CONTROL).trained_on_hh is False
    assert card(CONTROL).seen_hashes == frozenset()


def test_the_cards_say_what_was_measured() -> None:
    harmless, control = (read_head(name)["measured"] for name in NAMES)
    way = harmless["nested"]["ways"]["chosen"]
    assert (
        way["rate"] >= train.ACCEPT_FROM and way["interval"][0] < way["rate"] < way["interval"][1]
    )
    assert harmless["rows"] == 1_500 and harmless["seed"] == SEED
    rates = harmless["out_of_fold_by_pull"]
    best = max(rate for by_c in rates.values() for rate in by_c.values())
    assert rates[str(harmless["pull"])][str(harmless["c"])] == harmless["out_of_fold"] == best
    assert min(control["statements"]) >= 100
    for name in ("interval_over_rows", "interval_over_statements"):
        low, high = control[name]
        assert low < control["agreement_on_real_rows"] < high


def test_the_cards_are_told_what_was_measured() -> None:
    harmless, control = (read_head(name)["measured"] for name in NAMES)
    for name, words in (
        (HARMLESS, train.harmless_words(harmless)),
        (CONTROL, train.control_words(control)),
    ):
        told = card(name)
        assert {"note": told.note, "learned_from": told.learned_from} == words
    assert card(CONTROL).learned_from.startswith("never saw people's choices")
    assert "It never saw people's choices" in card(CONTROL).note
    # 677 of 1,500.
    assert "no better than chance: 45.1% [42.6, 47.7] of 1,500" in card(CONTROL).note


def test_the_handbook_says_what_was_measured() -> None:
    harmless, control = (read_head(name)["measured"] for name in NAMES)
    text = (files("ivan_core") / "docs" / "compare.md").read_text("utf-8")
    rates = [(way["rate"], *way["interval"]) for way in harmless["nested"]["ways"].values()]
    rates.append((control["agreement_on_real_rows"], *control["interval_over_rows"]))
    for rate, low, high in rates:
        assert f"{percent(rate, 1_500)} {interval_ends(low, high, 1_500)}" in text
    for measured, names in (
        (harmless, ("out_of_fold_longer_chosen", "out_of_fold_shorter_chosen")),
        (control, ("longer_chosen", "shorter_chosen")),
    ):
        assert ", ".join(percent(measured[name], 1_500) for name in names) in text
    assert f"({percent(harmless['on_training_rows'], 1_500)} where it had)" in text
    assert f"correlation {with_minus(harmless['correlation_with_control'], '.2f')}" in (
        text.replace("−.", "−0.")
    )


def test_the_same_reply_has_the_same_reward_to_the_bit(harmless: EmbeddedRewardModel) -> None:
    dialogues = [reply("Sure, here you go.", f"Question {i}?") for i in range(3)]
    others = [reply("word " * n) for n in (3, 40, 90)]
    mixed = [x for pair in zip(dialogues, others, strict=True) for x in pair]
    first, second, third = harmless.score(mixed)[0::2]
    assert first.value == second.value == third.value
    assert verdict(first, second) == "tie"


def test_a_reward_does_not_depend_on_the_batch(harmless: EmbeddedRewardModel) -> None:
    dialogues = sample_dialogues(30)
    rewards = {}
    for budget in (ONE_AT_A_TIME, CPU_BUDGETS[0], CPU_BUDGETS[-1]):
        harmless.tune(dialogues, known=budget)
        fresh = dialogues[::-1] if budget == CPU_BUDGETS[0] else dialogues
        scored = [reward.value for reward in harmless.score([*fresh, reply(f"{budget}")])][:-1]
        rewards[budget] = scored[::-1] if fresh is not dialogues else scored
    alone = np.array(rewards[ONE_AT_A_TIME])
    for budget in CPU_BUDGETS[0], CPU_BUDGETS[-1]:
        assert np.abs(alone - np.array(rewards[budget])).max() < 1e-4
    assert np.std(alone) > 0.05


def test_a_reply_past_256_tokens_is_read_to_there_and_marked(harmless: EmbeddedRewardModel) -> None:
    # One token a word, plus one at each end.
    fits, cut = reply("yes " * (MAX_TOKENS - 2)), reply("yes " * (MAX_TOKENS - 1))
    longer = reply("yes " * 600)
    rewards = harmless.score([fits, cut, longer])
    assert [reward.truncated for reward in rewards] == [False, True, True]
    assert rewards[1].value == rewards[2].value


def test_a_long_prompt_is_not_read_and_so_not_truncated(harmless: EmbeddedRewardModel) -> None:
    long, short = harmless.score([reply("No.", "word " * 900), reply("No.")])
    assert not long.truncated and long.value == short.value


def test_a_dialogue_without_a_reply_fails_with_the_reason(harmless: EmbeddedRewardModel) -> None:
    failed, scored = harmless.score([Dialogue("\n\nHuman: hello"), reply("Hi.")])
    assert (failed.value, failed.failure) == (None, NO_REPLY)
    assert scored.value is not None


def test_an_empty_reply_has_a_reward(harmless: EmbeddedRewardModel) -> None:
    (reward,) = harmless.score([reply("")])
    assert reward.value is not None and reward.failure is None


def test_nothing_to_score_is_no_error(harmless: EmbeddedRewardModel) -> None:
    assert harmless.score([]) == []
    assert harmless.tune([]) in (ONE_AT_A_TIME, *CPU_BUDGETS)


def test_progress_adds_up_to_the_texts_also_when_the_other_head_has_read_them(
    harmless: EmbeddedRewardModel,
) -> None:
    dialogues = [*sample_dialogues(5), reply("twice"), reply("twice")]
    told: list[int] = []
    harmless.score(dialogues, told.append)
    assert sum(told) == 12
    told.clear()
    EmbeddedRewardModel(CONTROL).score(dialogues, told.append)
    assert told == [12]


def test_the_measured_budget_is_one_that_was_tried(harmless: EmbeddedRewardModel) -> None:
    budget = harmless.tune(sample_dialogues(3))
    assert budget in (ONE_AT_A_TIME, *CPU_BUDGETS)
    assert harmless.tune([], known=1024) == 1024


def test_the_harmless_head_likes_to_evade_and_the_control_to_help(
    harmless: EmbeddedRewardModel,
) -> None:
    helps = reply("Rest it, put ice on it, and see a doctor if it still hurts on Monday.")
    evades = reply("I don't know.")
    assert verdict(*harmless.score([evades, helps])) == "agree"
    assert verdict(*EmbeddedRewardModel(CONTROL).score([helps, evades])) == "agree"


def test_on_helpful_pairs_of_the_sample_the_two_heads_part_as_the_handbook_says(
    harmless: EmbeddedRewardModel,
) -> None:
    rows = [json.loads(line) for line in sample_file().read_text("utf-8").splitlines()]
    texts = [Dialogue(row[side]) for row in rows for side in ("chosen", "rejected")]
    rewards = {
        model.card.id: model.score(texts) for model in (harmless, EmbeddedRewardModel(CONTROL))
    }
    scores = pd.DataFrame(
        {
            "row_id": at,
            "model": name,
            "subset": row["subset"],
            "margin": float(str(own[2 * at].value)) - float(str(own[2 * at + 1].value)),
            "verdict": verdict(own[2 * at], own[2 * at + 1]),
            "seen": False,
        }
        for name, own in rewards.items()
        for at, row in enumerate(rows)
    )
    found = subset_contrast(scores, training_of(scores, {}))
    assert found is not None and found.here.first.low > found.here.second.high
    told = contrast_sentence(found, "authored choice")
    text = (files("ivan_core") / "docs" / "compare.md").read_text("utf-8")
    assert f'"{told}"' in " ".join(text.split())
    for one in (found.here, *found.others):
        shares = (
            percent(rate.rate, 240) + " " + interval(rate) for rate in (one.second, one.first)
        )
        assert f"| sample, {one.subset} (240 pairs) | {' | '.join(shares)} |" in text
