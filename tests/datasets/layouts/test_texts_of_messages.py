"""What stands where a text belongs, in each layout that has messages: blocks, null, tool calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from given.layouts.published import PUBLISHED, Published, Row
from given.layouts.reading import bad, read, told

Change = Callable[[Any], Any]
"""Of a value anywhere in a row: what stands there instead."""


def changed(value: Any, change: Change) -> Any:
    """A value with the change at every place in it."""
    if isinstance(value, dict):
        return change({name: changed(one, change) for name, one in value.items()})
    if isinstance(value, list):
        return [changed(one, change) for one in value]
    return change(value)


def in_blocks(value: Any) -> Any:
    """A message with its text in two blocks."""
    if not (isinstance(value, dict) and isinstance(value.get("content"), str)):
        return value
    half = len(value["content"]) // 2
    parts = value["content"][:half], value["content"][half:]
    return {**value, "content": [{"type": "text", "text": part} for part in parts]}


def with_a_call(value: Any) -> Any:
    """A message in which a tool is called, with no text."""
    if not (isinstance(value, dict) and "role" in value and "content" in value):
        return value
    return {**value, "content": None, "tool_calls": [{"function": {"name": "f"}}]}


def by_a_tool(value: Any) -> Any:
    """A message in which a tool answers."""
    return {**value, "role": "tool"} if isinstance(value, dict) and "role" in value else value


def has_messages(one: Published) -> bool:
    rows = one.rows("Hi?", "Hello.", "Go.")
    return bool(changed(rows, by_a_tool) != rows)


CHATS = [one for one in PUBLISHED if has_messages(one)]
IN_CHATS = pytest.mark.parametrize("one", CHATS, ids=lambda one: one.layout)


def test_the_layouts_with_messages_are_these() -> None:
    assert {one.layout for one in CHATS} == {
        "trl-explicit",
        "trl-implicit",
        "ultrafeedback-binarized",
        "messages-beside-text",
        "pref-test-sets",
        "rmb-best-of-n",
        "rmb-pairwise",
        "arena-33k",
        "arena-140k",
        "helpsteer3",
        "kto",
    }


@IN_CHATS
def test_a_text_in_blocks_is_one_text(tmp_path: Path, one: Published) -> None:
    rows = one.rows("Hi?", "Hello.", "Go.")
    blocks = changed(rows, in_blocks)
    assert (blocks != rows) == (one.layout != "arena-140k")
    # The arena came out in both forms, which are told apart by that.
    layout = one.layout if one.layout.startswith("arena") else ""
    plain = told(read(tmp_path, rows))
    assert told(read(tmp_path, blocks, ".jsonl.gz", layout)) == plain


@IN_CHATS
@pytest.mark.parametrize(
    ("change", "reason"),
    [(with_a_call, "a tool call, which is no text"), (by_a_tool, "a message of the role 'tool'")],
)
def test_calls_and_answers_of_tools_are_named_and_never_printed(
    tmp_path: Path, one: Published, change: Change, reason: str
) -> None:
    rows = one.rows("Hi?", "Hello.", "Go.")
    dataset = read(tmp_path, [*rows, *changed(one.rows("And?", "Well.", "No."), change)])
    assert dataset.rows == one.pairs and bad(dataset)
    assert all(reason in why for why in bad(dataset).values())


def without(text: str) -> Change:
    """Null in place of every text that has these words."""
    return lambda value: None if isinstance(value, str) and text in value else value


@pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: one.layout)
@pytest.mark.parametrize("words", ["And?", "Well.", "No."])
def test_null_where_a_text_belongs_makes_a_bad_line_and_is_never_printed(
    tmp_path: Path, one: Published, words: str
) -> None:
    good = one.rows("Hi?", "Hello.", "Go.")
    damaged: list[Row] = changed(one.rows("And?", "Well.", "No."), without(words))
    dataset = read(tmp_path, [*good, *damaged])
    if words == "And?" and one.layout == "trl-standard":
        # A row without a prompt is one of texts alone.
        assert dataset.rows == 2
        return
    assert dataset.rows == one.pairs and bad(dataset)
    assert not any("None" in text for pair in told(dataset) for side in pair for _, text in side)
