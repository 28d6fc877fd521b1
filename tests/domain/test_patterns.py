"""Regular expressions of user columns: what is dangerous is refused, and any search ends."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.columns.expressions import TooSlow, compile_pattern


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
