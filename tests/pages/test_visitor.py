"""Whether a page's visitor is at this machine, by what a request tells, and who is logged in."""

from __future__ import annotations

import pytest
from streamlit.runtime.context import StreamlitHeaders
from streamlit.testing.v1 import AppTest

from ivan_core.engine.access import LOCAL, token_asked_for
from pages.components.kit.visitor import (
    behind_proxy,
    is_here,
    is_of_another_site,
    verified_login,
    visitor,
)

BROWSER = {"Host": "127.0.0.1:8501", "Origin": "http://127.0.0.1:8501", "User-Agent": "Chromium"}


def here(*more: tuple[str, str], address: str | None = None, **changed: str | None) -> bool:
    """A browser's request with some headers changed, left out (None) or added."""
    headers = {name: value for name, value in {**BROWSER, **changed}.items() if value is not None}
    return is_here(address, StreamlitHeaders([*headers.items(), *more]))


def test_a_browser_at_this_machine_is_here() -> None:
    assert here()
    assert here(Origin=None)
    assert not is_here(None, StreamlitHeaders([]))  # its browser has gone


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8501",
        "LOCALHOST:8501",
        "127.0.0.1",
        "127.0.0.1:8501",
        "127.8.9.1",
        "[::1]",
        "[::1]:8501",
        "[::ffff:127.0.0.1]:8501",
    ],
)
def test_a_loopback_host_is_here(host: str) -> None:
    assert here(Host=host, Origin=None)
    assert here(Host=host, Origin=f"http://{host}")
    assert here(Host=host, Origin=f"HTTPS://{host}")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8501", "http://127.0.0.1:9999"),
        ("127.0.0.1:8501", "http://127.0.0.1"),
        ("127.0.0.1", "http://127.0.0.1:8501"),
        ("127.0.0.1:8501", "http://localhost:8501"),
        ("localhost:8501", "http://127.0.0.1:8501"),
        ("127.0.0.1:8501", "http://[::1]:8501"),
    ],
)
def test_a_page_of_another_port_or_name_is_elsewhere_and_of_another_site(
    host: str, origin: str
) -> None:
    assert not here(Host=host, Origin=origin)
    assert of_another_site({"Host": host, "Origin": origin})


def of_another_site(headers: dict[str, str], *allowed: str) -> bool:
    return is_of_another_site(StreamlitHeaders(headers.items()), allowed)


def test_the_servers_own_pages_are_of_no_other_site() -> None:
    assert not of_another_site(BROWSER)
    assert not of_another_site({"Host": "127.0.0.1:8501"})  # no page at all
    assert not of_another_site({"Host": "LOCALHOST:8501", "Origin": "http://localhost:8501"})


@pytest.mark.parametrize(
    "origin", ["null", "", "http://evil.com", "file://127.0.0.1:8501", "127.0.0.1:8501", "http://"]
)
def test_what_is_no_page_of_the_server_is_of_another_site(origin: str) -> None:
    assert of_another_site({**BROWSER, "Origin": origin})


def test_a_proxy_that_changes_host_tells_what_it_was() -> None:
    proxied = {"Host": "127.0.0.1:8501", "Origin": "https://ivan.example.org"}
    assert of_another_site(proxied)
    assert not of_another_site({**proxied, "X-Forwarded-Host": "ivan.example.org"})
    assert not of_another_site({**proxied, "X-Forwarded-Host": "inner, ivan.example.org"})
    assert of_another_site({**proxied, "X-Forwarded-Host": "evil.example.org"})
    assert not of_another_site(proxied, "https://ivan.example.org")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.evil.com",
        "127.0.0.1.evil.com:8501",
        "localhost.evil.com",
        "evil.com",
        "evil.com:8501",
        "localhost@evil.com",
        "evil.com@localhost",
        "localhost/@evil.com",
        "localhost#evil.com",
        "localhost?evil.com",
        "localhost\\@evil.com",
        "localhost, evil.com",
        "localhost:port",
        "localhost:99999",
        "localhost\t",
        " localhost",
        "localhost.",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0.0.0.0",
        "[::]",
        "10.0.0.1",
        "[fe80::1]",
        "::1",
        "[::1",
        "[::ffff:10.0.0.1]",
        "",
        ":8501",
        "192.168.1.7:8501",
        "ſocalhost",
        "localhost\u200b",
    ],
)
def test_any_other_host_is_elsewhere(host: str) -> None:
    assert not here(Host=host)
    assert not here(Origin=f"http://{host}")


