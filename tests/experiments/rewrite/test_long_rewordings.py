"""Rows with long dialogues among the rewordings: read once, and as a list never put together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.reward_models import Fakes
from fakes.rewriting import FakeRewriter, added, fake_tools, sometimes, spec_of, work_here
from given.support import write_pairs
from hypothesis import given, strategies as st

from ivan_core.domain import transcripts
from ivan_core.domain.pairs import Pair
from ivan_core.domain.rewriting import PieceKey, PieceRole, PieceSide
from ivan_core.domain.specs import RULES, RewriteSpec
from ivan_core.domain.transcripts import Dialogue, Turn
from ivan_core.experiments.rewrite.results import open_rewrite
from ivan_core.experiments.rewrite.rows import KeptRewording, reworded_pair, reworded_replies
from ivan_core.lists.short import beside
from ivan_core.rewording.accept import Refused, Rewording
from ivan_core.runs.context import Parts

TALK = "".join(f"\n\nHuman: Question {n}?\n\nAssistant: Answer {n}." for n in range(1_000))
ENQUIRY = f"{TALK}\n\nHuman: And then?".replace("Question", "Enquiry")
SPEC = RewriteSpec(rewriter="fake:7b", models=("one", "two"))
SILENT = Rewording(None, 1, (Refused("no_answer", "No rule fits."),))


def pair() -> Pair:
    ask = f"{TALK}\n\nHuman: And then?\n\nAssistant:"
    return Pair(4, Dialogue(f"{ask} It ends."), Dialogue(f"{ask} It goes on."))


def kept() -> list[KeptRewording]:
    """All pieces of the pair in all three styles."""
    pieces: tuple[tuple[PieceSide, PieceRole, str], ...] = (
        ("both", "prompt", ENQUIRY),
        ("chosen", "reply", "\n\nAssistant: It is over."),
        ("rejected", "reply", "\n\nAssistant: It continues."),
    )
    return [
        KeptRewording(PieceKey(4, side, role), style, Rewording(text, 1))
        for style in ("published", "second", "surface")
        for side, role, text in pieces
    ]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The characters of every text that is taken apart into turns."""
    found: list[int] = []
    split: Callable[..., object] = transcripts._split

    def counting(marker: object, text: str) -> object:
        found.append(len(text))
        return split(marker, text)

    monkeypatch.setattr(transcripts, "_split", counting)
    return found


def test_a_variant_is_put_together_when_looked_at_and_no_text_is_taken_apart_twice(
    read: list[int],
) -> None:
    one = reworded_pair(pair(), SPEC, kept())
    assert not read
    chosen, rejected = one.sides["reworded"]
    assert one.missing["reworded"] == (None, None)
    assert chosen and chosen.text == f"{ENQUIRY}\n\nAssistant: It is over."
    assert rejected and rejected.turns[:-1] == chosen.turns[:-1]
    # Both originals, the reworded prompt, and two short replies; twenty times the text before.
    long = [size for size in read if size > 1_000]
    assert len(long) == 3 and len(read) == 5
    assert one.sides["surface"][0] == chosen and one.sides["original"] == (
        pair().chosen,
        pair().rejected,
    )
    assert len([size for size in read if size > 1_000]) == 4


def test_a_list_takes_no_dialogue_apart(read: list[int]) -> None:
    short = reworded_replies(pair(), SPEC, kept())
    assert short.replies == ("It is over.", "It continues.")
    assert short.missing == (None, None)
    assert not read


@pytest.mark.parametrize("rewriter", [RULES, "fake:7b"])
@pytest.mark.parametrize("silent", [(), (0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)])
def test_a_list_says_what_the_row_says(rewriter: str, silent: tuple[int, ...]) -> None:
    spec = SPEC.model_copy(update={"rewriter": rewriter})
    given = [
        KeptRewording(one.key, one.style, SILENT) if place % 3 in silent else one
        for place, one in enumerate(kept())
    ]
    whole, short = reworded_pair(pair(), spec, given), reworded_replies(pair(), spec, given)
    assert short.missing == whole.missing["reworded"]
    befores, afters = whole.sides["original"], whole.sides["reworded"]
    for reply, before, after in zip(short.replies, befores, afters, strict=True):
        text = after or before
        assert text and reply == text.reply


@pytest.mark.parametrize("scope", ["shared", "whole"])
def test_a_page_of_rows_reads_each_unit_once_and_a_rerun_none(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    run_id = added(data_dir, spec_of(write_pairs(tmp_path / "p.jsonl", 30), scope=scope))
    work_here(data_dir, run_id, fake_tools(FakeRewriter(sometimes), Fakes(silent=True)))
    results = open_rewrite(run_id)
    asked: list[str] = []
    rows = Parts.rows

    def noting(parts: Parts, key: str) -> list[object]:
        asked.append(key)
        return rows(parts, key)

    monkeypatch.setattr(Parts, "rows", noting)
    short = results.in_short(results.row_ids)
    assert len(asked) == len(set(asked)) == len(set(results._unit_of.values()))
    assert results.in_short(results.row_ids[:9]) == short[:9]
    assert len(asked) == len(set(asked))
    for row_id, one in zip(results.row_ids, short, strict=True):
        whole = results.pair(row_id)
        befores, afters = whole.sides["original"], whole.sides["reworded"]
        texts = [after or before for before, after in zip(befores, afters, strict=True)]
        pairs = zip(texts, befores, strict=True)
        assert one.replies == tuple(beside(*(t and t.reply for t in both)) for both in pairs)
        reasons = [why.sentence for why in whole.missing["reworded"] if why]
        assert one.problem == "; ".join(dict.fromkeys(reasons))


ROLES = st.sampled_from(["Human", "Assistant", "System"])
WORDS = st.lists(
    st.sampled_from(["tea", "\n", "\n\n", "Human:", "Assistant:", "\n\nHuman:", "\x1eturns:1", " "])
).map("".join)


@given(preamble=WORDS, turns=st.lists(st.builds(Turn, ROLES, WORDS), max_size=4).map(tuple))
def test_turns_that_are_known_are_those_that_are_read_again(
    preamble: str, turns: tuple[Turn, ...]
) -> None:
    made = Dialogue("").with_turns(preamble, turns)
    assert (made.preamble, made.turns) == (preamble, turns)
    again = Dialogue(made.text)
    assert (again.preamble, again.turns) == (preamble, turns)
    printed = transcripts.print_transcript(preamble, turns)
    read_back = transcripts._split(transcripts._MARKER, printed) == (preamble, turns)
    assert made.exact == (not read_back or printed.startswith(transcripts._SIGN))
