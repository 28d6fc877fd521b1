"""The adapter reads a prompt once where that is right: on a tiny Qwen3 with a chat template."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from given.tiny.decoders import tiny_decoder
from given.tiny_models import CHATML_WITH_BOS, ask, load, tiny_qwen3

from ivan_core.backends.reward_models import batch_runner, sharing_rules, tree_forward
from ivan_core.backends.reward_models.agreeing import why_not_alike
from ivan_core.backends.reward_models.scoring import TransformersRewardModel
from ivan_core.backends.reward_models.tokens import TokenRow
from ivan_core.domain.models import Reward
from ivan_core.domain.transcripts import Dialogue

torch.set_num_threads(1)

LONG = "how do i bake bread and knead the dough well because it is late " * 3
PAIRS = [
    ask(reply, prompt)
    for prompt in (LONG, f"{LONG} why?", "hello")
    for reply in ("no", "yes of course", "sorry i cannot help with that " * 3)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_qwen3(tmp_path_factory.mktemp("qwen3"))


@pytest.fixture(scope="module")
def model(folder: Path) -> TransformersRewardModel:
    return load(folder)


def values(rewards: list[Reward]) -> list[float]:
    found = [reward.value for reward in rewards]
    assert None not in found
    return [value for value in found if value is not None]


def forwards(model: TransformersRewardModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each later forward of trees is given."""
    seen: list[int] = []

    def counted(*args: Any) -> Any:
        logits = tree_forward.tree_logits(*args)
        seen.append(len(logits))
        return logits

    monkeypatch.setattr(batch_runner, "tree_logits", counted)
    return seen


@pytest.mark.parametrize("tokens", [1, 300, 4096])
def test_three_replies_to_each_prompt_get_the_scores_of_single_texts(
    model: TransformersRewardModel, monkeypatch: pytest.MonkeyPatch, tokens: int
) -> None:
    model.tune([], known=0)
    alone = [values(model.score([text]))[0] for text in PAIRS]
    seen = forwards(model, monkeypatch)
    model.tune([], known=-tokens)
    assert values(model.score(PAIRS)) == pytest.approx(alone, abs=1e-5)
    assert sum(seen) == 9  # All texts came in trees.


def test_the_card_claims_it_only_for_a_budget_that_does_it(model: TransformersRewardModel) -> None:
    ways = {budget: model.card.under(budget).way for budget in (-512, 512, 0)}
    assert ways == {-512: "Reads a pair's prompt once.", 512: "", 0: ""}


