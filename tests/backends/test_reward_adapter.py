"""The transformers adapter on tiny models: scores, failures, cards and tuning."""

from __future__ import annotations

import math
from time import process_time

import pytest
import torch
from given.tiny_models import ask, load, plain_score, tiny_deberta, tiny_electra, tiny_qwen3
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from ivan_core.backends.reward_models import tuning
from ivan_core.backends.reward_models.probes import same_verdicts
from ivan_core.backends.reward_models.scoring import TransformersRewardModel
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.transcripts import Dialogue

torch.set_num_threads(1)

KNEAD = "knead the dough well and wait an hour "


SHORT = [ask("no"), ask(""), ask("yes of course"), ask(KNEAD * 3), ask(KNEAD * 9), ask("Où? 東京")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("models")
    return {
        "deberta": tiny_deberta(home / "deberta"),
        "electra": tiny_electra(home / "electra"),
        "qwen3": tiny_qwen3(home / "qwen3"),
    }


@pytest.fixture(scope="module", params=["deberta", "electra", "qwen3"])
def model(request, folders) -> TransformersRewardModel:
    return load(folders[request.param])


@pytest.fixture(scope="module")
def deberta(folders):
    return load(folders["deberta"])


def values(rewards: list[Reward]) -> list[float]:
    return [reward.value for reward in rewards]


# Scores


def test_a_pair_model_scores_as_the_model_card_does(folders, deberta):
    expected = plain_score(folders["deberta"], "Human: how do i bake bread?", "yes of course")
    assert deberta.score([ask("yes of course")])[0].value == pytest.approx(expected, abs=1e-5)


def test_an_empty_reply_is_scored(folders, deberta):
    expected = plain_score(folders["deberta"], "Human: how do i bake bread?", "")
    assert deberta.score([ask("")])[0].value == pytest.approx(expected, abs=1e-5)


def test_rewards_do_not_depend_on_the_batch(model):
    alone = [model.score([dialogue])[0].value for dialogue in SHORT]
    for budget in (0, 64, 512, 4096):
        model.tune(SHORT, known=budget)
        assert values(model.score(SHORT)) == pytest.approx(alone, abs=1e-4)


def test_rewards_stand_in_the_order_of_the_texts(model):
    assert values(model.score(SHORT[::-1])) == pytest.approx(
        values(model.score(SHORT))[::-1], abs=1e-4
    )


def test_rewards_are_float32_values(deberta):
    value = deberta.score(SHORT[:1])[0].value
    assert value == torch.tensor(value, dtype=torch.float32).item()


def test_no_texts_give_no_rewards(deberta):
    assert deberta.score([]) == []


def test_progress_counts_every_text_once(deberta):
    seen: list[int] = []
    deberta.score([*SHORT, Dialogue("no turn"), ask("no", "old " * 600)], progress=seen.append)
    assert sum(seen) == len(SHORT) + 2


def test_two_labelled_logits_give_their_difference(tmp_path):
    folder = tiny_deberta(tmp_path, labels={0: "rejected", 1: "chosen"})
    tokens = AutoTokenizer.from_pretrained(folder)("Human: hello", "thank you", return_tensors="pt")
    plain = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    rejected, chosen = plain(**tokens).logits[0].tolist()
    found = load(folder).score([ask("thank you", "hello")])[0].value
    assert found == pytest.approx(chosen - rejected, abs=1e-5)


# Failures of single texts


def test_a_text_without_a_reply_fails_alone(model):
    rewards = model.score([SHORT[0], Dialogue("\n\nHuman: hello"), SHORT[2]])
    assert rewards[1] == Reward(None, failure="the text has no Assistant turn")
    assert None not in (rewards[0].value, rewards[2].value)


def test_half_a_character_fails_alone(model):
    rewards = model.score([SHORT[0], ask("half \ud800"), SHORT[2]])
    assert [reward.value is None for reward in rewards] == [False, True, False]
    assert "surrogate" in rewards[1].failure


def test_a_score_that_is_not_a_number_is_a_failure(folders):
    broken = load(folders["deberta"])
    broken._model.classifier.bias.data.fill_(math.nan)
    assert broken.score(SHORT[:1])[0].value is None


def test_a_text_on_which_the_model_fails_does_not_take_its_batch_along(folders):
    fragile = load(folders["deberta"])
    forward = fragile._runner.forward

    def fails_past_60_tokens(rows):
        if any(len(row.ids) > 60 for row in rows):
            raise RuntimeError("too much for me\nsecond line")
        return forward(rows)

    fragile._runner.forward = fails_past_60_tokens
    fragile.tune(SHORT, known=4096)
    rewards = fragile.score(SHORT)
    assert rewards[4] == Reward(None, failure="the model failed on the text: too much for me")
    assert all(reward.value is not None for i, reward in enumerate(rewards) if i != 4)


def test_a_batch_too_large_for_the_memory_is_halved_and_later_batches_with_it(folders):
    small = load(folders["deberta"])
    forward, sizes = small._runner.forward, []

    def holds_two(rows):
        sizes.append(len(rows))
        if len(rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(rows)

    small._runner.forward = holds_two
    small.tune(SHORT, known=10_000)
    alike = [ask(f"{number} of course") for number in ("one", "two", "six", "ten", *"abcd")]
    assert all(reward.value is not None for reward in small.score(alike))
    assert sizes == [8, 4, 2, 2, 2, 2]  # The second four are not tried whole again.


def test_a_text_that_holds_the_padding_token_fails(folders):
    padded = load(folders["electra"])
    assert "padding token" in padded.score([ask("yes [PAD] no")])[0].failure


def test_a_token_past_the_vocabulary_fails_before_it_reaches_the_model(folders):
    odd = load(folders["electra"])
    odd._tokenizer.add_tokens(["brioche"])
    rewards = odd.score([ask("brioche"), ask("bread")])
    assert "does not know" in rewards[0].failure
    assert rewards[1].value is not None


# Cards, options and tuning


def test_the_card_records_what_decides_a_score(folders):
    known = ModelCard(id="tiny", licence="MIT", trained_on_hh=True, note="From the catalog.")
    card = load(folders["qwen3"], card=known).card
    assert (card.id, card.licence, card.trained_on_hh) == ("tiny", "MIT", True)
    assert (card.input_format, card.input_format_guessed) == ("chat", True)
    assert (card.max_tokens, card.dtype, card.device) == (1024, "float32", "cpu")
    assert card.revision.startswith("sha256:") and len(card.template_hash) == 32
    assert card.parameters > 10_000


def test_formats_never_share_a_cache_identity(folders):
    formats = ("last-turn", "openassistant", "as-published")
    cards = [load(folders["deberta"], input_format=f).card for f in formats]
    assert len({card.cache_identity for card in cards}) == 3
    assert not any(card.input_format_guessed for card in cards)


@pytest.mark.parametrize(
    "options",
    [
        {"input_format": "reply"},
        {"input_format": "chat"},
        {"input_format": "as-published", "max_tokens": 512},
        {"max_tokens": 3},
    ],
)
def test_options_that_do_not_fit_a_pair_model_are_refused(folders, options):
    with pytest.raises(BadInput) as caught:
        load(folders["deberta"], **options)
    assert caught.value.hint


def test_a_known_budget_is_taken_as_it_is(deberta):
    assert deberta.tune(SHORT, known=777) == 777
    assert deberta.tune(SHORT, known=0) == 0


def test_tuning_chooses_one_of_the_budgets_and_stays_short(deberta):
    start = process_time()
    assert deberta.tune(SHORT * 10) in (0, 512, 1024, 2048, 4096)
    assert process_time() - start < 6


def test_a_slow_model_is_not_measured_for_long(folders, monkeypatch):
    slow = load(folders["deberta"])
    forwards = []
    monkeypatch.setattr(tuning, "timed", lambda score, rows, budget: forwards.append(rows) or 1.0)
    assert (slow.tune(SHORT * 10), len(forwards)) == (512, 2)


def test_tuning_on_nothing_readable_keeps_a_usable_budget(folders):
    fresh = load(folders["deberta"])
    assert fresh.tune([Dialogue("no turn")]) > 0


# The packed path's check


def test_verdicts_that_differ_by_noise_alone_are_the_same():
    assert same_verdicts([1.0, 1.001, 2.0], [1.001, 1.0, 2.002], 0.002)


def test_verdicts_that_differ_are_told_apart():
    assert not same_verdicts([1.0, 1.5], [1.5, 1.0], 0.002)


def test_scores_that_are_not_numbers_are_not_the_same_verdicts():
    assert not same_verdicts([1.0, 1.5], [math.nan, 1.5], 0.002)
