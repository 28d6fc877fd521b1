"""Request files keep the limits, and are read as a provider would; each fault has a sentence."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from ivan_core.domain.errors import BadInput, StorageProblem
from ivan_core.domain.labels import TextKey
from ivan_core.labels.request_files import (
    Limits,
    Request,
    RequestFile,
    check_request_file,
    write_request_files,
)
from ivan_core.runs.storage import file_sha256

SLUG = "2026-03-01-09-00"
MODEL = "gpt-6-luna"


def body(text: str = "hello") -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}]}


def pairs(rows: int, text: str = "hello", tokens: int = 10) -> Iterator[Request]:
    for row_id in range(rows):
        yield TextKey(row_id, "chosen"), body(text), tokens
        yield TextKey(row_id, "rejected"), body(text), tokens


def ids(part: RequestFile) -> list[str]:
    lines = part.path.read_bytes().removesuffix(b"\n").split(b"\n")
    return [json.loads(line)["custom_id"] for line in lines]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_line_is_a_request_of_the_batch_api(tmp_path: Path) -> None:
    (part,) = write_request_files(pairs(1), tmp_path / "taxonomy-input", SLUG)
    first, second = part.path.read_text("utf-8").splitlines()
    assert json.loads(first) == {
        "custom_id": "0.chosen",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body(),
    }
    assert json.loads(second)["custom_id"] == "0.rejected"
    assert part.path == tmp_path / "taxonomy-input" / "2026-03-01-09-00-1-input.jsonl"
    content = part.path.read_bytes()
    assert (part.requests, part.bytes, part.tokens) == (2, len(content), 20)
    assert part.sha256 == sha256(content).hexdigest() == file_sha256(part.path)


def test_a_body_that_is_json_already_is_written_as_it_is(tmp_path: Path) -> None:
    given_body = b'{"model": "m",  "messages": []}'
    (part,) = write_request_files([(TextKey(3, "chosen"), given_body, 1)], tmp_path, SLUG)
    assert part.path.read_bytes().endswith(b'"body":' + given_body + b"}\n")
    with pytest.raises(ValueError, match="one line"):
        write_request_files([(TextKey(3, "chosen"), b'{"model":\n"m"}', 1)], tmp_path, SLUG)


def test_five_requests_a_file_hold_two_pairs_because_a_pair_stays_together(tmp_path: Path) -> None:
    parts = write_request_files(pairs(5), tmp_path, SLUG, Limits(requests=5))
    assert [part.requests for part in parts] == [4, 4, 2]
    assert ids(parts[1]) == ["2.chosen", "2.rejected", "3.chosen", "3.rejected"]
    assert names(tmp_path) == [f"{SLUG}-{i}-input.jsonl" for i in (1, 2, 3)]


def test_a_limit_below_a_pair_parts_its_sides(tmp_path: Path) -> None:
    parts = write_request_files(pairs(2), tmp_path, SLUG, Limits(tokens=15))
    assert [ids(part) for part in parts] == [
        ["0.chosen"],
        ["0.rejected"],
        ["1.chosen"],
        ["1.rejected"],
    ]


def test_a_file_may_be_exactly_as_large_as_the_limit(tmp_path: Path) -> None:
    (whole,) = write_request_files(pairs(2), tmp_path / "a", SLUG)
    at = write_request_files(pairs(2), tmp_path / "b", SLUG, Limits(bytes=whole.bytes))
    below = write_request_files(pairs(2), tmp_path / "c", SLUG, Limits(bytes=whole.bytes - 1))
    assert [part.requests for part in at] == [4]
    assert [part.requests for part in below] == [2, 2]
    tokens = write_request_files(pairs(2), tmp_path / "d", SLUG, Limits(tokens=40))
    assert [part.tokens for part in tokens] == [40]


@pytest.mark.parametrize(
    ("limits", "said"),
    [(Limits(bytes=1_000), "bytes; a file may hold 1,000"), (Limits(tokens=99), "may wait")],
)
def test_a_request_over_the_limit_is_named_and_nothing_stays(
    tmp_path: Path, limits: Limits, said: str
) -> None:
    requests = [*pairs(30), (TextKey(77, "rejected"), body("x" * 1_000), 100)]
    with pytest.raises(BadInput, match=rf"Pair 77 \(rejected\).*{said}"):
        write_request_files(requests, tmp_path, SLUG, limits)
    assert names(tmp_path) == []


def test_a_text_asked_for_twice_is_refused(tmp_path: Path) -> None:
    requests = [*pairs(2), (TextKey(0, "chosen"), body(), 1)]
    with pytest.raises(BadInput, match=r"Pair 0 \(chosen\) is asked for twice"):
        write_request_files(requests, tmp_path, SLUG)


def test_half_a_character_is_named_and_odd_characters_are_kept(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"Pair 5 \(chosen\) holds half a character"):
        write_request_files([(TextKey(5, "chosen"), body("\ud800"), 1)], tmp_path, SLUG)
    text = 'nul \0 breaks \x85 \u2028 \u2029 \r\n \v é 語 😀 {"a": {keys}}'
    (part,) = write_request_files(pairs(1, text), tmp_path, SLUG)
    content = part.path.read_text("utf-8")
    assert len(content.splitlines()) == 2
    assert json.loads(content.splitlines()[0])["body"] == body(text)


def test_stopping_midway_leaves_no_part_and_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").write_text("mine")

    def stop(written: int) -> None:
        if written == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_request_files(pairs(9), tmp_path, SLUG, Limits(requests=2), stop)
    assert names(tmp_path) == ["other.jsonl"]


def test_progress_counts_over_all_parts(tmp_path: Path) -> None:
    told: list[int] = []
    write_request_files(pairs(3), tmp_path, SLUG, Limits(requests=4), told.append)
    assert told == [2, 4, 6]
    assert write_request_files([], tmp_path, SLUG) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageProblem, match="cannot be written"):
        write_request_files(pairs(1), tmp_path / "file", SLUG)


def test_memory_stays_flat_while_many_requests_are_written(tmp_path: Path) -> None:
    write_request_files(pairs(2), tmp_path, SLUG)
    tracemalloc.start()
    parts = write_request_files(pairs(2_000, "x" * 5_000), tmp_path, SLUG)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert parts[0].bytes > 20_000_000
    assert peak < 2_000_000


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
            st.integers(1, 50),
            st.sampled_from(["both", "chosen", "rejected"]),
        ),
        max_size=12,
    ),
    requests=st.integers(1, 6),
    size=st.integers(500, 1_500),
    tokens=st.none() | st.integers(50, 120),
)
def test_every_request_is_written_once_in_order_within_the_limits(
    rows: list[tuple[str, int, str]], requests: int, size: int, tokens: int | None
) -> None:
    asked: list[Request] = []
    for row_id, (text, cost, sides) in enumerate(rows):
        if sides != "rejected":
            asked.append((TextKey(row_id, "chosen"), body(text), cost))
        if sides != "chosen":
            asked.append((TextKey(row_id, "rejected"), body(text), cost))
    limits = Limits(requests, size, tokens)
    with TemporaryDirectory() as folder:
        parts = write_request_files(asked, Path(folder), SLUG, limits)
        assert [one for part in parts for one in ids(part)] == [
            key.custom_id for key, _, _ in asked
        ]
        assert sum(part.tokens for part in parts) == sum(cost for _, _, cost in asked)
        for part in parts:
            checked = check_request_file(part.path, limits)
            assert (checked.requests, checked.bytes) == (part.requests, part.bytes)
            assert (checked.sha256, checked.model) == (part.sha256, MODEL)
            assert part.tokens <= (tokens or part.tokens)


def line(custom_id: object = "0.chosen", **other: Any) -> bytes:
    body = {"model": "m", "messages": []}
    record = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps({**record, **other}).encode() + b"\n"


GOOD = line()


def test_a_sound_file_is_told_by_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "input.jsonl"
    path.write_bytes(GOOD + line("0.rejected"))
    checked = check_request_file(path)
    assert (checked.requests, checked.model) == (2, "m")
    assert checked.url == "/v1/chat/completions"
    assert checked.bytes == len(GOOD) + len(line("0.rejected"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD + b"{cut", "line 2: it is not valid JSON"),
        (GOOD + b"\n" + line("1.chosen"), "line 2: it is blank"),
        (GOOD + b'["a list"]\n', "line 2: it is no JSON object"),
        (b"\xef\xbb\xbf" + GOOD, "line 1: it begins with a byte order mark"),
        (GOOD + b'{"custom_id": "\xff"}\n', "line 2: it is not UTF-8"),
        (b"[" * 100_000 + b"\n", "line 1: it is not valid JSON"),
        (b"1" * 10_000 + b"\n", "line 1: it is not valid JSON"),
        (line(body={"model": "m", "x": float("nan")}), "line 1: it is not valid JSON"),
        (GOOD + line("1.chosen") + GOOD, "line 3: its custom_id stands in line 1 too"),
        (line("x" * 65), "line 1: its custom_id is longer than 64"),
        (line(""), "line 1: it has no custom_id"),
        (line(7), "line 1: it has no custom_id"),
        (line(method="GET"), "line 1: its method is not POST"),
        (line(url=None), "line 1: it has no url"),
        (GOOD + line("1.chosen", url="/v1/embeddings"), "line 2: another url than in line 1"),
        (line(body="text"), "line 1: it has no body"),
        (line(body={}), "line 1: its body names no model"),
        (GOOD + line("1.chosen", body={"model": "n"}), "line 2: another model than in line 1"),
        (b"", "is empty"),
    ],
)
def test_what_a_provider_would_reject_is_named_with_its_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "input.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        check_request_file(path)


def test_an_id_of_64_characters_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "input.jsonl"
    path.write_bytes(line("x" * 64))
    assert check_request_file(path).requests == 1


def test_limits_hold_at_their_edge(tmp_path: Path) -> None:
    path = tmp_path / "input.jsonl"
    path.write_bytes(GOOD + line("0.rejected"))
    size = path.stat().st_size
    assert check_request_file(path, Limits(requests=2, bytes=size)).requests == 2
    with pytest.raises(BadInput, match="holds more than 1 requests"):
        check_request_file(path, Limits(requests=1))
    with pytest.raises(BadInput, match=f"a file may have {size - 1}"):
        check_request_file(path, Limits(bytes=size - 1))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        check_request_file(tmp_path / "none.jsonl")
