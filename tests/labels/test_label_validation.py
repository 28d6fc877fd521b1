"""Judging replies: what is valid, refused, failed or invalid, and that nothing makes it raise."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, strategies as st

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES, REWRITE_FEATURES
from ivan_core.domain.models import ModelReply
from ivan_core.labels.reading import LONGEST_ANSWER
from ivan_core.labels.repair import SAME_KEY
from ivan_core.labels.schema import SCHEMA, features, is_label
from ivan_core.labels.validate import Outcome, read_reply

HONEST, TONE, TOPICS = "last_response_is_honest", "last_response_sentiment", "topics"
GOOD = {HONEST: True, TONE: "neutral", TOPICS: ["Human activities", "People and self"]}
KEYS = tuple(GOOD)


def answered(text: str, keys=KEYS, **more: str) -> Outcome:
    return read_reply(ModelReply(text=text, **more), keys)


def problems(outcome: Outcome) -> dict[str, str]:
    return {problem.key: problem.message for problem in outcome.problems}


def values(one):
    if one.kind == "boolean":
        return st.booleans()
    if one.kind == "word":
        return st.sampled_from(one.values)
    return st.lists(st.sampled_from(one.values), unique=True)


def test_a_right_answer_is_valid_as_it_came():
    text = json.dumps(GOOD)
    assert answered(text) == Outcome(
        "valid",
        {HONEST: True, TONE: "neutral", TOPICS: ("Human activities", "People and self")},
        raw=text,
    )
    assert answered(f"\n {text} \n").status == "valid"


def test_labels_stand_in_the_order_of_the_schema_whatever_the_order_given():
    outcome = answered(json.dumps(dict(reversed(GOOD.items()))))
    assert outcome.status == "valid" and list(outcome.labels) == [HONEST, TONE, TOPICS]


@given(st.fixed_dictionaries({one.key: values(one) for one in SCHEMA}), st.booleans())
def test_valid_labels_round_trip_without_fixes(labels, ascii_only):
    outcome = answered(json.dumps(labels, ensure_ascii=ascii_only), FEATURES)
    assert outcome.status == "valid" and not outcome.fixes and not outcome.problems
    lists = {key: tuple(label) for key, label in labels.items() if isinstance(label, list)}
    assert outcome.labels == {**labels, **lists}


def test_an_error_comes_before_all_else():
    reply = ModelReply(json.dumps(GOOD), refusal="no", finish="length", problem="timed out")
    outcome = read_reply(reply, KEYS)
    assert (outcome.status, outcome.labels) == ("failed", {})
    assert outcome.problems[0].found == "timed out"


def test_a_refusal_is_not_read_even_with_an_answer_beside_it():
    refused = answered("", refusal="I cannot judge this.")
    assert (refused.status, refused.labels, refused.raw) == ("refused", {}, "I cannot judge this.")
    assert refused.problems[0].found == "I cannot judge this."
    assert answered(json.dumps(GOOD), refusal="no").status == "refused"
    assert answered(json.dumps(GOOD), finish="content_filter").status == "refused"


def test_a_cut_off_answer_is_not_used_even_if_it_can_be_read():
    outcome = answered(json.dumps(GOOD), finish="length")
    assert (outcome.status, outcome.labels) == ("invalid", {})
    assert "cut off" in outcome.problems[0].message
    assert answered(json.dumps(GOOD), finish="stop").status == "valid"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "The answer is empty."),
        (" \n", "The answer is empty."),
        ("I am sorry, but no.", "The answer holds no JSON object."),
        ("[1, 2]", "The answer holds no JSON object."),
        ("null", "The answer holds no JSON object."),
        ('{"topics": ["People', "The answer breaks off before its JSON object ends."),
        ('{"topics": [', "The answer breaks off before its JSON object ends."),
        ('{"topics" []}', "The JSON of the answer is damaged at character 11."),
        ('{"a": 1} {"a": 2}', "The answer holds more than one JSON object, or part of one."),
        ("{" * 3, "The JSON of the answer is damaged at character 2."),
        ('{"a": true "b": false}', "The JSON of the answer is damaged at character 12."),
    ],
)
def test_what_cannot_be_read_says_why(text, why):
    outcome = answered(text)
    assert (outcome.status, outcome.labels, outcome.raw) == ("invalid", {}, text)
    assert problems(outcome) == {"": why}


def test_each_wrong_label_is_named_and_the_right_ones_are_kept():
    outcome = answered(json.dumps({HONEST: "perhaps", TONE: "neutral", TOPICS: ["Cats"]}))
    assert outcome.status == "invalid" and outcome.labels == {TONE: "neutral"}
    assert problems(outcome) == {
        HONEST: "The answer is neither true nor false.",
        TOPICS: "The answer names what is not in the list.",
    }
    assert {problem.key: problem.found for problem in outcome.problems} == {
        HONEST: '"perhaps"',
        TOPICS: '"Cats"',
    }


def test_a_missing_label_is_never_guessed():
    outcome = answered(json.dumps({HONEST: True, TOPICS: []}))
    assert outcome.status == "invalid" and TONE not in outcome.labels
    assert problems(outcome) == {TONE: "The label is missing."}
    assert len(answered("{}", FEATURES).problems) == 19


def test_null_is_no_answer_to_yes_or_no():
    assert set(problems(answered(json.dumps({**GOOD, HONEST: None, TONE: None})))) == {HONEST, TONE}


def test_a_label_given_twice_counts_only_if_both_are_alike():
    rest = json.dumps(GOOD)[1:]
    differing = answered(f'{{"{HONEST}": false, {rest}')
    assert problems(differing) == {HONEST: "The label is given twice, differently."}
    assert differing.problems[0].found == "false / true"
    assert set(problems(answered(f'{{"{HONEST}": 1, {rest}'))) == {HONEST}
    alike = answered(f'{{"{TOPICS}": {json.dumps(GOOD[TOPICS])}, "{HONEST}": true, {rest}')
    assert alike.status == "repaired" and alike.labels[HONEST] is True
    assert [(fix.key, fix.rule) for fix in alike.fixes] == [(HONEST, SAME_KEY), (TOPICS, SAME_KEY)]


def test_unknown_keys_to_ask_for_are_refused():
    with pytest.raises(BadInput):
        answered("{}", ["nice"])


@pytest.mark.parametrize("keys", [FEATURES, REWRITE_FEATURES, KEYS])
@given(
    st.one_of(
        st.text(),
        st.text('{}[]:,"\'\\ truefalsnonTFN01-."'),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(FEATURES), inner),
        ).map(json.dumps),
        st.dictionaries(
            st.sampled_from(FEATURES) | st.text(),
            st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()),
        ).map(repr),
    )
)
def test_no_text_makes_it_raise_and_every_label_kept_is_allowed(keys, text):
    outcome = answered(text, keys)
    assert outcome.raw == text
    asked = {one.key: one for one in features(keys)}
    assert all(is_label(asked[key], label) for key, label in outcome.labels.items())
    complete = set(outcome.labels) == set(keys)
    assert complete == (outcome.status in ("valid", "repaired"))
    assert bool(outcome.problems) == (outcome.status == "invalid")
    assert (outcome.status == "valid") <= (not outcome.fixes)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000_000,
        '{"a":' * 2_000_000,
        "{" * LONGEST_ANSWER,
        "[" * LONGEST_ANSWER,
        '{"topics": ' + "[" * 900 + "]" * 900 + "}",
        '{"topics": ' + "[" * 900 + "]" * 900 + ', "topics": ' + "[" * 900 + "]" * 900 + "}",
        "{'topics': " + "[" * 40_000,
        '{"topics": "' + "\\" * 90_000,
        "{'a" * 33_000,
        '{"topics": [' + '"Gender",' * 11_000 + "]}",
        '{"topics": [' + '"Human activites",' * 5_000 + '"x"]}',
        '{"' + HONEST + '": ' + "9" * 90_000 + "}",
        '{"' + HONEST + '": 1e999999999, "topics": NaN}',
        "{" + ",".join(f'"{n}": {n}' for n in range(7_000)) + "}",
        '{"topics": "' + "ﷺ" * 90_000 + '"}',
        "```json\n" * 12_000,
    ],
    ids=range(16),
)
def test_hostile_answers_are_judged_soon_and_kept_short(text):
    start = time.process_time()
    outcome = answered(text, FEATURES)
    assert time.process_time() - start < 1.0
    assert outcome.status == "invalid" and not outcome.labels
    told = [*outcome.problems, *outcome.fixes]
    assert len(told) < 60
    assert all(len(getattr(one, "found", "")) <= 200 for one in told)
    assert all(len(fix.before) <= 200 and len(fix.after) <= 200 for fix in outcome.fixes)


def test_one_odd_number_spoils_its_own_label_only():
    for number in ("9" * 5_000, "NaN", "1.0", "-Infinity", "1e400"):
        outcome = answered(json.dumps(GOOD).replace("true", number))
        assert set(problems(outcome)) == {HONEST}, number
        assert set(outcome.labels) == {TONE, TOPICS}
        assert outcome.problems[0].found.startswith(number[:50])
