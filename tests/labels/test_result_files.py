"""Result files of any engine: what each line says, and what is done with lines that say nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import TextKey
from ivan_core.domain.models import ModelReply
from ivan_core.labels import result_files
from ivan_core.labels.completions import reply_of
from ivan_core.labels.result_files import ResultLine, read_result_lines

KEY = TextKey(12, "chosen")


def completion(content: Any = "{}", finish: str = "stop", **message: Any) -> dict[str, Any]:
    return {
        "choices": [{"message": {"content": content, **message}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 150},
    }


def line(response: Any, error: Any = None, custom_id: Any = "12.chosen") -> bytes:
    record = {"id": "r", "custom_id": custom_id, "response": response, "error": error}
    return json.dumps(record).encode() + b"\n"


def answered(content: Any = "{}", **more: Any) -> bytes:
    return line({"status_code": 200, "body": completion(content, **more)})


def only(content: bytes) -> ResultLine:
    (found,) = read_result_lines(content)
    return found


def reply(content: bytes) -> ModelReply:
    found = only(content)
    assert found.key == KEY
    assert not found.damaged
    assert found.reply is not None
    return found.reply


def test_an_answer_comes_with_its_finish_and_tokens() -> None:
    assert reply(answered('{"topics": []}')) == ModelReply(
        '{"topics": []}', finish="stop", input_tokens=900, output_tokens=150
    )
    assert only(answered()).raw == answered().decode().strip()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        # A request that failed: the error stands in the body.
        (
            line(
                {"status_code": 429, "body": {"error": {"code": "rate_limit", "message": "Slow"}}}
            ),
            "HTTP status 429: rate_limit: Slow",
        ),
        (line({"status_code": 500, "body": None}), "HTTP status 500"),
        (
            line({"status_code": "502", "body": "<html>bad gateway"}),
            "HTTP status 502: <html>bad gateway",
        ),
        # A request that never ran: there is no response.
        (
            line(None, {"code": "batch_expired", "message": "Out of time"}),
            "batch_expired: Out of time",
        ),
        # vLLM: the error is a string, or an object within an object.
        (line(None, "the model ran out of memory"), "the model ran out of memory"),
        (
            line(
                {"status_code": 400, "body": None}, {"error": {"code": 400, "message": "Too long"}}
            ),
            "HTTP status 400: 400: Too long",
        ),
        (line(None), "The line holds neither an answer nor an error."),
        (line("odd"), "The response is odd: odd"),
        (line({"status_code": 200, "body": None}), "The body is no JSON object: null"),
        (line({"status_code": 200, "body": {"choices": []}}), "The body holds no answer."),
        (line({"status_code": 200, "body": {"choices": "x"}}), "The body holds no answer."),
        (line({"status_code": 200, "body": {}}, "lost"), "lost"),
    ],
)
def test_a_line_without_an_answer_says_why(content: bytes, problem: str) -> None:
    assert reply(content) == ModelReply(problem=problem)


def test_an_answer_counts_even_beside_an_empty_or_a_told_error() -> None:
    body = {"status_code": 200, "body": completion("yes")}
    for error in ("", {}, [], False, {"code": None, "message": None}, "a warning"):
        assert reply(line(body, error)).text == "yes"


def test_refusal_cut_and_filtered_answers_keep_the_provider_s_word() -> None:
    assert reply(answered(None, refusal="I will not.")).refusal == "I will not."
    assert reply(answered('{"a', finish="length")).finish == "length"
    assert reply(answered(None, finish="content_filter")) == ModelReply(
        finish="content_filter", input_tokens=900, output_tokens=150
    )


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "{"}, {"type": "text", "text": "}"}, "odd", {"text": 3}]
    assert reply(answered(parts)).text == "{}"
    assert reply(answered([{"type": "refusal", "refusal": "No."}])).refusal == "No."


def test_a_body_without_status_code_is_judged_by_itself() -> None:
    assert reply(line({"body": completion("a")})).text == "a"
    assert reply(line(completion("b"))).text == "b"
    assert reply(line({"status_code": None, "body": {"error": "down"}})).problem == "down"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n  \n", b""])
def test_byte_order_mark_line_ends_and_blank_lines_change_nothing(end: bytes) -> None:
    first, second = answered("1").strip(), answered("2").strip()
    content = b"\xef\xbb\xbf" + first + (end or b"\n") + second + end
    found = list(read_result_lines(content))
    assert [one.reply.text for one in found if one.reply] == ["1", "2"]
    assert [one.raw for one in found] == [first.decode(), second.decode()]


def test_a_cut_last_line_is_named_and_keeps_its_id_and_the_rest_is_read() -> None:
    content = answered("1") + answered("2").replace(b"12.chosen", b"13.rejected")[:120]
    first, last = read_result_lines(content)
    assert first.reply is not None
    assert (last.reply, last.line, last.damaged) == (None, 2, "cut: the file ends within it")
    assert last.key == TextKey(13, "rejected")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"custom_id": "12.chosen", \n', "not valid JSON"),
        (b'{"custom_id": "12.chosen", "x": "\xff"}\n', "not UTF-8"),
        (b'{"custom_id": "12.chosen", "x": "\0"}\n', "not valid JSON"),
        (b'{"custom_id": "12.chosen", "x": ' + b"[" * 100_000 + b"\n", "not valid JSON"),
    ],
)
def test_a_damaged_line_is_named_with_the_text_it_was_for(content: bytes, why: str) -> None:
    found = only(content)
    assert (found.damaged, found.key, found.reply) == (why, KEY, None)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[1]\n", "not a JSON object"),
        (line({}, custom_id=None), "without a custom_id"),
        (line({}, custom_id=""), "without a custom_id"),
        (line({}, custom_id=["12.chosen"]), "without a custom_id"),
    ],
)
def test_a_line_of_nobody_is_damaged(content: bytes, why: str) -> None:
    assert (only(content).damaged, only(content).key) == (why, None)


def test_a_reply_cannot_pose_as_the_id_of_its_damaged_line() -> None:
    told = answered('{"custom_id": "99.chosen"}').replace(b'"custom_id": "12.chosen", ', b"")
    assert only(told[:-3]).key is None
    assert only(told[:-3]).custom_id == ""


@pytest.mark.parametrize(
    "custom_id", ["12", "012.chosen", "12.Chosen", "-1.chosen", "x" * 900, "\ud800", "1.chosen\n"]
)
def test_an_id_that_is_none_of_ours_has_no_key(custom_id: str) -> None:
    found = only(line({"body": completion()}, custom_id=custom_id))
    assert found.key is None
    assert found.reply is not None
    assert len(found.custom_id.encode()) <= 200


def test_a_huge_line_is_passed_over_and_the_next_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(result_files, "MOST_LINE_BYTES", 2**20)
    path = tmp_path / "output.jsonl"
    path.write_bytes(answered("x" * (3 * 2**20)) + answered("next"))
    huge, after = read_result_lines(path)
    assert (huge.damaged, huge.key) == ("longer than 1 MiB", KEY)
    assert len(huge.raw) == 1_000
    assert after.line == 2
    assert after.reply is not None
    assert after.reply.text == "next"


def test_half_characters_and_long_errors_are_made_fit_to_store() -> None:
    assert reply(answered("a\ud800b")).text == "a?b"
    assert reply(answered("nul \0")).text == "nul \0"
    problem = reply(line(None, "long \ud800 " * 1_000)).problem
    assert problem.startswith("long ? long")
    assert len(problem) <= 302


def test_a_missing_file_and_utf_16_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        list(read_result_lines(tmp_path / "none.jsonl"))
    with pytest.raises(BadInput, match="UTF-16"):
        list(read_result_lines(answered().decode().encode("utf-16")))
    assert list(read_result_lines(b"")) == []


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "error",
                    "usage",
                    "text",
                    "refusal",
                    "finish_reason",
                    "prompt_tokens",
                    "code",
                    "body",
                    "status_code",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_json, _json)
def test_whatever_a_line_holds_it_is_read(response: Any, error: Any) -> None:
    found = only(line(response, error))
    assert found.key == KEY
    assert isinstance(reply_of(response), ModelReply)


@given(st.binary(max_size=300))
def test_whatever_bytes_a_file_holds_its_lines_are_numbered_upwards(content: bytes) -> None:
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        numbers = [found.line for found in read_result_lines(content)]
        assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("usage", ["9" * 5_000, "-1", "1e400", '"many"', "[]", "1" + "0" * 30])
def test_an_absurd_usage_is_not_known_and_costs_no_label(usage: str) -> None:
    line = (
        '{"custom_id": "12.chosen", "response": {"status_code": 200, "body": {"choices": '
        '[{"message": {"content": "{}"}}], "usage": {"prompt_tokens": USAGE, '
        '"completion_tokens": 7}}}}'
    )
    found = only(line.replace("USAGE", usage).encode() + b"\n")
    assert (found.damaged, found.key) == ("", KEY)
    assert found.reply is not None
    assert (found.reply.text, found.reply.input_tokens, found.reply.output_tokens) == (
        "{}",
        None,
        7,
    )
