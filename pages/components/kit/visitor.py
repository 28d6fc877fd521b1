"""Who looks at a page: the person at this machine, or somebody from elsewhere, perhaps logged in.

The core asks at the time of an action, so a button's callback, which runs before the page, is
answered too.

On a shared machine a token tells who is here: whoever shows it is the owner, and nobody else is. It
is made when the server starts and stands in a link in its terminal, behind a `#`: that part of an
address is sent to no server and written into no log. A page takes it out of the address at once
and keeps it in the browser for this address and port alone. A cookie would be sent to the servers
of other accounts too, since cookies know no ports. With the server the token ends.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

import streamlit as st
from streamlit import config
from streamlit.runtime.context import StreamlitHeaders
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ivan_core.engine.access import LOCAL, Visitor, token_asked_for
from ivan_core.settings import is_on, is_public

BEHIND_PROXY = "IVAN_BEHIND_PROXY"
_OF_PROXIES = frozenset(
    (
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-original-host",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
        "fly-client-ip",
    )
)


def visitor() -> Visitor:
    """Who asks now. A thread without a page is the server's own; a test runner has no browser.

    In a demo they all are strangers.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if is_public():
        return Visitor(local=False, stranger=context.session_id if context else "nobody")
    if context is None or config.get_option("global.appTest"):
        return LOCAL
    here = not behind_proxy() and is_here(st.context.ip_address, st.context.headers)
    proven = not token_asked_for() or token_shown()
    login = verified_login(st.user.to_dict())
    return Visitor(here and proven, login, unproven=here and not proven)


def behind_proxy() -> bool:
    """Whether the server is said to be reached through a proxy, so that nobody is local."""
    return is_on(BEHIND_PROXY)


def is_here(address: str | None, headers: StreamlitHeaders) -> bool:
    """Whether a request came straight from a browser on this machine, by all that it tells.

    Any trace of a proxy tells otherwise, whatever it says: what a proxy adds can be made up. So
    does an Origin whose host or port is not the one that was asked: it is another program's page. A
    page whose browser has gone has no headers, and counts as from elsewhere.
    """
    if address is not None and not _is_loopback(address):
        return False
    names = {name.lower() for name in headers}
    if names & _OF_PROXIES or any(name.startswith("x-forwarded") for name in names):
        return False
    hosts, origins = headers.get_all("Host"), headers.get_all("Origin")
    if len(hosts) != 1 or len(origins) > 1 or not is_loopback_host(hosts[0]):
        return False
    return all(_host_of(origin) == hosts[0].lower() for origin in origins)


def is_of_another_site(headers: StreamlitHeaders, allowed: Collection[str] = ()) -> bool:
    """Whether a page that this server did not send asks, by the Origin that browsers add.

    Streamlit lets in pages of every port of this machine: those of other programs and accounts. A
    request without an Origin comes from a program, which could name any. Through a tunnel Host and
    Origin name its near end alike; a proxy that changes Host says in X-Forwarded-Host what it was,
    which no page can. `allowed` are whole origins, as in `server.corsAllowedOrigins`.
    """
    named = (*headers.get_all("Host"), *headers.get_all("X-Forwarded-Host"))
    own = {host.strip().lower() for names in named for host in names.split(",")} - {""}
    return any(
        origin not in allowed and _host_of(origin) not in own
        for origin in headers.get_all("Origin")
    )


def verified_login(claims: dict[str, object]) -> str | None:
    """The e-mail address of who is logged in; None if nobody is, or the address is not verified."""
    email = claims.get("email")
    if claims.get("is_logged_in") is not True or not isinstance(email, str):
        return None
    return None if str(claims.get("email_verified")).lower() == "false" else email


def login_offered() -> bool:
    """Whether people can log in here (Streamlit's own login is configured)."""
    return "is_logged_in" in st.user.to_dict()


def _host_of(origin: str) -> str | None:
    """Host and port of an origin; None if it is no web page's, as `null` is."""
    scheme, _, host = origin.partition("://")
    return host.lower() if scheme.lower() in ("http", "https") else None


def is_loopback_host(host: str) -> bool:
    """Whether a host with or without a port is this machine by name or loopback address."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if name is None or parts.netloc != host or "@" in host:
        return False
    return name == "localhost" or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped.is_loopback
    return found.is_loopback


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
    if not token_asked_for() or token_shown():
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
    if told not in (shown, _NONE) and not token_shown():
        st.rerun()  # and tell the browser to forget it


def token_missing() -> bool:
    """Whether the token is asked for and this browser does not have it."""
    return token_asked_for() and not token_shown()


def token_shown() -> bool:
    """Whether the browser of this session has shown the token."""
    shown = str(st.session_state.get(_SHOWN, ""))
    return hmac.compare_digest(shown.encode("utf-8", "replace"), _TOKEN.encode())
