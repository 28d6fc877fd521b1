"""Expressions and regular expressions of user columns: by hand, no code ever runs, all end."""

from __future__ import annotations

import math
import time
from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.columns.expressions import (
    Sides,
    TooSlow,
    compile_expression,
    compile_pattern,
)

SIDES = Sides(
    reply="Sorry, I am sorry.", prompt="Human: Why?", text="Human: Why? Sorry, I am sorry."
)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("len(reply)", 18),
        ("words(reply)", 4),
        ('count(reply, "sorry")', 1),
        ('count(lower(reply), "sorry") / words(reply)', 0.5),
        ('has(prompt, "Why")', 1),
        ('"why" in prompt', 0),
        ('"why" not in prompt', 1),
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("-len(prompt) + +1", -10),
        ("10 < len(reply) <= 18", 1),
        ('len(reply) > 100 or not has(text, "zebra")', 1),
        ('has(text, "Why") and has(text, "zebra")', 0),
        ('lower("ABC") == "abc"', 1),
        ("True", 1),
        ("len(reply) / 0", None),
        ("1e308 * 10", None),
    ],
)
def test_an_expression_gives_the_number_worked_by_hand(source, value):
    assert compile_expression(source)(SIDES) == value


def test_a_side_without_a_reply_has_no_value():
    without = Sides(None, None, "Just a text.")
    assert compile_expression("len(reply)")(without) is None
    assert compile_expression("len(text)")(without) == 12


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("__import__('os').system('true')", "not among what an expression may hold"),
        ("reply.__class__", "not among"),
        ("(lambda: 1)()", "not among"),
        ("[len(x) for x in reply]", "not among"),
        ("open('/etc/passwd')", "no function called open"),
        ("eval('1')", "no function called eval"),
        ("len(x=reply)", "not among"),
        ("len(*reply)", "not among"),
        ("2 ** 9999999", "not among"),
        ("1 << 40", "not among"),
        ("len(reply) if True else 1", "not among"),
        ("f'{reply}'", "not among"),
        ("(y := 1)", "not among"),
        ("reply is reply", "not among"),
        ("b'x'", "neither a number nor a text"),
        ("1j", "neither a number nor a text"),
        ("None", "neither a number nor a text"),
        ("1e999", "too large"),
        ("9" * 400, "too large"),
        ("chosen", "nothing called chosen"),
        ("reply", "gives a text"),
        ("lower(reply)", "gives a text"),
        ('"a" * 3', "is a text where a number is needed"),
        ("len(3)", "is a number where a text is needed"),
        ("not len(reply)", "is a number where a truth is needed"),
        ("reply < 3", "cannot be compared"),
        ("3 in reply", "stands between two texts"),
        ('count(reply, "")', "something to look for"),
        ("count(reply)", "two arguments"),
        ("len(reply, reply)", "one argument"),
        ("len(reply", "not an expression at character"),
        ("a = 1", "not an expression"),
        ("", "not an expression"),
        ("(" * 300 + ")" * 300, "not an expression"),
        ("-" * 400 + "1", "nested too deeply"),
        ("[" + "-" * 400 + "1]", "not among"),
        ("1\0", "not an expression"),
    ],
)
def test_what_is_no_safe_expression_is_refused_in_a_sentence(source, said):
    with pytest.raises(BadInput) as refused:
        compile_expression(source)
    assert said in refused.value.message
    assert refused.value.hint


@given(st.text(max_size=60) | st.text("len(words reply,text)+-*/<>=\"'0aint", max_size=40))
def test_any_text_is_an_expression_or_refused(source):
    try:
        evaluate = compile_expression(source)
    except BadInput:
        return
    value = evaluate(SIDES)
    assert value is None or math.isfinite(value)


@given(st.text(max_size=40) | st.text("()[]{}?*+|\\^$.aR1,<>=:!&", max_size=25))
def test_any_text_is_a_regular_expression_or_refused(pattern):
    try:
        matches = compile_pattern(pattern)
    except BadInput as error:
        assert error.hint
        return
    with suppress(TooSlow):
        assert matches("an ab (a)", 0.5) >= 0


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "not a regular expression at character 2: missing )"),
        ("[a", "unterminated"),
        (r"\p{Nope}", "unknown property"),
        ("(?:a{9999}){9999}", "multiply to more than 10,000"),
        ("a{1000000000}", "multiply to more"),
        ("((a{300}){300}){300}", "multiply to more"),
        ("(?R)", "calls itself"),
        ("(a(?1)?)", "calls itself"),
        ("(?:" * 400, "too large"),
    ],
)
def test_a_dangerous_regular_expression_is_refused_at_the_door(pattern, said):
    start = time.process_time()
    with pytest.raises(BadInput) as refused:
        compile_pattern(pattern)
    assert said in refused.value.message
    assert time.process_time() - start < 1