def test_texts_of_equal_tokens_tie_to_the_last_bit(
    model: TransformersRewardModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.tune([], known=-4096)
    seen = forwards(model, monkeypatch)
    told: list[int] = []
    # The template trims nothing, so only texts whose tokens are equal are the same text here.
    found = model.score([ask("no", LONG), ask("yes", LONG), ask(" no", LONG)], told.append)
    assert found[0] == found[2] != found[1]
    assert (sum(seen), sum(told)) == (2, 3)


def test_prompts_cut_on_the_left_still_share_what_is_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = load(folder, max_tokens=120)
    short.tune([], known=0)
    cut = [ask(reply, LONG) for reply in ("no", "ja", "yes of course")]  # Two of equal length.
    alone = short.score(cut)
    assert all(reward.truncated for reward in alone)
    seen = forwards(short, monkeypatch)
    short.tune([], known=-4096)
    found = short.score(cut)
    assert values(found) == pytest.approx(values(alone), abs=1e-5)
    assert all(reward.truncated for reward in found)
    assert seen == [2]  # The third begins elsewhere in the prompt.


def test_one_bos_and_a_template_with_it_share_too(tmp_path: Path) -> None:
    opened = load(tiny_qwen3(tmp_path, template=CHATML_WITH_BOS))
    opened.tune([], known=0)
    alone = values(opened.score(PAIRS))
    opened.tune([], known=-512)
    assert values(opened.score(PAIRS)) == pytest.approx(alone, abs=1e-5)


def test_texts_that_share_little_go_in_ordinary_batches(
    model: TransformersRewardModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = forwards(model, monkeypatch)
    model.tune([], known=-512)
    apart = [ask("yes of course " * 9, word) for word in ("hello", "why", "ten", "answer")]
    assert {one.read_alone for one in model.score(apart)} == {"its chunk shares too little"}
    assert seen == []
    model.tune([], known=512)
    assert {one.read_alone for one in model.score(apart)} == {""}


def test_texts_past_the_window_are_read_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windowed = load(
        tiny_qwen3(tmp_path, use_sliding_window=True, sliding_window=320, max_window_layers=1)
    )
    windowed.tune([], known=0)
    longest = [ask(f"{LONG}{reply}", LONG) for reply in ("no", "yes")]
    texts = [*PAIRS[:3], *longest]
    alone = values(windowed.score(texts))
    seen = forwards(windowed, monkeypatch)
    windowed.tune([], known=-4096)
    assert values(windowed.score(texts)) == pytest.approx(alone, abs=1e-5)
    assert seen == [3]
    why = "longer than its window of 320 tokens"
    assert [one.read_alone for one in windowed.score(texts)] == ["", "", "", why, why]
    said = "Reads a pair's prompt once; not for texts of more than 320 tokens."
    assert windowed.card.under(-4096).way == said


def test_trees_too_large_for_the_memory_are_halved_and_a_single_one_is_read_as_texts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = load(folder)
    small.tune([], known=0)
    alone = values(small.score(PAIRS))
    sizes: list[int] = []

    def holds_one(given: Any, trees: Any, texts: Any, pad_id: int) -> Any:
        sizes.append(len(trees))
        if len(trees) > 1 or trees[0].tokens > 400:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return tree_forward.tree_logits(given, trees, texts, pad_id)

    monkeypatch.setattr(batch_runner, "tree_logits", holds_one)
    small.tune([], known=-10_000)
    assert values(small.score(PAIRS)) == pytest.approx(alone, abs=1e-5)
    assert sizes[0] > 1 and sizes[-1] == 1


def test_a_text_on_which_trees_fail_is_scored_by_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fragile = load(folder)
    fragile.tune([], known=0)
    alone = values(fragile.score(PAIRS))

    def fails(*_: Any) -> Any:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(batch_runner, "tree_logits", fails)
    fragile.tune([], known=-512)
    with pytest.warns(UserWarning, match=r"failed \(no such kernel\); its texts are read by them"):
        found = fragile.score(PAIRS)
    assert values(found) == pytest.approx(alone, abs=1e-5)
    assert {one.read_alone for one in found} == {"reading its prompt once failed"}


def test_failures_of_single_texts_stand_at_their_places(model: TransformersRewardModel) -> None:
    model.tune([], known=-512)
    found = model.score([PAIRS[0], Dialogue("\n\nHuman: hello"), PAIRS[1]])
    assert [reward.value is None for reward in found] == [False, True, False]


# The check at load


def open_mask(owners: Any, dtype: Any) -> Any:
    """A mask with the fault that replies see each other."""
    width = owners.shape[1]
    later = torch.ones(width, width, dtype=torch.bool).triu(1)
    return torch.zeros(len(owners), 1, width, width, dtype=dtype).masked_fill(
        later, torch.finfo(dtype).min
    )


def raises(*_: Any) -> Any:
    raise NotImplementedError("no mask of four dimensions here")


@pytest.mark.parametrize(
    ("fault", "says"),
    [(open_mask, "its (verdicts|scores) differed"), (raises, "failed with NotImplementedError")],
)
def test_trees_that_give_other_scores_are_never_used_and_the_card_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: Any, says: str
) -> None:
    plain = load(folder)
    plain.tune([], known=512)
    expected = plain.score(PAIRS)
    monkeypatch.setattr(tree_forward, "_mask", fault)
    broken = load(folder)
    broken.tune([], known=-512)
    assert broken.score(PAIRS) == expected
    assert broken.card.under(-512).way.startswith("Reads a prompt again for each reply: ")
    assert re.search(says, broken.card.way)


def test_probes_that_share_nothing_prove_nothing() -> None:
    probes = [TokenRow([1, 2]), TokenRow([3, 4])]
    why = sharing_rules.why_not_trusted(tiny_decoder("qwen3"), probes, raises, raises)
    assert "too short to share" in why


def test_a_window_shorter_than_the_probes_is_named_as_the_reason(tmp_path: Path) -> None:
    windowed = load(
        tiny_qwen3(tmp_path, use_sliding_window=True, sliding_window=16, max_window_layers=1)
    )
    assert windowed.card.under(-512).way == (
        "Reads a prompt again for each reply: its window of 16 tokens is shorter than the texts "
        "this is tried with."
    )


ALONE = [0.0, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("shared", "why"),
    [
        ([0.0, 1.0, 2.0, 4.0], ""),
        ([0.0003, 1.0, 2.0, 4.0], ""),  # 1e-4 of the spread is 0.0004.
        ([0.0005, 1.0, 2.0, 4.0], "scores differed"),
        ([1.5, 1.0, 2.0, 4.0], "verdicts differed"),
        ([math.nan, 1.0, 2.0, 4.0], "verdicts differed"),
    ],
)
def test_in_float32_scores_are_the_same_to_a_ten_thousandth(shared: list[float], why: str) -> None:
    found = why_not_alike(ALONE, ALONE, shared, 1.2e-7)
    assert why in found and bool(why) == bool(found)


BF16 = 2**-7


@pytest.mark.parametrize(
    ("padded", "shared", "why"),
    [
        # Four roundings of 1/128 of the spread of 4: 0.125.
        (ALONE, [0.12, 1.0, 2.0, 4.0], ""),
        (ALONE, [0.2, 1.0, 2.0, 4.0], "scores differed"),
        # Padding moves a score by 0.15, so 0.3 is allowed.
        ([0.15, 1.0, 2.0, 4.0], [0.2, 1.0, 2.0, 4.0], ""),
        ([0.15, 1.0, 2.0, 4.0], [0.35, 1.0, 2.0, 4.0], "scores differed"),
        ([0.15, 1.0, 2.0, 4.0], [0.0, 2.2, 2.0, 4.0], "verdicts differed"),
    ],
)
def test_in_half_precision_they_may_move_twice_as_far_as_by_padding(
    padded: list[float], shared: list[float], why: str
) -> None:
    found = why_not_alike(ALONE, padded, shared, BF16)
    assert why in found and bool(why) == bool(found)


def test_in_bfloat16_a_right_mask_passes_the_check_and_one_with_a_hole_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny_decoder("qwen3").to(torch.bfloat16)
    rows = [
        TokenRow([1 + (7 * pair + k) % 40 for k in range(20)] + [5 + side] * (3 + pair))
        for pair in range(8)
        for side in (0, 1)
    ]

    def padded(batch: Any) -> Any:
        width = max(len(row.ids) for row in batch)
        ids = torch.tensor([row.ids + [0] * (width - len(row.ids)) for row in batch])
        return model(input_ids=ids, attention_mask=(ids != 0).long()).logits

    def first(logits: Any) -> Any:
        return logits.float()[:, 0]

    assert sharing_rules.why_not_trusted(model, rows, padded, first) == ""
    monkeypatch.setattr(tree_forward, "_mask", open_mask)
    assert "differed" in sharing_rules.why_not_trusted(model, rows, padded, first)
