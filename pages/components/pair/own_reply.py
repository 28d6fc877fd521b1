"""What a reply of one's own would get."""

from __future__ import annotations

import streamlit as st

from ivan_core.domain.errors import IvanError
from ivan_core.domain.models import Reward
from ivan_core.experiments.compare import ablation
from ivan_core.experiments.compare.ablation import OwnReward
from ivan_core.experiments.compare.results import Results
from pages.components.kit.text import say, say_with_hint
from pages.components.pair.waiting import ask, draw_pending, follow, is_asked_anew


def own_reply(results: Results, row_id: int) -> None:
    """Type a reply, press a button, see what every model of the run gives it beside the two."""
    key = f"own-{results.run.id}-{row_id}"
    words = st.text_area(
        "A reply of your own",
        key=key,
        max_chars=ablation.LONGEST_REPLY,
        help="It is scored on this machine in place of the last reply, and sent nowhere.",
    )
    asked = (results.run.id, row_id)
    st.button("Score my reply", key="own-ask", on_click=_remember, args=(asked, key))
    if st.session_state.get("own-asked") != (*asked, words):
        return

    def look(again: bool) -> list[OwnReward]:
        return ablation.own_reply(results, row_id, words, again)

    try:
        found = look(is_asked_anew("own"))
    except IvanError as error:
        say_with_hint(error.message, error.hint)
        return
    if _any_pending(found):
        follow(look, _any_pending, _draw)
    else:
        _draw(found)


def _remember(asked: tuple[object, ...], key: str) -> None:
    # Read here: a press on the button is what ends the typing, after the page was drawn.
    st.session_state["own-asked"] = (*asked, st.session_state[key])
    ask("own")


def _any_pending(found: list[OwnReward]) -> bool:
    return any(reward.pending for reward in found)


def _draw(found: list[OwnReward]) -> None:
    for reward in found:
        if reward.pending:
            say(reward.model)
            draw_pending(reward.pending, "own")
        elif reward.problem:
            say_with_hint(reward.problem.message, reward.problem.hint)
        else:
            say(own_sentence(reward))


def own_sentence(reward: OwnReward) -> str:
    """What one model gives a typed reply, beside the two."""
    told = []
    sides = (("yours", reward.own), ("chosen", reward.chosen), ("rejected", reward.rejected))
    for name, given in sides:
        if given is None or given.value is None:
            told.append(f"{name} not rated{_because(given)}")
        else:
            cut = " (not read to the end)" if given.truncated else ""
            told.append(f"{name} {given.value:+.3g}{cut}".replace("-", "−"))
    words = {
        True: "your reply beats the chosen one",
        False: "your reply does not beat the chosen one",
        None: "nothing to compare",
    }
    return f"{reward.model}: {words[reward.beats_chosen]} ({'; '.join(told)})."


def _because(given: Reward | None) -> str:
    return f" ({given.failure})" if given and given.failure else ""
