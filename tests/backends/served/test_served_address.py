"""An address says where a server is and never holds a secret; the key goes to that server alone."""

from __future__ import annotations

import pytest
from fakes.listening import Listening, as_json
from fakes.served.server import FakeServed
from fakes.served.sglang import FakeSGLang
from fakes.served.vllm import FakeVLLM
from given.tiny_models import ask

from ivan_core.backends.served.address import KEY, URL, address_of, is_address
from ivan_core.domain.errors import BackendUnavailable, BadInput
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine import access
from ivan_core.engine.access import NotAllowed, Visitor
from ivan_core.experiments.compare import plan as compare
from ivan_core.models import reward_models

SECRET = "s3cret-of-mine"


def test_an_address_may_name_a_model() -> None:
    for typed, url, model in (
        ("http://localhost:8000", "http://localhost:8000", ""),
        (" https://gpu.example.org/rm/ ", "https://gpu.example.org/rm", ""),
        ("http://localhost:8000/v1#owner/name", "http://localhost:8000", "owner/name"),
        ("http://[::1]:8000/#/models/rm", "http://[::1]:8000", "/models/rm"),
    ):
        found = address_of(typed)
        assert (found.url, found.model) == (url, model)
    assert is_address("HTTP://host") and not is_address("owner/name")


@pytest.mark.parametrize(
    "typed",
    [
        f"http://me:{SECRET}@host:8000",
        f"http://host:8000/?key={SECRET}",
        "http://",
        "http://host:eight",
        "http://host:8000#../folder",
    ],
)
def test_what_is_no_address_or_holds_a_secret_is_refused_before_any_work(typed: str) -> None:
    with pytest.raises(BadInput) as refused:
        reward_models.check(typed)
    assert SECRET not in refused.value.message + refused.value.hint


def test_the_key_goes_with_every_request_and_stands_nowhere_else(
    served: FakeServed, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.key = SECRET
    with pytest.raises(BackendUnavailable, match="asks for a key"):
        reward_models.make(served.url)
    monkeypatch.setenv(KEY, "another")
    with pytest.raises(BackendUnavailable, match="did not accept the key"):
        reward_models.make(served.url)
    monkeypatch.setenv(KEY, SECRET)
    model = reward_models.make(served.url)
    served.came.clear()
    model.score([ask("no")])
    assert [came.headers["authorization"] for came in served.came] == [f"Bearer {SECRET}"]
    assert all(SECRET not in came.path and SECRET.encode() not in came.body for came in served.came)
    assert SECRET not in model.card.model_dump_json() + repr(address_of(served.url))


def test_no_other_server_is_asked_whatever_the_first_says(
    served: FakeServed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    served.key = SECRET
    with Listening(lambda came: as_json({})) as other:
        served.elsewhere = other.url
        model = reward_models.make(served.url)
        served.fault = "moved"
        with pytest.raises(BackendUnavailable, match="which IVAN does not follow"):
            model.score([ask("no")])
        assert other.came == []


def test_a_refusal_that_repeats_the_key_is_shown_without_it(
    vllm: FakeVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    model = reward_models.make(vllm.url)
    vllm.answer = lambda came: as_json({"error": {"message": f"no: {SECRET}"}}, 403)
    with pytest.raises(BackendUnavailable) as refused:
        model.score([ask("no")])
    assert SECRET not in refused.value.message + refused.value.hint


def test_facts_that_repeat_the_key_are_kept_without_it(
    sglang: FakeSGLang, vllm: FakeVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    sglang.version, sglang.quantization = f"1.0 {SECRET}", SECRET
    card = reward_models.make(sglang.url).card
    assert card.server is not None
    assert (card.server.version, card.server.settings["quantization"]) == ("1.0 …", "…")
    assert SECRET not in card.model_dump_json() + reward_models.who_answers(sglang.url)
    vllm.others = (f"lab/{SECRET}",)
    with pytest.raises(BackendUnavailable, match="several models: lab/reward, lab/…"):
        reward_models.make(vllm.url)


def test_a_key_of_one_server_goes_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)
    both = ("http://localhost:8000", "http://gpu.example.org:8000")
    with pytest.raises(BadInput, match=r"would go to gpu\.example\.org:8000 and localhost:8000"):
        compare.check(CompareSpec(models=both))
    monkeypatch.setenv(URL, "http://localhost:8000/")
    compare.check(CompareSpec(models=both))
    assert [address_of(one).key for one in both] == [SECRET, ""]


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        ("http://LOCALHOST:8000/v1", "http://localhost:8000"),
        ("https://gpu.example.org:443", "https://GPU.example.org/rm"),
        ("http://[::1]", "http://[::1]:80"),
    ],
)
def test_one_server_may_be_written_in_several_ways(
    own: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    monkeypatch.setenv(URL, own)
    assert address_of(asked).key == SECRET
    for other in ("ftp" + own[4:], "http://localhost:80001", "http://localhost.example.org:8000"):
        monkeypatch.setenv(URL, other)
        assert address_of(asked).key == ""


def test_where_the_key_goes_to_another_server_that_is_said(
    vllm: FakeVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    vllm.key = SECRET
    monkeypatch.setenv(KEY, SECRET)
    monkeypatch.setenv(URL, "http://gpu.example.org")
    with pytest.raises(BackendUnavailable, match="asks for a key") as refused:
        reward_models.make(vllm.url)
    assert refused.value.hint == (
        f"The key of {KEY} goes to the server of {URL} alone: set that to this one."
    )
    assert SECRET not in vllm.everything


def test_a_key_over_plain_http_is_warned_of_and_texts_are_told_where_they_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("http://gpu.example.org:8000", "ivan/minilm-control")
    assert reward_models.remarks(names) == ["The texts go to gpu.example.org:8000."]
    monkeypatch.setenv(KEY, SECRET)
    assert reward_models.remarks(names) == [
        "The texts go to gpu.example.org:8000.",
        "The key goes to gpu.example.org:8000 over plain http: whoever is on the way can read it.",
    ]
    assert len(reward_models.remarks(["http://127.0.0.1:8000"])) == 1
    assert reward_models.remarks(["ivan/minilm-control"]) == []


def test_a_key_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "two words")
    with pytest.raises(BackendUnavailable, match="is no key"):
        reward_models.check("http://localhost:8000")


def test_only_owners_name_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_provider", lambda: Visitor(local=False))
    with pytest.raises(NotAllowed, match="Naming the address of a server from another machine"):
        compare.check(CompareSpec(models=("http://localhost:8000",)))
