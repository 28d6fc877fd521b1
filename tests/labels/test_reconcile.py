"""Reconciliation: every submitted text is counted once, whatever comes back and how often."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import TextKey
from ivan_core.labels.reconcile import STATES, Counts, Reconciled, merged, reconcile, refuse_unknown
from ivan_core.labels.result_files import ResultLine, read_result_lines

KEYS = ("last_response_is_helpful", "last_response_sentiment")
TEXTS = [TextKey(row, side) for row in range(3) for side in ("chosen", "rejected")]  # type: ignore[arg-type]
FIRST, SECOND = TEXTS[0], TEXTS[1]


def labels(helpful: object = True, sentiment: str = "neutral") -> str:
    return json.dumps({KEYS[0]: helpful, KEYS[1]: sentiment})


VALID, OTHER = labels(), labels(False)
REPAIRED = f"```json\n{labels()}\n```"
INVALID = labels(sentiment="furious about everything")


def line(key: TextKey | str, content: str | None, finish: str = "stop", **message: str) -> bytes:
    body = {"choices": [{"message": {"content": content, **message}, "finish_reason": finish}]}
    custom_id = key if isinstance(key, str) else key.custom_id
    record = {"custom_id": custom_id, "response": {"status_code": 200, "body": body}}
    return json.dumps(record).encode() + b"\n"


def refused(key: TextKey) -> bytes:
    return line(key, None, refusal="I will not.")


def failed(key: TextKey) -> bytes:
    return (
        json.dumps({"custom_id": key.custom_id, "response": None, "error": "gone"}).encode() + b"\n"
    )


def found(*content: bytes, texts: Sequence[TextKey] = TEXTS, attempt: int = 1) -> Reconciled:
    return reconcile(texts, read_result_lines(b"".join(content)), KEYS, attempt)


def test_one_text_of_each_state_makes_a_line_that_adds_up() -> None:
    result = found(
        line(TEXTS[0], VALID),
        line(TEXTS[1], REPAIRED),
        refused(TEXTS[2]),
        failed(TEXTS[3]),
        line(TEXTS[4], INVALID),
    )
    assert result.counts == Counts(6, 1, 1, 1, 1, 1, 1)
    assert result.sentence == (
        "6 submitted = 1 valid + 1 repaired + 1 refused + 1 failed + 1 invalid + 1 missing."
    )
    assert [result.keys_of(state) for state in STATES] == [[key] for key in TEXTS]
    assert result.keys_of("submitted") == TEXTS
    assert result.unfinished == TEXTS[3:]
    assert result.outcomes[TEXTS[0]].labels == {KEYS[0]: True, KEYS[1]: "neutral"}
    assert (result.outcomes[TEXTS[4]].raw, result.outcomes[TEXTS[0]].raw) == (INVALID, "")


def test_order_of_the_file_and_of_what_was_submitted_does_not_matter() -> None:
    lines = [line(key, VALID) for key in TEXTS]
    backwards = found(*reversed(lines), texts=TEXTS[::-1])
    assert backwards == found(*lines)
    assert backwards.keys_of("valid") == TEXTS


def test_rows_are_ordered_as_numbers() -> None:
    texts = [TextKey(10, "chosen"), TextKey(9, "rejected"), TextKey(9, "chosen")]
    assert found(texts=texts).keys_of("missing") == texts[::-1]


@pytest.mark.parametrize(
    ("replies", "status", "differ"),
    [
        ([VALID, VALID], "valid", False),
        ([VALID, OTHER], "valid", True),
        ([VALID, REPAIRED], "valid", False),
        ([REPAIRED, VALID], "valid", False),
        ([REPAIRED, OTHER], "valid", True),
        ([INVALID, VALID], "valid", True),
        ([VALID, INVALID], "valid", True),
        ([INVALID, INVALID], "invalid", False),
        ([INVALID, "nothing"], "invalid", True),
    ],
)
def test_of_two_lines_the_first_valid_wins_and_other_answers_are_flagged(
    replies: list[str], status: str, differ: bool
) -> None:
    result = found(*(line(FIRST, reply) for reply in replies))
    assert result.state(FIRST) == status
    assert result.counts.duplicates == 1
    assert result.keys_of("duplicates") == [FIRST]
    assert result.keys_of("differing") == ([FIRST] if differ else [])


def test_the_first_of_two_valid_lines_gives_the_labels() -> None:
    result = found(line(FIRST, VALID), line(FIRST, OTHER), line(FIRST, OTHER))
    assert result.outcomes[FIRST].labels[KEYS[0]] is True
    assert result.counts.duplicates == 2
    assert result.sentence.endswith("Beside it: 2 duplicate lines (1 text with differing answers).")


def test_an_error_line_beside_an_answer_contradicts_nothing() -> None:
    for pair in ([failed(FIRST), line(FIRST, VALID)], [line(FIRST, VALID), failed(FIRST)]):
        result = found(*pair)
        assert result.state(FIRST) == "valid"
        assert (result.counts.duplicates, result.keys_of("differing")) == (1, [])
    assert found(refused(FIRST), line(FIRST, VALID)).keys_of("differing") == [FIRST]
    assert found(refused(FIRST), refused(FIRST)).keys_of("differing") == []


def test_unknown_and_damaged_lines_count_for_no_text_and_are_listed() -> None:
    result = found(
        line(FIRST, VALID),
        line("99.chosen", VALID),
        line("a file of others", VALID),
        line(SECOND, VALID)[:40],
    )
    assert result.counts == Counts(6, 1, 0, 0, 0, 0, 5, unknown=2, damaged=1)
    assert [(one.line, one.custom_id, one.damaged) for one in result.strays] == [
        (2, "99.chosen", ""),
        (3, "a file of others", ""),
        (4, "0.rejected", "cut: the file ends within it"),
    ]
    assert result.sentence.endswith(
        "5 missing. Beside it: 2 lines of texts that were not submitted; 1 damaged line."
    )
    with pytest.raises(BadInput, match=r"2 lines of texts that were not asked for, such as '99\."):
        refuse_unknown(result)
    refuse_unknown(found(line(FIRST, VALID)))


def test_strays_are_listed_up_to_a_thousand_and_counted_all() -> None:
    lines = (ResultLine(None, str(n), None, n, "cut") for n in range(1_500))
    result = reconcile([], lines, KEYS)
    assert (len(result.strays), result.counts.damaged) == (1_000, 1_500)


def test_a_second_attempt_replaces_only_what_was_not_usable() -> None:
    first = found(
        line(TEXTS[0], VALID),
        line(TEXTS[1], REPAIRED),
        refused(TEXTS[2]),
        failed(TEXTS[3]),
        line(TEXTS[4], INVALID),
    )
    second = found(*(line(key, OTHER) for key in TEXTS), attempt=2)
    both = merged(first, second)
    assert both.counts == Counts(6, 5, 1, 0, 0, 0, 0)
    assert [both.attempts[key] for key in TEXTS] == [1, 1, 2, 2, 2, 2]
    assert both.outcomes[TEXTS[0]].labels[KEYS[0]] is True
    assert both.outcomes[TEXTS[4]].labels[KEYS[0]] is False


def test_a_second_attempt_without_answer_loses_no_answer_of_the_first() -> None:
    asked = TEXTS[2:]
    first = found(line(TEXTS[2], INVALID), failed(TEXTS[3]), refused(TEXTS[4]))
    second = found(*(failed(key) for key in asked), texts=asked, attempt=2)
    both = merged(first, second)
    assert [both.state(key) for key in asked] == ["invalid", "failed", "refused", "failed"]
    assert [both.attempts[key] for key in asked] == [1, 2, 1, 2]
    assert merged(first, found(attempt=2)) == first


def test_numbers_beside_the_line_are_those_of_both_attempts() -> None:
    soup = (line(FIRST, VALID), line(FIRST, OTHER), line("9.chosen", VALID), b"{cut")
    both = merged(found(*soup), found(*soup, texts=[FIRST], attempt=2))
    assert both.counts == Counts(6, 1, 0, 0, 0, 0, 5, duplicates=2, unknown=2, damaged=2)


def test_a_second_attempt_at_other_texts_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="texts of the first"):
        merged(found(), found(texts=[TextKey(99, "chosen")]))


def test_numbers_that_do_not_add_up_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="7 texts were submitted, 6 are accounted for"):
        Counts(7, 1, 1, 1, 1, 1, 1)
    with pytest.raises(ValueError, match="2 texts were submitted"):
        Counts(2, 3, -1, 0, 0, 0, 0)
    with pytest.raises(ValueError, match="not submitted"):
        Reconciled((), found(line(FIRST, VALID)).outcomes, {})
    with pytest.raises(ValueError, match="twice"):
        Reconciled((FIRST, FIRST), {}, {})


_keys = st.sampled_from([*TEXTS, TextKey(77, "chosen")])
_replies = st.sampled_from([VALID, OTHER, REPAIRED, INVALID, "", "[1", "\0"])
_lines = st.one_of(
    st.builds(line, _keys, _replies, st.sampled_from(["stop", "length", "content_filter", ""])),
    st.builds(refused, _keys),
    st.builds(failed, _keys),
    st.builds(
        lambda content, end: content[:end] + b"\n",
        st.builds(line, _keys, _replies),
        st.integers(0, 120),
    ),
    st.binary(max_size=20).map(lambda content: b"x" + content + b"\n"),
)


@settings(max_examples=150)
@given(
    st.lists(_lines, max_size=14),
    st.sets(st.sampled_from(TEXTS)),
    st.lists(_lines, max_size=8),
    st.data(),
)
def test_in_any_soup_of_lines_every_text_is_counted_once(
    soup: list[bytes], texts: set[TextKey], more: list[bytes], data: st.DataObject
) -> None:
    first = found(*soup, texts=list(texts))
    again = data.draw(st.sets(st.sampled_from(sorted(texts, key=str)))) if texts else set()
    both = merged(first, found(*more, texts=list(again), attempt=2))
    for result in (first, both):
        by_state = [result.keys_of(state) for state in STATES]
        together = [key for keys in by_state for key in keys]
        assert len(together) == len(set(together)) == len(texts)
        assert set(together) == texts
        assert [len(keys) for keys in by_state] == [getattr(result.counts, s) for s in STATES]
        assert set(result.attempts) == set(result.outcomes)
        assert set(result.keys_of("differing")) <= set(result.keys_of("duplicates"))
    for state in ("valid", "repaired"):
        assert set(first.keys_of(state)) <= set(both.keys_of(state))
