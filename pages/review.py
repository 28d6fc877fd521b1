"""Review: people judge pairs and texts by invitation; the owner sees how far they agree."""

from __future__ import annotations

import streamlit as st

from pages.components.kit.frame import frame
from pages.components.review.invited import INVITE, invited
from pages.components.review.owner import owner_view

_token = st.query_params.get(INVITE, "")

with frame("Review", navigation=not _token):
    if _token:
        invited(_token)
    else:
        st.title("Review", anchor=False)
        owner_view()
