"""What moved the reward: one pair, one model, a reply without some of its sentences or words.

Each function answers as far as it can and says what it still waits for (`Pending`); calling it
again goes on from there. Every reward it ever asked for lies in the score cache, so what somebody
has looked at before is there at once, without any worker. The server loads no model: it puts a
question to the warm worker, sees to it that one is there, and looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from ivan_core.domain.ablation import (
    Flip,
    ReplyInPieces,
    Search,
    holds_a_turn,
    in_pieces,
    last_reply,
    search_flip,
    with_reply,
    words as words_of,
)
from ivan_core.domain.errors import BadInput, IvanError
from ivan_core.domain.models import ModelCard, Reward
from ivan_core.domain.pairs import Pair, Side
from ivan_core.domain.specs import CompareSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine.warm.answers import Pending, ask
from ivan_core.experiments.compare.results import Results
from ivan_core.models import reward_models
from ivan_core.runs.questions import AskedModel

LONGEST_REPLY = 20_000
"""Characters of a typed reply."""
LONGEST_TAKEN_APART = 100_000
"""Characters of a reply that is scored without each of its pieces: each makes a whole text."""


@dataclass(frozen=True, slots=True)
class PieceEffect:
    """A piece of a reply, the reward without it, and what it adds: that with it minus without.

    Both numbers are None where the text without it could not be scored; `failure` says why.
    """

    text: str
    without: float | None
    adds: float | None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Effects:
    """Every sentence of one reply and what it adds to one model's reward.

    `reward` is that of the whole reply, `other` that of the other side. `typical` is the model's
    typical margin in the run, the unit to judge changes by; None if there is none.
    """

    model: str
    side: Side
    reward: Reward
    other: Reward
    sentences: tuple[PieceEffect, ...]
    typical: float | None


@dataclass(frozen=True, slots=True)
class WordEffects:
    """Every word of both replies and what it adds to one model's reward of its reply.

    `rewards` are those of the whole replies. A reply that cannot be taken apart has no `words`, and
    a reason in `refused`. `typical` is as in `Effects`.
    """

    model: str
    rewards: Mapping[Side, Reward]
    words: Mapping[Side, tuple[PieceEffect, ...]]
    refused: Mapping[Side, BadInput]
    typical: float | None


@dataclass(frozen=True, slots=True)
class OwnReward:
    """What one model gives a typed reply, beside the two; rewards are None until known.

    `beats_chosen` is None while, or because, there is nothing to compare.
    """

    model: str
    own: Reward | None = None
    chosen: Reward | None = None
    rejected: Reward | None = None
    pending: Pending | None = None
    problem: IvanError | None = None

    @property
    def beats_chosen(self) -> bool | None:
        if self.own is None or self.chosen is None:
            return None
        if self.own.value is None or self.chosen.value is None:
            return None
        return self.own.value > self.chosen.value


def sentence_effects(
    results: Results, row_id: int, model: str, side: Side, again: bool = False
) -> Effects | Pending:
    """What each sentence of one reply adds to a model's reward.

    `again` asks anew for what failed or was stopped before.

    Raises:
        BadInput: the side has no reply, one that is too long, or the run has no such row or model.
        IvanError: the model cannot be had, or the question was stopped.
    """
    own, other = _sides(results.dataset.pair(row_id), side)
    reply = _in_pieces(own)
    shortened = [reply.without((i,)) for i in range(len(reply.pieces))]
    answer = ask(model_of(results, model), [own, other, *shortened], again)
    if answer.problem:
        raise answer.problem
    if answer.pending:
        return answer.pending
    whole = answer.rewards[own.hash]
    return Effects(
        model,
        side,
        whole,
        answer.rewards[other.hash],
        tuple(
            _effect(piece, whole, answer.rewards[text.hash])
            for piece, text in zip(reply.pieces, shortened, strict=True)
        ),
        results.typical_margins.get(model),
    )


def word_effects(
    results: Results, row_id: int, model: str, again: bool = False
) -> WordEffects | Pending:
    """What each word of both replies adds to a model's reward; of long replies, each few words.

    Raises:
        BadInput: neither side has a reply that can be taken apart, or the run has no such row or
            model.
        IvanError: the model cannot be had, or the question was stopped.
    """
    pair = results.dataset.pair(row_id)
    sides: dict[Side, Dialogue] = {"chosen": pair.chosen, "rejected": pair.rejected}
    replies: dict[Side, ReplyInPieces] = {}
    refused: dict[Side, BadInput] = {}
    for side, dialogue in sides.items():
        try:
            replies[side] = _in_pieces(dialogue, words_of)
        except BadInput as error:
            refused[side] = error
    if not replies:
        raise next(iter(refused.values()))
    shortened = {
        side: [reply.without((i,)) for i in range(len(reply.pieces))]
        for side, reply in replies.items()
    }
    texts = [*sides.values(), *(text for side in shortened.values() for text in side)]
    answer = ask(model_of(results, model), texts, again)
    if answer.problem:
        raise answer.problem
    if answer.pending:
        return answer.pending
    rewards = {side: answer.rewards[dialogue.hash] for side, dialogue in sides.items()}
    found = {
        side: tuple(
            _effect(piece, rewards[side], answer.rewards[text.hash])
            for piece, text in zip(reply.pieces, shortened[side], strict=True)
        )
        for side, reply in replies.items()
    }
    return WordEffects(model, rewards, found, refused, results.typical_margins.get(model))


def _effect(piece: str, whole: Reward, without: Reward) -> PieceEffect:
    if whole.value is None or without.value is None:
        return PieceEffect(piece, without.value, None, without.failure or whole.failure)
    return PieceEffect(piece, without.value, whole.value - without.value)


def shortest_flip(
    results: Results, row_id: int, model: str, side: Side, again: bool = False
) -> Flip | Pending:
    """The shortest deletion from one reply after which the model prefers the other one.

    At most `BUDGET` shortened replies are scored; what was found says how many were tried.

    Raises:
        BadInput: the side has no reply, one that is too long, or the run has no such row or model.
        IvanError: the model cannot be had, the question was stopped, or a side has no reward.
    """
    own, other = _sides(results.dataset.pair(row_id), side)
    reply = _in_pieces(own)
    asked = model_of(results, model)
    answer = ask(asked, [own, other], again)
    if answer.problem:
        raise answer.problem
    if answer.pending:
        return answer.pending
    whole, against = (answer.rewards[text.hash] for text in (own, other))
    if whole.value is None or against.value is None:
        raise BadInput(
            f"{model} gave no reward to one side: {whole.failure or against.failure}.",
            "Without both rewards there is no verdict to flip.",
        )
    lengths = tuple(len(piece.strip()) for piece in reply.pieces)
    return _searched(asked, reply, search_flip(lengths, whole.value, against.value), again)


def _searched(
    asked: AskedModel, reply: ReplyInPieces, search: Search, again: bool
) -> Flip | Pending:
    """Go through a search again up to the first rewards that are not known yet; ask for those."""
    try:
        with closing(search):
            wanted = next(search)
            while True:
                texts = {deletion: reply.without(deletion) for deletion in wanted}
                answer = ask(asked, list(texts.values()), again)
                if answer.problem:
                    raise answer.problem
                if answer.pending:
                    return answer.pending
                wanted = search.send(
                    {deletion: answer.rewards[text.hash].value for deletion, text in texts.items()}
                )
    except StopIteration as over:
        found: Flip = over.value
        return found


def own_reply(results: Results, row_id: int, words: str, again: bool = False) -> list[OwnReward]:
    """What every model of the run gives a typed reply, beside the two of the pair.

    The reply is put after the prompt of the chosen side.

    Raises:
        BadInput: there is no reply, it is too long, or it holds more than one turn.
        StorageProblem: the data folder cannot be written.
    """
    words = words.strip()
    if not words:
        raise BadInput("There is no reply yet.", "Type one.")
    if len(words) > LONGEST_REPLY:
        raise BadInput(
            f"The reply has {len(words):,} characters.", f"Keep it under {LONGEST_REPLY:,}."
        )
    if holds_a_turn(words):
        raise BadInput(
            "A paragraph of the reply begins with “Human:” or “Assistant:”, which would begin a "
            "new turn.",
            "Write something before it.",
        )
    pair = results.dataset.pair(row_id)
    return list(_own_rewards(results, pair, words, again))


def _own_rewards(results: Results, pair: Pair, words: str, again: bool) -> Iterator[OwnReward]:
    own = with_reply(pair.chosen, words)
    for model in results.models:
        answer = ask(model_of(results, model), [own, pair.chosen, pair.rejected], again)
        rewards = answer.rewards
        yield OwnReward(
            model,
            rewards.get(own.hash),
            rewards.get(pair.chosen.hash),
            rewards.get(pair.rejected.hash),
            answer.pending,
            answer.problem,
        )


def _sides(pair: Pair, side: Side) -> tuple[Dialogue, Dialogue]:
    """The side that is looked at, and the other one."""
    return (pair.chosen, pair.rejected) if side == "chosen" else (pair.rejected, pair.chosen)


def _in_pieces(own: Dialogue, cut: Callable[[str], list[str]] | None = None) -> ReplyInPieces:
    length = len(last_reply(own) or "")
    if length > LONGEST_TAKEN_APART:
        raise BadInput(
            f"The reply has {length:,} characters, too many to score it without each part.",
            f"Pick a reply of at most {LONGEST_TAKEN_APART:,}.",
        )
    return in_pieces(own, cut)


def model_of(results: Results, model: str) -> AskedModel:
    """A model of a run as the run had it: revision, input format, maximum length, precision.

    Raises:
        BadInput: the run has no such model, or it is on a server that nobody named here.
    """
    card = results.cards.get(model)
    if card is None:
        raise BadInput(
            f"Run {results.run.id} has no model {model!r}.", f"It has {', '.join(results.cards)}."
        )
    if reward_models.is_served(model) and (results.manifest or {}).get("imported"):
        # Whoever made the file chose the address: neither texts nor a key go there.
        raise BadInput(
            f"{model} is a server that an imported run names, so nothing is sent to it.",
            "Judge pairs with it here first, and ask that run.",
        )
    return model_as_in(results.run.id, results.spec, model, card)


def model_as_in(run_id: str, spec: CompareSpec, model: str, card: ModelCard) -> AskedModel:
    """A model as a run had it, by the run's spec and the card that it keeps of the model."""
    # In a run a model is called what the person called it; the cache knows it without a revision.
    own = card.model_copy(update={"id": reward_models.split_revision(model)[0]})
    return AskedModel(
        name=model,
        revision=card.revision,
        input_format=spec.input_format,
        max_tokens=spec.max_tokens,
        system=spec.system,
        quantization=spec.quantization,
        identity=own.cache_identity,
        within="" if card.lasts else run_id,
    )
