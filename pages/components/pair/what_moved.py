"""What moved the reward of a pair: one press, and the words of the replies take colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.pairs import Side
from ivan_core.domain.words import short_names
from ivan_core.engine.warm import answers
from ivan_core.engine.warm.answers import Pending
from ivan_core.experiments.compare import ablation
from ivan_core.experiments.compare.ablation import WordEffects
from ivan_core.experiments.compare.results import Results, judged_pair
from ivan_core.metrics.moved_words import (
    STEPS,
    MovedWord,
    moved_sentence,
    next_sentence,
    number_of,
    step,
    unit_of,
)
from pages.components.kit.text import say
from pages.components.pair.coloured_words import WORDS_TELL, Coloured
from pages.components.pair.marks import DIFFER, NOTHING, mark, marked
from pages.components.pair.sentence_effects import LINES, TINTS, sentence_by_sentence
from pages.components.pair.waiting import draw_pending, draw_problem, follow, is_asked_anew
from pages.components.public.reading import may_ask

_LETTERS: dict[Side, Literal["A", "B"]] = {"chosen": "A", "rejected": "B"}
_WAITS = "moved-waits"
"""The question this session waits for: who goes on to another pair does not want it any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one model says of the words of a pair, as far as it is known."""

    model: str
    row_id: int
    effects: WordEffects | None = None
    pending: Pending | None = None
    problem: IvanError | None = None

    @property
    def words(self) -> list[MovedWord]:
        found = self.effects.words if self.effects else {}
        return [
            MovedWord(_LETTERS[side], effect.text, effect.adds)
            for side, effects in found.items()
            for effect in effects
        ]

    @property
    def coloured(self) -> dict[Side, list[Coloured]]:
        """The words of the replies as they are drawn; empty before they are known."""
        if self.effects is None:
            return {}
        typical = self.effects.typical
        unit = unit_of(self.words, typical)
        return {
            side: [
                Coloured(word.text, _style(step(word.adds, unit)), _told(word, typical))
                for word in self.words
                if word.side == _LETTERS[side]
            ]
            for side in self.effects.words
        }


def answer(results: Results, row_id: int) -> Answer | None:
    """What moved the model whose words are marked; None where other words are."""
    model = marked(results)
    found = None
    if model not in (DIFFER, NOTHING):
        found = _look(results, row_id, model, is_asked_anew("moved"))
    waited = st.session_state.pop(_WAITS, None)
    waits = found.pending.request if found and found.pending else None
    if waits:
        st.session_state[_WAITS] = waits
    if waited and waited != waits:
        answers.cancel(waited)
    return found


def _look(results: Results, row_id: int, model: str, again: bool) -> Answer:
    try:
        found = ablation.word_effects(results, row_id, model, again)
    except IvanError as error:
        return Answer(model, row_id, problem=error)
    if isinstance(found, Pending):
        return Answer(model, row_id, pending=found)
    return Answer(model, row_id, found)


def what_moved(results: Results, row_id: int, found: Answer | None) -> None:
    """The question as a button where models may be asked; once it is asked, the answer below the
    replies it colours."""
    if found is None:
        if not may_ask():
            return
        st.button(
            "What moved the reward?",
            key="moved-ask",
            help="Scores the replies again without each of their words, on this machine.",
            on_click=mark,
            args=(_first_asked(results, row_id),),
        )
        return
    with st.container(border=True, key="moved"):
        if found.pending:
            follow(
                lambda again: _look(results, row_id, found.model, again),
                lambda now: bool(now.pending),
                _draw_waiting,
            )
        elif found.problem:
            draw_problem(found.problem, "moved")
        elif found.effects:
            _draw_words(found, found.effects, short_names(results.models)[found.model])
            sentence_by_sentence(results, row_id, found.model)


def _first_asked(results: Results, row_id: int) -> str:
    """The model to ask first: one that goes against the choice has most to explain."""
    judged = judged_pair(results, row_id).judged
    against = (row["model"] for row in judged if row["verdict"] == "disagree")
    return str(next(against, results.models[0]))


def _draw_waiting(found: Answer) -> None:
    if found.pending:
        draw_pending(found.pending, "moved")


def _draw_words(found: Answer, effects: WordEffects, model: str) -> None:
    words = found.words
    say(moved_sentence(model, words, effects.typical), "lead")
    following = next_sentence(words, effects.typical)
    if following:
        say(following, "small")
    # A legend has no words of data either.
    st.html(legend(effects.typical) + WORDS_TELL, unsafe_allow_javascript=True)
    say(_about(effects), "small", quiet=True)


def legend(typical: float | None) -> str:
    """What the marks mean, each drawn as it is in the text."""
    unit = "typical margins" if typical else "of the largest change"
    raises, lowers = (
        " ".join(
            f'<span style="{_style(sign * place)}">{least:g}</span>'
            for place, least in enumerate(STEPS, 1)
        )
        for sign in (1, -1)
    )
    return (
        '<p style="margin:0;font-size:.85rem;line-height:1.9">Blue with a solid line: the word '
        f"raises its reply's reward by at least {raises} {unit}. Amber with a dotted line: it "
        f"lowers it by at least {lowers}.</p>"
    )


def _about(effects: WordEffects) -> str:
    pieces = [len(effect.text.split()) for words in effects.words.values() for effect in words]
    most = max(pieces, default=1)
    left_out = "Each word was" if most <= 1 else f"Up to {most} words at once were"
    told = [f"{left_out} left out, the rest kept. Point at a word, or tap it, for its number."]
    if any(reward.truncated for reward in effects.rewards.values()):
        told.append("The model did not read the whole text: what it left out adds nothing.")
    told += [f"{_LETTERS[side]}: {error.message}" for side, error in effects.refused.items()]
    failures = {effect.failure for words in effects.words.values() for effect in words}
    told += [f"Not scored: {reason}." for reason in sorted(filter(None, failures))]
    return " ".join(told)


def _told(word: MovedWord, typical: float | None) -> str:
    """What a word says of itself, as in "“kind”: +0.31 typical margins (+0.2 of the reward)"."""
    if word.adds is None:
        return f"{word.quoted}: not scored"
    reward = number_of(word.adds, None)
    if not typical:
        return f"{word.quoted}: {reward} of the reward"
    return (
        f"{word.quoted}: {number_of(word.adds, typical)} typical margins ({reward} of the reward)"
    )


def _style(steps: int) -> str:
    """The tint and line of an effect that reached so many steps, with its sign."""
    if not steps:
        return ""
    size, raises = abs(steps), steps > 0
    return (
        f"background:rgba({TINTS[raises]},{0.02 + 0.14 * size:.2f});text-decoration:underline "
        f"{LINES[raises]} {0.5 + size:g}px;text-underline-offset:3px;border-radius:2px"
    )
