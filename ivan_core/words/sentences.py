"""What is said of a ranking of words."""

from __future__ import annotations

from collections.abc import Sequence

from ivan_core.domain.words import number_of
from ivan_core.metrics.intervals import with_minus
from ivan_core.models import reward_models
from ivan_core.words.asking import Asked, Scored, reads_reply_alone, shipped
from ivan_core.words.ends import TOP, Ends, Ranking
from ivan_core.words.word_list import LIST_WORDS

TEASER = (
    "A teaser, no measurement of people: replies of one word are far from what reward models are "
    "made for, so what stands first says more about the model than about the word."
)
CENSUS = (
    "Every word of the list was scored and none was drawn, so the number describes this list and "
    "has no interval."
)
_LITTLE, _SOME, _MUCH = 0.1, 0.4, 0.8


def ends_sentence(ends: Ends) -> str:
    """The first and the last word that one model's list shows."""
    if not ends.best:
        return f"{ends.model} ranks no two words."
    shown = " that are shown" if ends.skipped else ""
    return (
        f"Of {number_of(ends.ranked, 'word')}{shown}, {ends.model} likes “{ends.best[0].text}” best"
        f" and “{ends.worst[0].text}” least."
    )


def correlation_sentence(ranking: Ranking) -> str:
    """How far the two orders go together, with n."""
    rho, n = ranking.correlation
    first, second = ranking.scored.models
    if rho is None:
        return f"The orders of {first} and {second} cannot be compared: {n:,} words have both."
    return (
        f"The two orders {_together(rho)}: their rank correlation is {with_minus(rho, '+.2f')} "
        f"(Spearman's rho, n = {n:,} words)."
    )


def _together(rho: float) -> str:
    if abs(rho) < _LITTLE:
        return "have next to nothing in common"
    if rho < 0:
        return "run against each other" if rho <= -_SOME else "run a little against each other"
    if rho < _SOME:
        return "have a little in common"
    return "have much in common" if rho < _MUCH else "are nearly the same"


def shared_sentence(ranking: Ranking, top: int = TOP) -> str:
    """How many words both models have at the same end."""
    top = len(ranking.ends(0, top).best)
    best, worst = ranking.shared(top)
    same = f"{best:,} {'is' if best == 1 else 'are'} the same"
    return f"Of the {top:,} best words of each, {same}; of the worst, {worst:,}."


def place_sentence(ranking: Ranking, word: str, places: Sequence[int], listed: bool = True) -> str:
    """Where one word stands with each model, or would stand where it is not `listed`."""
    ranked = [int((one > 0).sum()) + (not listed) for one in ranking.places]
    told = [
        f"no. {place:,} of {n:,} with {model}" if place else f"not rated by {model}"
        for model, place, n in zip(ranking.scored.models, places, ranked, strict=True)
    ]
    if not listed:
        return f"“{word}” is not in the list. It would be {' and '.join(told)}."
    return f"“{word}” is {' and '.join(told)}."


def list_words(asked: Asked) -> str:
    """What the list holds."""
    return f"{number_of(len(asked.own), 'word')} of one's own" if asked.own else LIST_WORDS


def hidden_sentence(ranking: Ranking, top: int = TOP) -> str:
    """How many words are ranked but not shown; empty where all are."""
    if not ranking.hidden:
        return ""
    skipped = [ranking.ends(model, top).skipped for model in (0, 1)]
    return (
        f"{len(ranking.hidden):,} words that are crude or name a group of people are ranked like "
        f"all others, but not shown in the lists: {skipped[0]:,} and {skipped[1]:,} of them would "
        "stand there."
    )


def prompt_sentence(scored: Scored) -> str:
    """Which of the models never see the question; empty where both do."""
    deaf = [model.name for model in scored.asked.models if reads_reply_alone(model)]
    if len(deaf) == 2:
        return (
            f"{deaf[0]} and {deaf[1]} read the reply alone: whatever the question, they give a word"
            " the same reward."
        )
    if deaf:
        return f"{deaf[0]} reads the reply alone: the question changes nothing for it."
    return ""


def origin(model: str) -> str:
    """What a model that ships with IVAN learned from; empty for others."""
    if model not in shipped():
        return ""
    learned = reward_models.card(model).trained_on_hh
    return "learned from people's choices" if learned else "never saw people's choices"


def models_sentence(scored: Scored) -> str:
    """What has to be known of the two models that ship with IVAN; empty for others."""
    if not set(scored.models) <= set(shipped()):
        return ""
    return (
        "Both models are small linear heads on one sentence encoder (MiniLM), far from the models "
        "that chat with people."
    )