def test_a_request_without_a_host_or_with_two_is_elsewhere() -> None:
    assert not here(Host=None)
    assert not here(("Host", "evil.com"))
    assert not here(("host", "127.0.0.1:8501"))
    assert not here(("ORIGIN", "http://127.0.0.1:8501"))


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "127.0.0.1:8501",
        "//127.0.0.1:8501",
        "file://localhost",
        "ftp://localhost",
        "https://evil.com",
        "http://127.0.0.1:8501/page",
        "http://",
    ],
)
def test_an_origin_that_is_not_this_machine_is_elsewhere(origin: str) -> None:
    assert not here(Origin=origin)


@pytest.mark.parametrize("value", ["127.0.0.1", "for=127.0.0.1", "localhost", "::1", "", "8.8.8.8"])
@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For",
        "x-forwarded-for",
        "X-FORWARDED-FOR",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded",
        "Forwarded",
        "FORWARDED",
        "Via",
        "X-Real-IP",
        "x-real-ip",
        "CF-Connecting-IP",
        "True-Client-IP",
    ],
)
def test_any_trace_of_a_proxy_is_elsewhere_whatever_it_says(name: str, value: str) -> None:
    assert not here((name, value))
    assert not here((name, "127.0.0.1"), (name, value))


@pytest.mark.parametrize(
    ("address", "is_local"),
    [
        (None, True),
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("203.0.113.9", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_the_address_must_be_a_loopback_one(address: str | None, is_local: bool) -> None:
    assert here(address=address) is is_local


@pytest.mark.parametrize(
    ("value", "proxied"),
    [("1", True), ("yes", True), ("nginx", True), ("0", False), ("False", False), ("", False)],
)
def test_the_setting_says_whether_a_proxy_stands_in_front(
    value: str, proxied: bool, data_dir: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVAN_BEHIND_PROXY", value)
    assert behind_proxy() is proxied


@pytest.mark.parametrize(
    ("claims", "login"),
    [
        ({"is_logged_in": True, "email": "a@example.org"}, "a@example.org"),
        ({"is_logged_in": True, "email": "a@example.org", "email_verified": True}, "a@example.org"),
        ({"is_logged_in": True, "email": "a@example.org", "email_verified": False}, None),
        ({"is_logged_in": True, "email": "a@example.org", "email_verified": "False"}, None),
        ({"is_logged_in": False, "email": "a@example.org"}, None),
        ({"is_logged_in": "true", "email": "a@example.org"}, None),
        ({"email": "a@example.org"}, None),
        ({"is_logged_in": True, "email": ["a@example.org"]}, None),
        ({"is_logged_in": True}, None),
        ({}, None),
    ],
)
def test_only_a_verified_login_counts(claims: dict[str, object], login: str | None) -> None:
    assert verified_login(claims) == login


def test_a_thread_without_a_page_is_the_servers_own() -> None:
    assert visitor() is LOCAL


def test_the_test_runner_which_has_no_browser_is_local() -> None:
    def page() -> None:
        import streamlit as st

        from pages.components.kit.visitor import visitor

        st.text(str(visitor().local))

    app = AppTest.from_function(page, default_timeout=300).run()
    assert [text.value for text in app.text] == ["True"]


@pytest.mark.parametrize(
    ("value", "asked"),
    [("1", True), ("yes", True), ("0", False), ("", False), ("off", False), (" No ", False)],
)
def test_the_token_is_asked_for_by_a_setting(
    value: str, asked: bool, data_dir: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVAN_TOKEN", value)
    assert token_asked_for() is asked
