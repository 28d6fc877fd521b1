"""The token of a server on a shared machine: who shows it is the owner, and nobody else is.

It is made when the server starts and stands in a link in its terminal, behind a `#`: that part of
an address is sent to no server and written into no log. A page takes it out of the address at once
and keeps it in the browser for this address and port alone. A cookie would be sent to the servers
of other accounts too, since cookies know no ports. With the server the token ends.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path
from threading import Lock

import streamlit as st
from streamlit import config

from ivan_core.engine.access import token_asked_for

_TOKEN = secrets.token_urlsafe(32)
_SHOWN = "token-shown"
_NONE = "none"
"""What a browser says that keeps no token."""
_told = Lock()


def tell_link() -> None:
    """Print the link of this server into its terminal, once."""
    if token_asked_for() and _told.acquire(blocking=False):
        print(f"\n  To be the owner here, open this link:\n\n  {_link()}\n", flush=True)


def _link() -> str:
    scheme = "https" if config.get_option("server.sslCertFile") else "http"
    host = config.get_option("server.address") or "127.0.0.1"
    base = str(config.get_option("server.baseUrlPath") or "").strip("/")
    path = f"{base}/" if base else ""
    return f"{scheme}://{host}:{config.get_option('server.port')}/{path}#token={_TOKEN}"


def ask_for_token() -> None:
    """Have the browser show the token that it keeps, where one is needed and not shown yet.

    The page waits until it has answered, so that nobody presses what would be refused for that.
    """
    if not token_asked_for() or is_shown():
        return
    tell_link()
    shown = str(st.session_state.get(_SHOWN, ""))
    session = st.session_state.setdefault("token-session", secrets.token_hex(8))
    show = st.components.v2.component(
        "ivan_token",
        html="<span></span>",
        js=(Path(__file__).parent / "token.js").read_text("utf-8"),
        isolate_styles=False,
    )
    with st.container(height="content", gap=None):
        result = show(
            key="token",
            data={"session": session, "refused": shown not in ("", _NONE)},
            on_token_change=lambda: None,
        )
    told = st.session_state[_SHOWN] = str(result.token or "")
    if not told:
        st.stop()
    if told not in (shown, _NONE) and not is_shown():
        st.rerun()  # and tell the browser to forget it


def is_missing() -> bool:
    """Whether the token is asked for and this browser does not have it."""
    return token_asked_for() and not is_shown()


def is_shown() -> bool:
    """Whether the browser of this session has shown the token."""
    shown = str(st.session_state.get(_SHOWN, ""))
    return hmac.compare_digest(shown.encode("utf-8", "replace"), _TOKEN.encode())
