"""The two ends of both models' lists, how far they agree, and where one word stands."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.words import short_names
from ivan_core.engine import access
from ivan_core.engine.figures import WORDS
from ivan_core.engine.warm import answers
from ivan_core.engine.warm.answers import Pending
from ivan_core.words import sentences
from ivan_core.words.asking import Asked, Scored, score, score_word
from ivan_core.words.ends import Ends, Ranking, Word
from ivan_core.words.figures import CHART
from pages.components.kit.figure import figure_menu
from pages.components.kit.sent_page import told_to_send
from pages.components.kit.text import say
from pages.components.pair.waiting import draw_pending, draw_problem, follow, is_asked_anew
from pages.components.public.pace import paced
from pages.components.words.address import word_field

_STYLE = """<style>
.ivan-words { display: grid; gap: .9rem; line-height: 1.3; overflow-wrap: anywhere; }
.ivan-words h3 { font-size: 1.15rem; font-weight: 600; margin: 0 !important;
  padding: 0 !important; }
.ivan-words small { font-size: .85rem; opacity: .72; }
.ivan-words h4 { font-size: .8rem; font-weight: 600; letter-spacing: .06em; margin: 0 0 .2rem;
  padding: 0; text-transform: uppercase; }
.ivan-words ol { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .65rem;
  list-style: none; margin: 0; padding: 0 0 0 .7rem; border-left: 3px solid; }
.ivan-words li { margin: 0; padding: 0; }
.ivan-words .best { color: light-dark(#1f5fb8, #9dbcf5); }
.ivan-words .worst { color: light-dark(#8a5200, #e6b65c); }
.ivan-place { display: grid; grid-template-columns: minmax(6rem, 11rem) 1fr; gap: .5rem .8rem;
  align-items: center; font-size: .9rem; overflow-wrap: anywhere; }
.ivan-place i { display: block; position: relative; height: .35rem; border-radius: .2rem;
  background: linear-gradient(to right, #3A7BD5, rgba(128,128,128,.35), #C08A00); }
.ivan-place b { position: absolute; top: 50%; width: .95rem; height: .95rem; border-radius: 50%;
  transform: translate(-50%, -50%); background: currentColor; }
</style>"""
_LARGEST, _SMALLEST = 1.9, 0.92
"""Letters of the first and of the last words of a list, in rem."""


def ranked(shown: Asked | Scored | None) -> None:
    """Show a ranking; follow what was asked until it is one."""
    if shown is None:
        return
    try:
        found = score(shown, is_asked_anew("words")) if isinstance(shown, Asked) else shown
    except IvanError as error:
        draw_problem(error, "words")
        return
    if isinstance(found, Pending):
        _wait_for(found, "words")
    else:
        _draw(Ranking(found))


def _wait_for(pending: Pending, what: str) -> None:
    """Show how far a question is until it is over, then draw the page anew."""

    def draw(now: Pending | None) -> None:
        if now is not None:
            draw_pending(now, what)

    follow(lambda _: answers.progress(pending.request), bool, draw)


def _draw(ranking: Ranking) -> None:
    st.html(_STYLE)
    scored = ranking.scored
    key = scored.asked.key
    names = short_names(scored.models)
    for model, column in enumerate(st.columns(2, gap="medium")):
        with column, st.container(border=True, height="stretch"):
            ends = ranking.ends(model)
            st.html(_both_ends(names[ends.model], sentences.origin(ends.model), ends))
    say(sentences.correlation_sentence(ranking), "headline")
    for told in (sentences.shared_sentence(ranking), sentences.prompt_sentence(scored)):
        say(told)
    _one_word(ranking, key, names)
    with st.container(horizontal=True):
        figure_menu(f"{WORDS}{key}", CHART)
        told_to_send(f"{WORDS}{key}", "words-page")
        st.download_button(
            "CSV of all words",
            paced(lambda: ranking.table().to_csv(index=False).encode("utf-8", "replace")),
            f"words-{key}.csv",
            key="words-csv",
            on_click="ignore",
        )
    _honestly(ranking)


def _both_ends(name: str, origin: str, ends: Ends) -> str:
    about = f"<small>{escape(origin)}</small>" if origin else ""
    return (
        f'<div class="ivan-words"><div><h3>{escape(name)}</h3>{about}</div>'
        f"{_end('Likes best', 'best', ends.best)}{_end('Likes least', 'worst', ends.worst)}</div>"
    )


def _end(title: str, kind: str, words: tuple[Word, ...]) -> str:
    """Words from the outermost on, in smaller and smaller letters."""
    items = "".join(
        f'<li dir="auto" style="font-size:{_size(i):.2f}rem" title="{_places(word)}">'
        f"{escape(word.text)}</li>"
        for i, word in enumerate(words)
    )
    return f'<section class="{kind}"><h4>{title}</h4><ol>{items}</ol></section>'


def _size(line: int) -> float:
    return _SMALLEST + (_LARGEST - _SMALLEST) / float((1 + line) ** 0.7)


def _places(word: Word) -> str:
    return f"No. {word.place:,} here, no. {word.elsewhere:,} with the other model"


def _one_word(ranking: Ranking, key: str, names: dict[str, str]) -> None:
    word = word_field(ranking, key)
    if not word:
        return
    if listed := ranking.place_of(word):
        _show_place(ranking, names, listed[0], listed[1:])
    elif access.asking().trusted:
        _not_listed(ranking, names, word)
    else:
        say(f"“{word}” is not in this list.")


def _not_listed(ranking: Ranking, names: dict[str, str], word: str) -> None:
    """Have a word scored that is not in the list, and show where it would stand."""
    try:
        found = score_word(ranking.scored.asked, word, is_asked_anew("word"))
    except IvanError as error:
        draw_problem(error, "word")
        return
    if isinstance(found, Pending):
        _wait_for(found, "word")
        return
    _show_place(ranking, names, word, ranking.places_for(found), listed=False)


def _show_place(
    ranking: Ranking, names: dict[str, str], word: str, places: Sequence[int], listed: bool = True
) -> None:
    lines = []
    for name, place, own in zip(names.values(), places, ranking.places, strict=True):
        if place:
            at = min(100 * (place - 1) / max(int(own.max()) - 1, 1), 100)
            lines.append(f'<span>{escape(name)}</span><i><b style="left:{at:.1f}%"></b></i>')
    st.html(f'<div class="ivan-place" aria-hidden="true">{"".join(lines)}</div>')
    told = sentences.place_sentence(ranking, word, places, listed)
    say(f"{told} Left is best, right is worst.")


def _honestly(ranking: Ranking) -> None:
    told = [
        sentences.models_sentence(ranking.scored),
        f"The list: {sentences.list_words(ranking.scored.asked)}.",
        sentences.CENSUS,
        sentences.hidden_sentence(ranking),
    ]
    with st.container(border=True):
        for one in filter(None, told):
            say(one, "small", quiet=True)
