"""Result files of any engine: what each line says, and what is done with lines that say nothing.

Downloaded ones are whole or named, kept at once or not, and merged with no line lost.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.labels import TextKey
from ivan_core.domain.models import ModelReply
from ivan_core.labels import result_files
from ivan_core.labels.completions import reply_of
from ivan_core.labels.result_files import (
    MOST_LINE_BYTES,
    Held,
    ResultLine,
    add_lost_lines,
    arriving,
    held_in,
    keep_download,
    merge_raw,
    read_result_lines,
)

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


A = b'{"custom_id": "0.chosen", "response": {"status_code": 500}}\n'
B = b'{"custom_id": "0.rejected", "error": {"code": "busy"}}\r\n'
ASKED = ("0.chosen", "0.rejected")
NONE, FIRST, BOTH = frozenset[str](), frozenset(ASKED[:1]), frozenset(ASKED)
WIDE = A.decode().strip()
ABSURD = (
    b'{"custom_id": "0.chosen", "response": {"body": {"usage": {"prompt_tokens": '
    + b"9" * 5_000
    + b"}}}}\n"
)


@pytest.mark.parametrize(
    ("content", "answered", "results", "said"),
    [
        (A + B, BOTH, True, ""),
        (b"\xef\xbb\xbf" + A + b"\n" + B, BOTH, True, ""),
        (A + A, FIRST, True, ""),
        (A + B.replace(b"0.", b"7."), FIRST, True, ""),
        (b"", NONE, False, "it is empty"),
        (b"\n\n", NONE, False, "it is empty"),
        (A + B[:-2], BOTH, True, "it ends in the middle of a line"),
        (A + B[:-4], FIRST, True, "it ends in the middle of a line"),
        (A + b"{cut\n", FIRST, True, "line 2 is not valid JSON"),
        (A + b"[" * 100_000 + b"\n", FIRST, True, "line 2 is not valid JSON"),
        (A + b'"\xff"\n', FIRST, True, "line 2 is not valid JSON"),
        (A + b"3\n", FIRST, True, "line 2 is no JSON object"),
        (b"<html><body>Busy</body></html>\n", NONE, False, "line 1 is not valid JSON"),
        (b'{"error": {"message": "No"}}\n', NONE, False, "line 1 is not one of a result file"),
        (b'{\n "error": {}\n}\n', NONE, False, "line 1 is not valid JSON"),
        (ABSURD, FIRST, True, ""),
        # What is no UTF-8 is no answer, though `json` would make something of these bytes.
        (
            A + b'{"custom_id": "0.rejected", "x": "\xed\xa0\x80"}\n',
            FIRST,
            True,
            "line 2 is not valid JSON",
        ),
        (f"{WIDE}\n".encode("utf-16-be"), NONE, False, "line 1 is not valid JSON"),
        (f"{WIDE}\n".encode("utf-32-be"), NONE, False, "line 1 is not valid JSON"),
    ],
)
def test_what_a_download_holds_is_counted_by_the_texts_that_were_asked_for(
    content: bytes, answered: frozenset[str], results: bool, said: str
) -> None:
    assert held_in(content, ASKED) == Held(answered, results, said)
    lines = [line for line in read_result_lines(content) if not line.damaged]
    assert {line.custom_id for line in lines} & BOTH == answered


@pytest.mark.parametrize(
    "empty",
    [
        b"",
        b', "response": null, "error": null',
        b', "response": {}, "error": {}',
        b', "response": "<html>Busy</html>"',
        b', "response": 200, "error": ""',
    ],
)
def test_a_line_with_neither_answer_nor_error_delivers_nothing(empty: bytes) -> None:
    held = held_in(A + b'{"custom_id": "0.rejected"' + empty + b"}\n", ASKED)
    assert held == Held(FIRST, True, "line 2 has neither an answer nor an error")


@given(st.integers(0, len(A + B) - 4))
def test_a_download_cut_anywhere_is_never_taken_for_whole(end: int) -> None:
    held = held_in((A + B)[:end], ASKED)
    assert len(held.answered) < 2


@pytest.mark.parametrize(
    ("came", "before", "then"),
    [
        (A, A + B, A + B),
        (A.rstrip(), B, A + B),
        (A + B, A, A + B),
        (A, b"<html>\n", A),
        (A, b"\xef\xbb\xbf" + B.rstrip(), A + B.replace(b"\r", b"")),
        (b"", A, A),
    ],
)
def test_a_worse_download_takes_no_line_away(
    tmp_path: Path, came: bytes, before: bytes, then: bytes
) -> None:
    arrived, old = tmp_path / "new", tmp_path / "old"
    arrived.write_bytes(came)
    old.write_bytes(before)
    add_lost_lines(arrived, old, ASKED)
    assert arrived.read_bytes() == then


def test_a_line_without_an_end_is_named_and_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    path.write_bytes(A + b"x" * (MOST_LINE_BYTES + 1) + b"\n" + B)
    assert held_in(path, ASKED) == Held(BOTH, True, "line 2 is longer than 16 MiB")


def arrive(content: bytes, path: Path) -> None:
    arrived = arriving(path)
    arrived.write_bytes(content)
    keep_download(arrived, path)


def test_a_kept_download_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "run" / "output.jsonl"
    arrive(A, path)
    arrive(A + B, path)
    assert path.read_bytes() == A + B
    assert [one.name for one in path.parent.iterdir()] == ["output.jsonl"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageProblem, match="cannot be written"):
        arrive(A, tmp_path / "file" / "output.jsonl")


def test_parts_are_merged_line_by_line_as_they_came(tmp_path: Path) -> None:
    errors = tmp_path / "errors.jsonl"
    errors.write_bytes(b"\xef\xbb\xbf" + B + b"{cut")
    out = tmp_path / "taxonomy-output" / "2026-03-01-09-00.jsonl"
    assert merge_raw([A, errors, b"", b"\xef\xbb\xbf", A.strip()], out) == 4
    assert out.read_bytes() == A + B + b"{cut\n" + A
    assert merge_raw([A], out) == 1
    assert out.read_bytes() == A


def test_a_missing_part_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "merged.jsonl"
    merge_raw([A], out)
    with pytest.raises(BadInput, match="There is no file"):
        merge_raw([B, tmp_path / "none.jsonl"], out)
    assert out.read_bytes() == A
    assert [one.name for one in tmp_path.iterdir()] == ["merged.jsonl"]
