"""Scores of the three engines as they are: the raw logits, in order, each text once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.served.server import FakeServed, logit_of
from fakes.served.sglang import FakeSGLang
from fakes.served.tei import FakeTEI
from fakes.served.vllm import FakeVLLM
from given.tiny_models import ask, tiny_deberta, tiny_qwen3

from ivan_core.backends.served import tokenizer
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.models import ModelElsewhere, Reward
from ivan_core.domain.transcripts import Dialogue
from ivan_core.models import reward_models

TEXTS = [ask(reply) for reply in ("no", "yes of course", "knead the dough", "wait an hour well")]


def values(rewards: list[Reward]) -> list[float | None]:
    return [reward.value for reward in rewards]


def test_scores_are_the_raw_logits_in_the_order_of_the_texts(served: FakeServed) -> None:
    model = reward_models.make(served.url)
    served.read.clear()
    found = values(model.score(TEXTS))
    assert len(set(found)) == len(TEXTS)
    assert sorted(map(logit_of, served.read)) == sorted(found)
    assert values(model.score(TEXTS[::-1])) == found[::-1]
    assert isinstance(model, ModelElsewhere)


def test_texts_may_be_read_before_they_are_scored(served: FakeServed) -> None:
    model = reward_models.make(served.url)
    seen: list[int] = []
    read = model.read([*TEXTS, Dialogue("no turn")])
    rewards = model.score_read(read, seen.append)
    assert rewards[:-1] == model.score(TEXTS)
    assert rewards[-1] == Reward(None, failure="the text has no Assistant turn")
    assert sum(seen) == 5


def test_the_ids_sent_are_those_of_a_model_here(vllm: FakeVLLM, chat_folder: Path) -> None:
    from transformers import AutoTokenizer

    model = reward_models.make(vllm.url)
    vllm.read.clear()
    model.score(TEXTS[:1])
    written = (
        "<|im_start|>user\nhow do i bake bread?<|im_end|>\n<|im_start|>assistant\nno<|im_end|>\n"
    )
    tokenizer = AutoTokenizer.from_pretrained(chat_folder)
    assert vllm.read == [tuple(tokenizer(written)["input_ids"])]


def test_requests_hold_at_most_so_many_texts_and_every_text_is_sent_once(vllm: FakeVLLM) -> None:
    model = reward_models.make(vllm.url)
    vllm.read.clear()
    before = len(vllm.came)
    many = [ask(f"number {number}") for number in range(70)]
    found = values(model.score(many))
    assert len(vllm.came) - before == 3  # 32, 32 and 6
    assert len(vllm.read) == len(set(vllm.read)) == 70
    assert sorted(found) == sorted(map(logit_of, vllm.read))


def test_one_text_a_request_gives_the_same(vllm: FakeVLLM) -> None:
    model = reward_models.make(vllm.url)
    together = model.score(TEXTS)
    assert model.tune(TEXTS, 0) == 1
    before = len(vllm.came)
    assert model.score(TEXTS) == together
    assert len(vllm.came) - before == 4


def test_a_long_text_is_cut_here_and_marked(served: FakeServed) -> None:
    served.limit = 60
    model = reward_models.make(served.url)
    short, long = model.score([ask("no"), ask("no", "old " * 400)])
    assert (short.truncated, long.truncated) == (False, True)
    assert long.failure is None
    assert all(len(text) <= 60 for text in served.read if isinstance(text[0], int))


def test_texts_for_a_server_are_cut_where_their_tokens_would_be(tei: FakeTEI) -> None:
    tei.limit = 24
    model = reward_models.make(tei.url)
    tei.read.clear()
    model.score([ask("yes of course", "first " + "old " * 60 + "new bread"), ask("no " * 40, "hi")])
    kept, headless = tei.read
    assert kept[1] == "yes of course" and str(kept[0]).endswith("new bread")
    assert "first" not in str(kept[0])
    # No room for the question: the reply keeps its head, between the three marks of the tokenizer.
    assert headless == ("", " ".join(["no"] * 21))


def test_a_format_that_cuts_nothing_fails_the_text(vllm: FakeVLLM) -> None:
    vllm.limit = 130
    model = reward_models.make(vllm.url, input_format="as-published")
    (reward,) = model.score([ask("no", "old " * 400)])
    assert reward.value is None and "does not shorten texts" in (reward.failure or "")


def test_of_two_logits_the_difference_counts_by_the_names_of_the_labels(
    vllm: FakeVLLM, tei: FakeTEI, on_hub: Callable[[Path], str], tmp_path: Path
) -> None:
    folder = tiny_qwen3(tmp_path / "q")
    config = folder / "config.json"
    # Names of the transformers library tell nothing: refuse, as for a model that is loaded here.
    vllm.logits, vllm.root = 2, on_hub(folder)
    with pytest.raises(BackendUnavailable, match="which of them is the reward is not clear"):
        reward_models.make(vllm.url)
    text = config.read_text().replace('"LABEL_0"', '"rejected", "1": "chosen"', 1)
    config.write_text(text)
    model = reward_models.make(vllm.url)
    (reward,) = model.score(TEXTS[:1])
    assert reward.value == pytest.approx(2 * logit_of(vllm.read[-1]))
    tei.labels = ("chosen", "rejected")
    (reward,) = reward_models.make(tei.url).score(TEXTS[:1])
    assert reward.value == pytest.approx(logit_of(tei.read[-1]))


def test_more_than_two_logits_are_no_reward(vllm: FakeVLLM) -> None:
    vllm.logits, vllm.raw_always = 3, False
    with pytest.raises(BackendUnavailable, match="gives 3 scores a text"):
        reward_models.make(vllm.url)


def test_token_types_cannot_be_sent_as_ids(vllm: FakeVLLM, pair_name: str) -> None:
    vllm.root = pair_name
    with pytest.raises(BackendUnavailable, match="tells question and answer apart by marks"):
        reward_models.make(vllm.url)


def test_a_chat_format_needs_another_engine_than_tei(tei: FakeTEI) -> None:
    with pytest.raises(BadInput, match="puts no chat template around a text"):
        reward_models.make(tei.url, input_format="chat")


def test_the_card_says_what_answered_and_how(
    vllm: FakeVLLM, sglang: FakeSGLang, tei: FakeTEI
) -> None:
    cards = [reward_models.make(one.url).card for one in (vllm, sglang, tei)]
    assert [card.device for card in cards] == [
        "vLLM 1.0",
        "SGLang 1.0",
        "text-embeddings-inference 1.0",
    ]
    assert [card.dtype for card in cards] == ["unknown", "bfloat16", "float32"]
    assert [card.lasts for card in cards] == [False, False, True]
    assert cards[2].revision == "5" * 40
    assert [card.input_format for card in cards] == ["chat", "chat", "last-turn"]
    assert [card.max_tokens for card in cards] == [512, 504, 512]
    assert cards[0].cache_identity == "|".join(
        (
            "lab/reward",
            cards[0].revision,
            "chat",
            cards[0].template_hash,
            "512",
            "unknown",
            "vLLM",
            "1.0",
            "prefix caching unknown",
        )
    )
    assert cards[0].server is not None
    assert cards[0].server.sentence == (
        "Scored by vLLM 1.0 with lab/reward (prefix caching unknown); not compared with a local "
        "pass."
    )


def test_the_same_tokenizer_by_a_name_behind_the_address(
    vllm: FakeVLLM, chat_folder: Path, tmp_path: Path
) -> None:
    named = values(reward_models.make(vllm.url).score(TEXTS))
    vllm.root = "/models/that/is/not/here"
    with pytest.raises(BackendUnavailable) as problem:
        reward_models.make(vllm.url)
    assert problem.value.message.startswith(
        "Texts are tokenised here, and the tokenizer of lab/reward was not found."
    )
    assert f"{vllm.url}#owner/name" in problem.value.hint
    vllm.model = "rm"
    assert values(reward_models.make(f"{vllm.url}#{chat_folder}").score(TEXTS)) == named


@pytest.mark.parametrize(
    "told",
    [
        *("/etc", "{here}", "../chat", "./chat", "..", "lab/..", "lab/name/..", "~/rm"),
        *("here/chat", "file:///etc", ".hidden/name", "lab/a..b", "-x/name", ""),
    ],
)
def test_no_folder_is_read_that_a_server_tells(
    vllm: FakeVLLM, chat_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    # A folder here has the name that looks like one of the hub; another lies where paths lead to.
    inside = tmp_path / "inside"
    (inside / "here").mkdir(parents=True)
    for place in (inside / "here" / "chat", tmp_path / "chat", inside / "chat"):
        place.symlink_to(chat_folder)
    monkeypatch.chdir(inside)
    read: list[str] = []
    monkeypatch.setattr(tokenizer, "load_tokenizer", lambda name, folder: read.append(name))
    monkeypatch.setattr(tokenizer, "_from_hub", lambda name, revision: read.append(name))
    vllm.root = vllm.model = told.format(here=chat_folder) or "rm"
    with pytest.raises(BackendUnavailable, match=r"the tokenizer of .* was not found"):
        reward_models.make(vllm.url)
    assert read == []


def test_one_of_several_models_has_to_be_named(vllm: FakeVLLM) -> None:
    vllm.others = ("lab/second",)
    with pytest.raises(BackendUnavailable, match="serves several models: lab/reward, lab/second"):
        reward_models.make(vllm.url)
    assert reward_models.make(f"{vllm.url}#lab/reward").card.id == "lab/reward"
    with pytest.raises(BackendUnavailable, match="does not serve lab/third"):
        reward_models.make(f"{vllm.url}#lab/third")


def test_a_model_that_is_here_is_compared_with_a_pass_of_our_own(
    tei: FakeTEI, on_hub: Callable[[Path], str], tmp_path: Path
) -> None:
    from given.tiny_models import load

    folder = tiny_deberta(tmp_path / "deberta")
    here = load(folder, input_format="last-turn")
    replies = ["no", "yes of course", "knead the dough", "wait an hour well"]
    texts = [ask(reply) for reply in replies]
    own = {
        ("Human: how do i bake bread?", reply): reward.value
        for reply, reward in zip(replies, here.score(texts), strict=True)
    }
    tei.root, tei.reward = on_hub(folder), lambda text: own.get(text, logit_of(text))
    model = reward_models.make(tei.url)
    model.compare(texts)
    assert model.card.server is not None
    assert model.card.server.agrees
    assert model.card.server.compared.startswith("compared with a local pass on 4 texts: at most 0")
    tei.reward = lambda text: -(own.get(text) or logit_of(text))
    with pytest.raises(BackendUnavailable, match="gives other scores than"):
        model.compare(texts)
    tei.reward = lambda text: 3.0
    with pytest.raises(BackendUnavailable, match="gives every text the same score"):
        model.compare(texts)


def test_a_chat_model_that_is_here_agrees_by_the_ids_that_are_sent(
    vllm: FakeVLLM, on_hub: Callable[[Path], str], tmp_path: Path
) -> None:
    from given.tiny_models import load

    folder = tiny_qwen3(tmp_path / "qwen3")
    here = load(folder)
    texts = [ask(reply) for reply in ("no", "yes of course", "knead the dough", "wait an hour")]
    model = reward_models.make(vllm.url)
    ids = [tuple(row.ids) for row in model.read(texts)]
    own = dict(zip(ids, values(here.score(texts)), strict=True))
    vllm.root, vllm.reward = on_hub(folder), lambda text: own.get(text, logit_of(text))
    model = reward_models.make(vllm.url)
    model.compare(texts)
    assert model.card.server is not None and model.card.server.agrees
    # A server that reads the score elsewhere, or another head, is found out.
    vllm.reward = lambda text: logit_of(text)
    with pytest.raises(
        BackendUnavailable, match=r"weights, template or cut are others|at the other"
    ):
        model.compare(texts)
    # So is one whose scores all lie a little higher, as with a doubled mark of the beginning.
    vllm.reward = lambda text: own.get(text, logit_of(text)) + 5
    with pytest.raises(BackendUnavailable, match="the mark of the beginning may be others"):
        model.compare(texts)
