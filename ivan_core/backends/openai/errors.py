"""What went wrong at an OpenAI-compatible API, as a sentence and a next step."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ivan_core.backends.openai.client import (
    BASE_URL,
    KEY,
    Account,
    Redirected,
    is_redirect,
    redirect_told,
)
from ivan_core.domain.errors import ODD_DATA, BackendUnavailable
from ivan_core.domain.labels import AnswerLost
from ivan_core.labels.completions import shortened

LONGEST_WAIT = 120.0
"""Seconds. A provider that asks for a longer wait is not waited for."""
_LONGEST_ASKED = 1e6
"""Seconds. Who asks for more counts as not having said."""
_LOST_STATUS = (408, 409)
"""Refusals that a server or a gateway also gives while the first request is still at work."""
_LONGEST_WORDS = 10_000
_KEY_LIKE = re.compile(r"\b(sk|pk|key|Bearer)[-_ ][\w*.\-]{6,}", re.IGNORECASE)
_NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}


class ProviderBusy(BackendUnavailable):
    """The provider answers, but not now. `retry_after` is the wait in seconds it asked for."""

    def __init__(self, message: str, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after

    @property
    def worth_waiting(self) -> bool:
        return self.retry_after is None or self.retry_after <= LONGEST_WAIT


class NoCredit(BackendUnavailable):
    """The account cannot pay; asking again changes nothing."""


class NotAtProvider(BackendUnavailable):
    """The account has no such batch, file or model."""


class RequestRefused(BackendUnavailable):
    """The provider read the request and will not do it; the same request will fail again."""


def client_errors() -> tuple[type[Exception], ...]:
    """All that the client raises when a call fails: it stumbles over odd answers too."""
    import httpx2
    import openai

    return (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, *ODD_DATA)


def timed_out(error: BaseException) -> bool:
    """Whether the server took the request and then was silent for too long."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return not never_sent(error) and bool(names & {"APITimeoutError", "TimeoutException"})


def never_sent(error: BaseException) -> bool:
    """Whether no byte of the request can have reached the server."""
    # Causes only: an error that happened earlier says nothing about this request.
    return any(type(e).__name__ in _NOT_SENT for e in (error, error.__cause__))


def status_of(error: BaseException) -> int:
    """The HTTP status of the answer; 0 if none came."""
    status = getattr(error, "status_code", 0)
    return status if isinstance(status, int) else 0


def lost_answer(error: BaseException, account: Account) -> AnswerLost | None:
    """For a request that may cost money: what to raise if nobody knows whether it took effect."""
    status = status_of(error)
    redirect = is_redirect(status)
    refused = 0 < status < 500 and status not in _LOST_STATUS and not redirect
    if refused or (not status and never_sent(error)):
        return None
    return AnswerLost(
        _redirect(error, account)
        if redirect
        else f"The request was sent to {account.host}, but no usable answer came back.",
        "IVAN looks for the batch before it sends anything again.",
    )


def provider_problem(error: BaseException, account: Account, what: str = "") -> BackendUnavailable:
    """What to raise for an error of the client; `what` names the thing asked for."""
    status, host = status_of(error), account.host
    code = str(getattr(error, "code", "") or getattr(error, "type", "") or "")
    if code in ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active"):
        return NoCredit(
            f"The account at {host} has no credit left.",
            "Add credit or raise the limit on the provider's billing page, then resume.",
        )
    if is_redirect(status):
        where = f"set {BASE_URL} in .env to it" if account.of_environment else "ask there"
        return Redirected(
            _redirect(error, account),
            "Your key and texts go to the server you named alone. "
            f"If that address is right, {where}.",
        )
    said = _said(error, account)
    match status:
        case 0:
            return _no_answer(error, host)
        case 401:
            return RequestRefused(
                f"{host} did not accept the key." if account.key else f"{host} asks for a key.",
                f"Check {KEY} in .env."
                if account.of_environment
                else "Set IVAN_ENDPOINT_KEY in .env.",
            )
        case 403:
            return RequestRefused(
                f"{host} does not allow this account to do that{said}.",
                "Check the rights of the key and whether the project may use the model.",
            )
        case 404:
            return NotAtProvider(
                f"{host} has no {what or 'such thing'}{said}.",
                "Check the id, and that the key belongs to the account it was made with.",
            )
        case 429:
            return _busy(error, host)
    if status >= 500:
        return ProviderBusy(
            f"{host} has trouble of its own (HTTP {status}).",
            "It will be tried again; the provider's status page may tell more.",
            _retry_after(error),
        )
    return RequestRefused(
        f"{host} refused the request (HTTP {status}){said}.",
        "Check the model and its settings; the same request would be refused again.",
    )


def _redirect(error: BaseException, account: Account) -> str:
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    location = headers.get("location")
    return redirect_told(account.host, account.base_url, status_of(error), location)


def _no_answer(error: BaseException, host: str) -> BackendUnavailable:
    names = {kind.__name__ for kind in type(error).__mro__}
    if never_sent(error):
        return BackendUnavailable(
            f"{host} cannot be reached.",
            "Check the address and the network; it will be tried again.",
        )
    if timed_out(error):
        return BackendUnavailable(
            f"{host} did not answer in time.", "It will be tried again; nothing was lost."
        )
    if names & {"APIConnectionError", "HTTPError", "TransportError"}:
        return BackendUnavailable(
            f"The connection to {host} broke off before the answer was complete.",
            "It will be tried again; nothing was lost.",
        )
    return BackendUnavailable(
        f"{host} answered with something that is no answer of an OpenAI-compatible API.",
        "Check the base URL: it usually ends in /v1.",
    )


def _busy(error: BaseException, host: str) -> ProviderBusy:
    wait = _retry_after(error)
    asked = (
        f" and asks to wait {wait:.0f} {'second' if round(wait) == 1 else 'seconds'}"
        if wait
        else ""
    )
    return ProviderBusy(
        f"{host} has had too many requests from this account{asked}.",
        "It will be tried again; fewer at a time, or a higher tier, avoids it.",
        wait,
    )


def _retry_after(error: BaseException) -> float | None:
    """Seconds that the provider asks to wait; None if it does not say."""
    return seconds_asked(getattr(getattr(error, "response", None), "headers", None) or {})


def seconds_asked(headers: Any) -> float | None:
    """Seconds that the headers of an answer ask to wait; None if they do not say."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except (TypeError, ValueError):
            continue
        if 0 <= seconds < _LONGEST_ASKED:
            return seconds
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
        seconds = max(0.0, (until - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, ArithmeticError):  # a year of eleven digits overflows
        return None
    return seconds if seconds < _LONGEST_ASKED else None


def _said(error: BaseException, account: Account) -> str:
    """The provider's own words on one line, without anything that looks like a key."""
    return words_of(getattr(error, "body", None), account.key)


def words_of(body: Any, key: str = "") -> str:
    """What the body of a refusal says, from ": " on, without the key; empty if nothing."""
    inner = body.get("error", body) if isinstance(body, dict) else body
    words = inner.get("message") if isinstance(inner, dict) else inner
    if not isinstance(words, str) or "<html" in words.lower():
        return ""
    if key:
        words = words.replace(key, "…")
    line = shortened(_KEY_LIKE.sub("…", words[:_LONGEST_WORDS])).rstrip(".")
    return f": {line}" if line else ""
