"""What the adapter lets a tiny model read: truncation, chat templates, padding, BOS."""

from __future__ import annotations

import json

import pytest
import torch
from given.tiny_models import (
    CHATML_WITH_BOS,
    ask,
    load,
    plain_score,
    tiny_deberta,
    tiny_electra,
    tiny_qwen3,
)
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from ivan_core.backends.reward_models.tokens import NoInput, token_rows
from ivan_core.domain.models import Reward
from ivan_core.domain.transcripts import Dialogue

torch.set_num_threads(1)

NO, BREAD = ask("no"), ask("knead the dough well and wait an hour")
TOO_LONG = ask("thank you", question="old " * 600 + "new question")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("models")
    return {
        "deberta": tiny_deberta(home / "deberta"),
        "electra": tiny_electra(home / "electra"),
        "qwen3": tiny_qwen3(home / "qwen3"),
    }


@pytest.fixture(scope="module")
def electra(folders):
    return load(folders["electra"])


def rows_of(model, dialogues):
    return token_rows(dialogues, model._tokenizer, model._rules)


# Truncation


def test_the_limit_is_the_smallest_of_tokenizer_config_and_user(folders, tmp_path):
    folder = tiny_deberta(tmp_path / "tokenizer-says-100")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"model_max_length": 100}))
    assert load(folders["deberta"]).card.max_tokens == 512
    assert load(folders["deberta"], max_tokens=64).card.max_tokens == 64
    assert load(folders["deberta"], max_tokens=9000).card.max_tokens == 512
    assert load(folder).card.max_tokens == 100


def test_a_long_question_loses_its_oldest_tokens_as_truncation_from_the_left_does(folders, electra):
    tokenizer = AutoTokenizer.from_pretrained(folders["electra"], truncation_side="left")
    expected = tokenizer(*TOO_LONG.split_last_reply(), truncation="only_first", max_length=512)
    row = rows_of(electra, [TOO_LONG])[0]
    assert row.ids == expected["input_ids"]
    assert row.types == expected["token_type_ids"]
    assert row.truncated


def test_a_reply_too_long_by_itself_keeps_its_head(electra):
    row = rows_of(electra, [ask("one two " + "ten " * 600)])[0]
    # [CLS], no question, [SEP], 509 tokens of the reply, [SEP]
    assert electra._tokenizer.convert_ids_to_tokens(row.ids)[:4] == ["[CLS]", "[SEP]", "one", "two"]
    assert (len(row.ids), row.truncated) == (512, True)


@pytest.mark.parametrize("name", ["deberta", "electra", "qwen3"])
def test_truncated_rewards_are_flagged_and_the_others_are_not(folders, name):
    model = load(folders[name])
    limit = model.card.max_tokens
    rewards = model.score([NO, ask("no", "old " * limit), ask("ten " * limit)])
    assert [reward.truncated for reward in rewards] == [False, True, True]
    assert all(reward.value is not None for reward in rewards)


def test_the_oldest_context_does_not_change_a_truncated_score(electra):
    other = Dialogue(TOO_LONG.text.replace("Human: old", "Human: first", 1))
    first, second = electra.score([TOO_LONG, other])
    assert first == second


def test_a_chat_past_the_limit_keeps_its_newest_tokens(folders):
    chat = load(folders["qwen3"], max_tokens=40)
    whole = load(folders["qwen3"])
    dialogue = ask("thank you", "old " * 60)
    shortened, row = rows_of(chat, [dialogue])[0], rows_of(whole, [dialogue])[0]
    assert shortened.ids == row.ids[-40:]
    assert (shortened.truncated, row.truncated) == (True, False)


def test_as_published_is_never_shortened(folders):
    published = load(folders["deberta"], input_format="as-published")
    question, answer = TOO_LONG.text.split("Assistant:")
    expected = plain_score(folders["deberta"], question, "Assistant:" + answer)
    assert published.card.max_tokens is None
    assert published.score([TOO_LONG]) == [Reward(pytest.approx(expected, abs=1e-4))]


def test_as_published_past_the_table_of_positions_fails_alone(folders):
    published = load(folders["electra"], input_format="as-published")
    rewards = published.score([TOO_LONG, NO])
    assert "at most 512" in rewards[0].failure
    assert rewards[1].value is not None


# Chat models


def test_a_chat_model_reads_its_score_at_the_last_token_though_padding_ends_texts(folders):
    # One text, no padding: the score head at the last token's hidden state.
    tokenizer = AutoTokenizer.from_pretrained(folders["qwen3"])
    plain = AutoModelForSequenceClassification.from_pretrained(folders["qwen3"]).eval()
    text = "<|im_start|>user\nhow do i bake bread?<|im_end|>\n<|im_start|>assistant\nno<|im_end|>\n"
    with torch.no_grad():
        hidden = plain.model(**tokenizer(text, return_tensors="pt")).last_hidden_state
        expected = plain.score(hidden[0, -1]).item()
    found = load(folders["qwen3"]).score([NO, BREAD])[0].value
    assert found == pytest.approx(expected, abs=1e-5)


ROLES = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
REFUSES = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}" + ROLES
LEAVES_OUT = ROLES.replace(" %}{{ m", " if m['role'] != 'system' %}{{ m", 1)
SYSTEM = Dialogue.of_messages([("System", "be kind"), ("Human", "go"), ("Assistant", " no\n")])


