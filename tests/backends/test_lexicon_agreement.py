"""How far the rules agree with the sample, and that the word lists are written as they should."""

from __future__ import annotations

import gzip
import json
import re
import sys
import tomllib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import pytest

from ivan_core.backends.lexicon import agreement, labeler, phrases
from ivan_core.backends.lexicon.agreement import Agreement, Judgement, judgements, prevalence
from ivan_core.datasets.sources import sample_file
from ivan_core.domain.labels import FEATURES
from ivan_core.labels.schema import SCHEMA

SEEN_FLOOR, UNSEEN_FLOOR = 0.88, 0.68
"""A little below what was measured: 278 of 300 seen texts agree, 218 of 300 unseen ones."""
FINITE = [one.key for one in SCHEMA if one.about != "dialogue" and one.kind != "list"]
PIECE = re.compile(r"_|\.\.|\(?[^\W_][\w'-]*\*?(/[^\W_][\w'-]*\*?)*\)?")


@lru_cache(maxsize=1)
def judged() -> list[Judgement]:
    return judgements(sample_file())


def share(half: str) -> float:
    counts = [agreement.agreement(judged(), feature, half) for feature in FINITE]
    return sum(one.agree for one in counts) / sum(one.texts for one in counts)


def test_agreement_with_the_sample_stays_above_its_floors() -> None:
    assert share("seen") >= SEEN_FLOOR
    assert share("unseen") >= UNSEEN_FLOOR


@pytest.mark.parametrize("feature", FINITE)
def test_every_feature_of_one_text_is_found_in_both_values(feature: str) -> None:
    assert len({one.label for one in judged() if one.feature == feature}) >= 2
    for half in agreement.HALVES:
        one = agreement.agreement(judged(), feature, half)
        assert one.texts == 20
        assert one.positive_reference == 10


def test_agreement_counts_one_feature_and_half() -> None:
    made = [
        Judgement("a", "seen", "True", "True"),
        Judgement("a", "seen", "False", "True"),
        Judgement("a", "unseen", "False", "False"),
        Judgement("b", "seen", "positive", "negative"),
    ]
    assert agreement.agreement(made, "a", "seen") == Agreement(2, 1, 1, 2)
    assert agreement.agreement(made, "b", "seen") == Agreement(1, 0, 1, 0)


def test_prevalence_is_a_share_of_the_first_rows(tmp_path: Path) -> None:
    refuses = "\n\nHuman: Help?\n\nAssistant: I can't help with that."
    helps = "\n\nHuman: Help?\n\nAssistant: Ask at the library."
    rows = [{"chosen": helps, "rejected": refuses}, {"chosen": refuses, "rejected": refuses}]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(content.encode()))
    assert prevalence(path, 2)["last_response_is_refusal"] == {"chosen": 0.5, "rejected": 1.0}
    assert prevalence(path, 1)["last_response_is_refusal"] == {"chosen": 0.0, "rejected": 1.0}
    assert prevalence(path, 0) == {}


def test_the_table_has_a_line_for_each_feature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"chosen": "", "rejected": ""}) + "\n")
    monkeypatch.setattr(sys, "argv", ["agreement", "--rows", str(path)])
    agreement.main()
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(FEATURES)


def read_lists() -> dict[str, str]:
    return {
        name: given
        for content in phrases.word_files().values()
        for name, given in tomllib.loads(content.decode("utf-8"))["lists"].items()
    }


def test_every_phrase_is_written_as_the_rules_of_writing_say() -> None:
    for name, given in read_lists().items():
        for phrase in given.replace("\n", ",").split(","):
            pieces = phrase.split()
            for piece in pieces:
                assert PIECE.fullmatch(piece), (name, phrase)
                assert piece.startswith("(") == piece.endswith(")"), (name, phrase)
            if pieces:
                assert pieces[0] not in (phrases.ANY, phrases.GAP), (name, phrase)
                assert not pieces[-1].endswith(")"), (name, phrase)


def test_every_list_is_read_by_a_rule_and_stands_in_one_file() -> None:
    folder = files("ivan_core.backends.lexicon")
    code = "".join((folder / name).read_text("utf-8") for name in labeler.RULE_FILES)
    names = [
        name
        for content in phrases.word_files().values()
        for table in ("lists", "words")
        for name in tomllib.loads(content.decode("utf-8")).get(table, {})
    ]
    assert len(names) == len(set(names))
    assert [name for name in names if f'"{name}"' not in code] == []


def test_the_word_lists_are_dated() -> None:
    for content in phrases.word_files().values():
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", tomllib.loads(content.decode("utf-8"))["date"])


def test_a_phrase_is_found_with_its_choices_gaps_and_stems() -> None:
    made = phrases.Lexicon({"a": "red/blue (big) hous*, we .. go", "b": "red _ car"}, {})
    words = ["a", "blue", "big", "houses", "and", "red", "old", "car", "we", "do", "not", "go"]
    assert list(made.find(words, [0] * len(words))) == [("a", 1, 3), ("b", 5, 7), ("a", 8, 11)]
    assert list(made.find(["red", "house"], [0, 1])) == []
