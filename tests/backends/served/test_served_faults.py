"""Whatever a server does, no row is lost and none is doubled; or the run stops with a sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes.listening import Listening, as_json
from fakes.served.server import FakeServed, logit_of
from fakes.served.sglang import FakeSGLang
from fakes.served.tei import FakeTEI
from fakes.served.vllm import FakeVLLM
from given.support import free_port
from given.tiny_models import ask

from ivan_core.backends.served.sending import PATIENCE
from ivan_core.domain.errors import BackendUnavailable
from ivan_core.domain.models import RewardModel
from ivan_core.models import reward_models

TEXTS = [ask(f"number {number}") for number in range(70)]


def now_and_then(number: int) -> bool:
    return number % 2 == 0


def scores(model: RewardModel) -> list[float | None]:
    return [reward.value for reward in model.score(TEXTS)]


@pytest.mark.parametrize(
    "fault",
    [
        *("busy", "full", "wait", "wait-none", "dead", "gone"),
        *("half", "html", "missing", "string"),
    ],
)
def test_after_a_passing_fault_every_row_has_its_score_once(served: FakeServed, fault: str) -> None:
    model = reward_models.make(served.url)
    expected = scores(model)
    served.read.clear()
    served.fault, served.when = fault, now_and_then
    assert scores(model) == expected
    assert sorted(map(logit_of, served.read)) == sorted(value or 0 for value in expected)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("busy", "has too many requests waiting"),
        ("wait-none", "asks to wait 0 seconds"),
        ("wait-past", "asks to wait 0 seconds"),
        ("deep", "something that is no JSON"),
        ("endless", "sends more than 1 MB"),
        ("digits", "not one score for each text"),
        ("wait-long", "asks to wait 3600 seconds"),
        ("dead", r"failed \(HTTP 500\): EngineDeadError"),
        ("gone", "broke off in the middle of its answer"),
        ("half", "something that is no JSON"),
        ("html", "something that is no JSON"),
        ("missing", "not one score for each text"),
        ("string", "not one score for each text"),
        ("denied", "does not allow that: forbidden"),
        ("backend", "failed: NaN"),
        ("moved", r"redirect to http://127\.0\.0\.1:9 \(HTTP 302\), which IVAN does not follow"),
    ],
)
def test_a_lasting_fault_stops_the_run_with_a_sentence(
    served: FakeServed, fault: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATIENCE, "0.2")
    model = reward_models.make(served.url)
    served.fault = fault
    with pytest.raises(BackendUnavailable, match=said) as problem:
        model.score(TEXTS[:3])
    assert problem.value.hint


def test_where_nobody_listens_that_is_said() -> None:
    with pytest.raises(BackendUnavailable, match=r"No server answers at 127\.0\.0\.1:"):
        reward_models.make(f"http://127.0.0.1:{free_port()}")


def test_a_number_that_is_none_fails_its_row_alone(served: FakeServed) -> None:
    model = reward_models.make(served.url)
    expected = scores(model)
    for fault in ("nan", "null"):
        served.fault = fault
        rewards = model.score(TEXTS)
        failed = [place for place, reward in enumerate(rewards) if reward.value is None]
        assert failed == [0, 32, 64]  # the first of each request
        assert "not a finite number" in (rewards[0].failure or "")
        assert [reward.value for reward in rewards if reward.value is not None] == [
            value for place, value in enumerate(expected) if place not in failed
        ]


def test_a_request_that_is_too_large_is_halved(served: FakeServed) -> None:
    model = reward_models.make(served.url)
    expected = scores(model)
    served.read.clear()
    served.most_texts = 5
    assert scores(model) == expected
    assert len(served.read) == len(set(served.read)) == len(TEXTS)


def test_a_text_that_is_refused_fails_alone(served: FakeServed) -> None:
    model = reward_models.make(served.url)
    expected = scores(model)
    served.limit = 100  # behind our back: now the server refuses what it took before
    long = [*TEXTS[:3], ask("no " * 120), *TEXTS[3:6]]
    rewards = model.score(long)
    assert [reward.value is None for reward in rewards] == [False] * 3 + [True] + [False] * 3
    assert (rewards[3].failure or "").startswith("the server refused the text: ")
    assert [reward.value for reward in rewards if reward.value is not None] == expected[:6]


def test_a_server_with_few_places_gets_fewer_texts_at_once(tei: FakeTEI) -> None:
    tei.most_at_once = 5
    model = reward_models.make(tei.url)
    assert None not in scores(model)


def test_answers_in_another_order_are_put_in_order(vllm: FakeVLLM) -> None:
    model = reward_models.make(vllm.url)
    expected = scores(model)
    vllm.backwards = True
    assert scores(model) == expected


# What is refused before a row is scored


def refused(server: FakeServed) -> str:
    with pytest.raises(BackendUnavailable) as problem:
        reward_models.make(server.url)
    return problem.value.message


def test_a_sigmoid_that_cannot_be_switched_off_is_refused(vllm: FakeVLLM) -> None:
    vllm.ignores_flag = True
    vllm.reward = lambda text: 0.001 * len(text)  # no two are equal behind the sigmoid
    assert "puts an activation behind its scores though it was asked for none" in refused(vllm)


def test_logits_without_any_activation_are_raw(vllm: FakeVLLM) -> None:
    vllm.raw_always = True
    reward_models.make(vllm.url)


def test_scores_that_all_lie_where_an_activation_gets_need_a_local_pass(sglang: FakeSGLang) -> None:
    sglang.reward = lambda text: sum(map(int, text)) / 1e6
    model = reward_models.make(sglang.url)
    with pytest.raises(BackendUnavailable, match="its weights are not on this machine"):
        model.compare(TEXTS[:4])
    sglang.reward = logit_of
    reward_models.make(sglang.url).compare(TEXTS[:4])


def test_the_classify_of_sglang_that_answers_one_to_everything_is_never_asked(
    sglang: FakeSGLang,
) -> None:
    reward_models.make(sglang.url).score(TEXTS)
    assert {came.path for came in sglang.came if came.method == "POST"} == {"/classify"}


def test_equal_scores_of_different_texts_are_refused(served: FakeServed) -> None:
    served.reward = lambda text: 3.5
    assert "gives every text the same score (3.5)" in refused(served)


def test_a_second_mark_of_the_beginning_is_refused(vllm: FakeVLLM) -> None:
    vllm.adds = 1
    assert "it adds some, such as a second mark of the beginning" in refused(vllm)


def test_a_cut_shows_in_the_count(tei: FakeTEI) -> None:
    tei.cuts = True
    assert "or cuts texts" in refused(tei)


def test_a_server_that_hides_its_count_is_refused(tei: FakeTEI) -> None:
    tei.hides_count = True
    assert "does not tell how many tokens it read" in refused(tei)


def test_scores_of_each_token_are_refused(vllm: FakeVLLM) -> None:
    vllm.fault = "per-token"
    assert refused(vllm) == "vLLM gives a score for each token, and not one for each text."


@pytest.mark.parametrize("lacks", ["/pooling", "/classify"])
def test_vllm_is_asked_in_the_way_that_it_has(vllm: FakeVLLM, lacks: str) -> None:
    vllm.lacks = (lacks,)
    assert None not in scores(reward_models.make(vllm.url))


def test_an_older_vllm_that_takes_no_ids_on_classify_is_asked_by_pooling(vllm: FakeVLLM) -> None:
    vllm.old = True
    assert None not in scores(reward_models.make(vllm.url))
    vllm.lacks = ("/pooling",)
    assert "no such address or model" in refused(vllm)


def test_sglang_started_for_texts_or_with_cuts_is_refused(sglang: FakeSGLang) -> None:
    sglang.older = True
    reward_models.make(sglang.url)
    sglang.truncates = True
    assert "cuts long texts in silence" in refused(sglang)
    sglang.generates = True
    assert "serves a model that writes texts" in refused(sglang)


def test_a_model_of_embeddings_is_refused(tei: FakeTEI) -> None:
    tei.embeds = True
    assert "serves a model that gives no scores" in refused(tei)


def test_what_is_none_of_the_three_is_said_to_be() -> None:
    with Listening(lambda came: as_json({"hello": "world"})) as other:
        with pytest.raises(BackendUnavailable, match="is none of vLLM, SGLang and text-embedd"):
            reward_models.make(other.url)
        assert {came.method for came in other.came} == {"GET"}


# A change under way


@pytest.mark.parametrize(
    "change",
    [
        lambda server: setattr(server, "weights", "new"),
        lambda server: setattr(server, "version", "1.1"),
        lambda server: setattr(server, "root", "lab/other"),
    ],
)
def test_other_weights_or_another_version_are_noticed(
    served: FakeServed, change: Callable[[FakeServed], None]
) -> None:
    model = reward_models.make(served.url)
    model.check_unchanged()
    change(served)
    with pytest.raises(BackendUnavailable, match="no longer serves what it served"):
        model.check_unchanged()


def test_weights_that_were_swapped_live_are_noticed(sglang: FakeSGLang) -> None:
    model = reward_models.make(sglang.url)
    sglang.weight_version = "step-200"
    with pytest.raises(BackendUnavailable, match="no longer serves what it served"):
        model.check_unchanged()


def test_a_run_goes_on_with_the_weights_it_began_with_and_no_others(vllm: FakeVLLM) -> None:
    card = reward_models.make(vllm.url).card
    # The last digits depend on what else a server does.
    vllm.reward = lambda text: logit_of(text) + 0.01
    again = reward_models.make(vllm.url, card.revision, kept=card)
    assert again.card.cache_identity == card.cache_identity
    vllm.reward = lambda text: logit_of(text, "new")
    with pytest.raises(BackendUnavailable, match="no longer serves what it served"):
        reward_models.make(vllm.url, card.revision, kept=card)
    with pytest.raises(BackendUnavailable, match="no longer serves what it served"):
        reward_models.make(vllm.url, card.revision)


@pytest.mark.parametrize(
    ("name", "value"), [("quantization", "fp8"), ("weight_version", "step-200")]
)
def test_settings_that_change_scores_part_two_servers_of_one_revision(
    sglang: FakeSGLang, name: str, value: str
) -> None:
    sglang.revision = "5" * 40
    card = reward_models.make(sglang.url).card
    assert reward_models.make(sglang.url, card.revision, kept=card).card == card
    setattr(sglang, name, value)
    other = reward_models.make(sglang.url).card
    assert (other.revision, other.dtype, other.lasts) == (card.revision, card.dtype, True)
    assert other.cache_identity != card.cache_identity
    with pytest.raises(BackendUnavailable, match="no longer serves what it served"):
        reward_models.make(sglang.url, card.revision, kept=card)


@pytest.mark.parametrize("engine", ["sglang", "tei"])
def test_a_run_goes_on_only_with_the_scores_it_began_with_though_a_revision_is_told(
    engine: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(engine)
    server.revision = "5" * 40
    card = reward_models.make(server.url).card
    assert card.lasts
    server.weights = "new"  # of which it tells nothing
    assert reward_models.make(server.url).card.cache_identity == card.cache_identity
    with pytest.raises(BackendUnavailable, match="no longer serves what it served"):
        reward_models.make(server.url, card.revision, kept=card)
