"""Repairs: every rule with its receipt, and what is never guessed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from ivan_core.domain.models import ModelReply
from ivan_core.labels import reading, repair
from ivan_core.labels.repair import Fix, mend, nearest, shown
from ivan_core.labels.schema import DISCRIMINATIONS, SCHEMA, TOPICS, feature
from ivan_core.labels.validate import Outcome, read_reply

HONEST, TONE = "last_response_is_honest", "last_response_sentiment"
AGAINST = "last_response_is_discriminating_against"
PLAIN = f'{{"{HONEST}": true, "{TONE}": "positive"}}'


def answered(text: str, *keys: str) -> Outcome:
    return read_reply(ModelReply(text=text), keys or (HONEST, TONE))


def one(key: str, value: object) -> Outcome:
    return answered(json.dumps({key: value}), key)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (f"```json\n{PLAIN}\n```", [reading.FENCE]),
        (f"```\n{PLAIN}\n```", [reading.FENCE]),
        (f"```JSON\n{PLAIN}", [reading.FENCE]),
        (f"Here are the labels:\n{PLAIN}\nAnything else?", [reading.AROUND]),
        (f"Sure.\n```json\n{PLAIN}\n```", [reading.AROUND]),
        (f"[{PLAIN}]", [reading.AROUND]),
        (f"\ufeff{PLAIN}", [reading.AROUND]),
        (PLAIN.replace("}", ",}"), [reading.COMMA]),
        (PLAIN.replace('"', "'"), [reading.QUOTES]),
        (PLAIN.replace("true", "True"), [reading.PYTHON]),
        (repr(json.loads(PLAIN)), [reading.QUOTES, reading.PYTHON]),
        (f"```python\n{json.loads(PLAIN)}\n```", [reading.QUOTES, reading.PYTHON, reading.FENCE]),
    ],
)
def test_the_form_is_mended_with_a_receipt(text, rules):
    outcome = answered(text)
    assert outcome.status == "repaired"
    assert outcome.labels == {HONEST: True, TONE: "positive"}
    assert [fix.rule for fix in outcome.fixes] == rules
    assert all(fix.key == "" for fix in outcome.fixes)


def test_what_is_taken_away_around_an_answer_stands_in_the_receipt():
    (fix,) = answered(f"Sure! {PLAIN} Bye.").fixes
    assert fix == Fix("", reading.AROUND, "Sure! … Bye.", "")


def test_quotes_and_escapes_of_both_kinds_are_read():
    text = """{'topics': ['People and self',], "last_response_sentiment": 'it\\'s "good"'}"""
    outcome = answered(text, "topics", TONE)
    assert outcome.labels == {"topics": ("People and self",)}
    assert outcome.problems[0].found == '"it\'s \\"good\\""'
    assert answered(f"{{'{TONE}': 'p\\u006fsitive'}}", TONE).labels == {TONE: "positive"}
    assert answered(f"{{'{TONE}': 'p\\x6fsitive'}}", TONE).status == "invalid"


def test_a_line_break_inside_a_text_is_overlooked():
    outcome = answered(f'{{"{TONE}": "positive\n"}}', TONE)
    assert [fix.rule for fix in outcome.fixes] == [reading.LOOSE, repair.SPELLING]


@pytest.mark.parametrize(
    "text",
    [
        f"{{'{HONEST}': not True}}",
        f"{{'{HONEST}': __import__('os').system('true')}}",
        f"{{'{HONEST}': 1 == 1}}",
        f"{{'{HONEST}': yes}}",
        f"{{{HONEST}: true}}",
        f"{{'{HONEST}': true,, }}",
        f"{{,'{HONEST}': true}}",
        f"{{'{HONEST}': true}} or {{'{HONEST}': false}}",
        f"{{think}} {{'{HONEST}': true}}",
        f"{{'{HONEST}': true /* sure */}}",
    ],
)
def test_code_and_damaged_objects_are_not_read(text):
    outcome = answered(text, HONEST)
    assert (outcome.status, outcome.labels, outcome.fixes) == ("invalid", {}, ())


@pytest.mark.parametrize(
    ("value", "label", "rule"),
    [
        ("true", True, repair.WORD),
        ("False", False, repair.WORD),
        (" YES. ", True, repair.WORD),
        ("no", False, repair.WORD),
        ("1", True, repair.WORD),
        (1, True, repair.NUMBER),
        (0, False, repair.NUMBER),
    ],
)
def test_yes_and_no_are_read_from_words_and_numbers(value, label, rule):
    outcome = one(HONEST, value)
    assert (outcome.status, outcome.labels) == ("repaired", {HONEST: label})
    assert outcome.fixes == (Fix(HONEST, rule, json.dumps(value), json.dumps(label)),)


@pytest.mark.parametrize("value", [2, -1, 0.0, "maybe", "yes and no", "", [True], {"a": True}])
def test_other_answers_to_yes_or_no_are_invalid(value):
    assert one(HONEST, value).status == "invalid"


@pytest.mark.parametrize(
    ("value", "label", "rule"),
    [
        ("Positive", "positive", repair.SPELLING),
        ("NEGATIVE!", "negative", repair.SPELLING),
        ("postive", "positive", repair.SPELLING),
        ("pos", "positive", repair.SYNONYM),
        ("Favourable", "positive", repair.SYNONYM),
        ("neg.", "negative", repair.SYNONYM),
        ("neither", "neutral", repair.SYNONYM),
    ],
)
def test_a_tone_is_read_from_near_spellings_and_synonyms(value, label, rule):
    outcome = one(TONE, value)
    assert outcome.labels == {TONE: label}
    assert outcome.fixes == (Fix(TONE, rule, json.dumps(value), json.dumps(label)),)


@pytest.mark.parametrize(
    "value", ["glad", "slightly positive", "mixed", "", 1, ["neutral"], "netral x"]
)
def test_other_tones_are_invalid(value):
    assert one(TONE, value).status == "invalid"


def test_near_is_nine_letters_of_ten_in_order():
    # positive 8 letters, postive 7, all of them in order: 2·7/15 = 0.933
    assert nearest("postive", ["negative", "positive"]) == "positive"
    # neutral and netural share 6 in order: 2·6/14 = 0.857
    assert nearest("netural", ["neutral"]) is None
    # the same letters with an "and" for "&": 2·14/(17 + 14) = 0.903
    assert nearest("Culture & the arts", TOPICS) == "Culture and the arts"
    assert nearest("human activity", TOPICS) is None
    assert nearest("race color and sex", DISCRIMINATIONS) == "Race, Color, and Sex"
    assert nearest("Reprisal/Retaliation", DISCRIMINATIONS) == "Reprisal / Retaliation"
    assert nearest("Race", DISCRIMINATIONS) is None


def test_a_word_near_to_two_values_is_not_mended():
    assert nearest("colour bx", ["colour b1", "colour b2"], least=0.8) is None
    assert nearest("abcdefghijk", ["abcdefghijk1", "abcdefghijk2"]) is None
    assert nearest("a b", ["A-B", "ab"]) is None
    two = replace(feature("topics"), values=("abcdefghijk1", "abcdefghijk2"))
    assert mend(two, ["abcdefghijk"]).problem is not None


@pytest.mark.parametrize(
    ("value", "label", "rules"),
    [
        (None, (), [repair.NOTHING]),
        ("None", (), [repair.NOTHING]),
        (["none"], (), [repair.NOTHING]),
        ("n/a", (), [repair.NOTHING]),
        ([None], (), [repair.NOTHING]),
        ("Gender", ("Gender",), [repair.SINGLE]),
        ("gender", ("Gender",), [repair.SINGLE, repair.SPELLING]),
        ("Race, Color, and Sex", ("Race, Color, and Sex",), [repair.SINGLE]),
        (["Gender", "Gender"], ("Gender",), [repair.TWICE]),
        (
            ["Political belief", "Political Belief", "Gender"],
            ("Political Belief", "Gender"),
            [repair.SPELLING, repair.TWICE],
        ),
    ],
)
def test_lists_are_mended_with_a_receipt_for_each_step(value, label, rules):
    outcome = one(AGAINST, value)
    assert (outcome.status, outcome.labels) == ("repaired", {AGAINST: label})
    assert [fix.rule for fix in outcome.fixes] == rules
    assert {fix.key for fix in outcome.fixes} == {AGAINST}


@pytest.mark.parametrize(
    "value",
    [
        ["Gender", "Height"],
        "Age",
        "?",
        "Gender, Pregnancy",
        ["Gender", None],
        ["Gender", ""],
        [["Gender"]],
        {"Gender": True},
        True,
        0,
        ["Gender"] * 51,
    ],
)
def test_invented_words_make_the_list_invalid(value):
    outcome = one(AGAINST, value)
    assert outcome.status == "invalid" and outcome.labels == {}
    assert [problem.key for problem in outcome.problems] == [AGAINST]


def test_a_label_nobody_asked_for_is_dropped_with_a_receipt():
    outcome = answered(PLAIN.replace("{", '{"mood": ["glad"], '))
    assert outcome.status == "repaired" and set(outcome.labels) == {HONEST, TONE}
    assert outcome.fixes == (Fix("", repair.EXTRA, '"mood": ["glad"]', ""),)
    many = answered(json.dumps({**json.loads(PLAIN), **{str(n): n for n in range(100)}}))
    assert len(many.fixes) == 21 and many.fixes[-1].before == "80 more"


def test_a_label_wrapped_in_another_object_is_missing():
    assert answered(f'{{"labels": {PLAIN}}}').labels == {}


def test_receipts_are_short_and_can_be_stored():
    assert len(shown("x" * 999)) == 200 and shown("x" * 999).endswith("…")
    assert shown(["a", [1], reading.Members(())]) == '["a", …, …]'
    assert shown("a\ud800b") == '"a?b"'
    assert "\n" not in shown("a\nb")


@given(st.sampled_from(SCHEMA), st.data())
def test_case_and_marks_never_change_what_is_meant(asked, data):
    if asked.kind == "boolean":
        return
    value = data.draw(st.sampled_from(asked.values))
    spelled = data.draw(
        st.sampled_from([value.upper(), value.lower(), f" {value}.", value.title()])
    )
    mended = mend(asked, spelled if asked.kind == "word" else [spelled])
    assert mended.label == (value if asked.kind == "word" else (value,))
    assert bool(mended.fixes) == (spelled != value)