def test_a_system_turn_and_white_space_reach_the_template_as_they_are(folders):
    model = load(folders["qwen3"])
    read = model._tokenizer.decode(rows_of(model, [SYSTEM])[0].ids)
    turns = ("system\nbe kind", "user\ngo", "assistant\n no\n")
    assert read == "".join(f"<|im_start|>{turn}<|im_end|>\n" for turn in turns)


@pytest.mark.parametrize("template", [REFUSES, LEAVES_OUT], ids=["refuses", "leaves out"])
def test_a_template_without_system_turns_says_so_and_reads_the_rest_if_asked(tmp_path, template):
    folder = tiny_qwen3(tmp_path, template=template)
    kept, dropped = (load(folder, system=it) for it in ("keep", "drop"))
    reward = kept.score([SYSTEM, NO])[0]
    assert reward.value is None
    assert "takes no system turn: compare once more with system turns dropped" in reward.failure
    assert dropped.score([SYSTEM]) == kept.score([SYSTEM.without_system])
    assert dropped.card.cache_identity == f"{kept.card.cache_identity}|without system turns"


def test_a_pair_model_reads_the_system_turn_as_it_is_printed(folders):
    expected = plain_score(folders["deberta"], "System: be kind\n\nHuman: go", "no")
    model = load(folders["deberta"])
    assert model.score([SYSTEM]) == [Reward(pytest.approx(expected, abs=1e-4))]
    without = load(folders["deberta"], system="drop")
    expected = plain_score(folders["deberta"], "Human: go", "no")
    assert without.score([SYSTEM]) == [Reward(pytest.approx(expected, abs=1e-4))]


def test_a_text_that_ends_in_the_padding_token_is_still_read_to_its_end(tmp_path):
    template = "{% for m in messages %}{{ m['content'] }}<|im_end|>{% endfor %}"
    folder = tiny_qwen3(tmp_path, template=template)
    plain = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    ids = AutoTokenizer.from_pretrained(folder)(
        "how do i bake bread?<|im_end|>no<|im_end|>", return_tensors="pt"
    )
    with torch.no_grad():
        expected = plain.score(plain.model(**ids).last_hidden_state[0, -1]).item()
        trapped = plain(**ids).logits[0, 0].item()
    found = load(folder).score([NO])[0].value
    assert found == pytest.approx(expected, abs=1e-5)
    assert abs(found - trapped) > 1e-3  # What the plain model gives: the score at another token.


@pytest.mark.parametrize("pad", [None, "<|im_end|>"])
def test_a_missing_or_used_padding_token_is_replaced_by_an_unused_one(tmp_path, pad):
    chat = load(tiny_qwen3(tmp_path, pad=pad))
    padding = chat._rules.pad_id
    assert padding == chat._tokenizer.pad_token_id == chat._model.config.pad_token_id
    assert padding != chat._tokenizer.eos_token_id
    assert all(padding not in row.ids for row in rows_of(chat, [NO, BREAD]))


def test_padding_with_the_token_that_the_template_ends_turns_with_is_replaced(tmp_path):
    # As in some Llama tokenizers: the end of a text is one token, the end of a turn is padding.
    template = "{% for m in messages %}{{ m['content'] }}<|endoftext|>{% endfor %}"
    folder = tiny_qwen3(tmp_path, pad="<|endoftext|>", template=template)
    plain = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    ids = AutoTokenizer.from_pretrained(folder)(
        "how do i bake bread?<|endoftext|>no<|endoftext|>", return_tensors="pt"
    )
    with torch.no_grad():
        expected = plain.score(plain.model(**ids).last_hidden_state[0, -1]).item()
    chat = load(folder)
    assert chat._tokenizer.pad_token == "<|ivan-pad|>"
    assert chat.score([NO])[0].value == pytest.approx(expected, abs=1e-5)


def test_a_padding_token_of_its_own_is_kept(tmp_path):
    chat = load(tiny_qwen3(tmp_path, pad="<|endoftext|>"))
    assert chat._tokenizer.pad_token == "<|endoftext|>"


def test_the_beginning_of_text_stands_once(tmp_path):
    chat = load(tiny_qwen3(tmp_path, template=CHATML_WITH_BOS))
    ids = rows_of(chat, [NO])[0].ids
    assert (ids[0], ids.count(chat._tokenizer.bos_token_id)) == (chat._tokenizer.bos_token_id, 1)


def test_the_beginning_of_text_survives_truncation(tmp_path):
    folder = tiny_qwen3(tmp_path, template=CHATML_WITH_BOS)
    chat = load(folder, max_tokens=20)
    ids = rows_of(chat, [ask("no", "old " * 60)])[0].ids
    assert (len(ids), ids[0]) == (20, chat._tokenizer.bos_token_id)


def test_a_dialogue_that_the_template_refuses_fails_alone(tmp_path):
    strict = "{% if messages|length > 2 %}{{ raise_exception('one turn only') }}{% endif %}x"
    chat = load(tiny_qwen3(tmp_path, template=strict))
    rows = rows_of(chat, [Dialogue("\n\nHuman: yes" + NO.text), NO])
    assert isinstance(rows[0], NoInput) and "one turn only" in rows[0].reason
    assert not isinstance(rows[1], NoInput)
