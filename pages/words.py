"""Words: which word, as the whole of a reply, would a reward model like best?"""

from __future__ import annotations

import streamlit as st

from ivan_core.words.sentences import TEASER
from pages.components.kit.frame import frame
from pages.components.kit.text import say
from pages.components.words.question import question
from pages.components.words.ranking import ranked

with frame("Words"):
    st.title("Best and worst words", anchor=False)
    say(
        "If the whole reply were one word, which would a reward model like best, and which least? "
        "Two models score every word of a list.",
        "lead",
    )
    say(TEASER, "small", quiet=True)
    ranked(question())
