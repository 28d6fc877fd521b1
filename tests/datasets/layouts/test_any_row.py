"""Whatever rows come, reading them gives pairs, names lines or refuses; it never breaks."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from given.layouts.published import HOSTILE, PUBLISHED, Published
from hypothesis import given, settings, strategies as st

from ivan_core.datasets.layouts import known
from ivan_core.datasets.layouts.messages import NotAPair
from ivan_core.datasets.lines import Cells
from ivan_core.datasets.reading import PairReader
from ivan_core.domain.errors import BadInput

COLUMNS = sorted({name for layout in known.LAYOUTS for name in (*layout.needs, *layout.also)})
WORDS = ["", HOSTILE, "model_a", "tie", "A>B", "true", "1", "[]", '["a", "b"]', "N/A", "\ud83d"]
KEYS = ["role", "from", "content", "value", "type", "text", "answer", "rank", "llm_name"]
KEYS += ["response", "overall_score", "tool_calls", "model"]
TEXTS = st.sampled_from([*WORDS, "user", "assistant", "system", "tool"]) | st.text(max_size=3)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([10**400, math.nan, math.inf, -0.0, 1.5])
    | TEXTS
)
VALUES = st.recursive(
    PLAIN,
    lambda of: (
        st.lists(of, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | TEXTS, of, max_size=3)
    ),
    max_leaves=6,
)
SENSIBLE = {one.layout: one.rows("Hi?", "Hello.", "Go.") for one in PUBLISHED}


def read(rows: list[dict[str, Any]], layout: str = "") -> int:
    """The pairs that come of rows, each with columns that a table can hold."""
    reader, count = PairReader(layout=layout), 0
    try:
        for pair, added in reader.read(enumerate(rows, start=1)):
            count += 1
            assert pair.chosen.turns or pair.chosen.preamble or not pair.chosen.text
            assert math.isfinite(added.get("strength", 0.0))
    except BadInput as refused:
        assert refused.message.endswith(".") and refused.hint.endswith(".")
        return 0
    assert len({line.line for line in reader.bad}) == len(reader.bad)
    return count


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=6), max_size=3))
def test_rows_of_any_columns_are_read_or_named(rows: list[dict[str, Any]]) -> None:
    assert read(rows) >= 0


@pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: one.layout)
@settings(max_examples=15)
@given(data=st.data())
def test_a_layout_takes_rows_with_anything_in_its_columns(
    one: Published, data: st.DataObject
) -> None:
    """Each row is one of its makers' but for some columns, and is read after a good one."""
    good = SENSIBLE[one.layout]
    changed = st.dictionaries(st.sampled_from(sorted(good[0])), VALUES, min_size=1, max_size=3)
    odd = [{**row, **data.draw(changed)} for row in good]
    assert read([*good, *odd], one.layout) >= one.pairs
    assert read(odd, one.layout) >= 0


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=6), st.booleans())
def test_a_row_alone_is_an_item_or_no_pair_in_every_layout(
    row: dict[str, Any], of_texts: bool
) -> None:
    if of_texts:
        row = Cells({name: json.dumps(value) for name, value in row.items()})
    for layout in known.LAYOUTS:
        if layout.gather is None:
            try:
                item = layout.read(layout.unfolded(row) if of_texts else row)
            except NotAPair as why:
                assert str(why)
                continue
            assert set(item.better) <= set(range(len(item.replies)))
            assert item.models == () or len(item.models) == len(item.replies)
            assert item.scores == () or len(item.scores) == len(item.replies)


ROLES = st.sampled_from(["user", "assistant", "system"])


@settings(max_examples=50)
@given(st.lists(st.tuples(ROLES, st.text(max_size=8) | st.just(HOSTILE)), min_size=1, max_size=4))
def test_messages_before_a_reply_come_out_as_they_are(told: list[tuple[str, str]]) -> None:
    roles = {"user": "Human", "assistant": "Assistant", "system": "System"}
    row = {
        "context": [{"role": role, "content": text} for role, text in told],
        "response1": HOSTILE,
        "response2": "Go.",
        "overall_preference": 1,
    }
    item = known.named("helpsteer3").read(row)
    expected = tuple((roles[role], text) for role, text in told)
    replies = [dialogue.messages for dialogue in item.replies]
    stripped = [tuple((role, text.strip()) for role, text in reply) for reply in replies]
    for reply, said in zip(stripped, (HOSTILE, "Go."), strict=True):
        assert reply == (*((r, t.strip()) for r, t in expected), ("Assistant", said))
    assert item.better == (1,)
