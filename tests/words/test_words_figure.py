"""The figure of a ranking: its numbers, its words, and who it is asked for by."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.words.scored_words import asked, keep

from ivan_core.domain.errors import BadInput
from ivan_core.engine import figures

FIRST, SECOND = "ivan/minilm-harmless", "ivan/minilm-control"


@pytest.fixture
def ranking(data_dir: Path) -> str:
    keep(asked(), [3, 2, 1, 0, -1], [1, 3, 2, 0, None])
    return f"words-{asked().key}"


def test_its_numbers_are_those_of_both_ends(ranking: str) -> None:
    assert [chart.name for chart in figures.figures(ranking)] == ["words"]
    assert figures.figure(ranking, "words", "csv").decode().splitlines() == [
        "model,end,line,word,place,elsewhere",
        f"{FIRST},best,0,love,1,3",
        f"{FIRST},best,1,peace,2,1",
        f"{FIRST},worst,0,war,5,0",
        f"{FIRST},worst,1,mud,4,4",
        f"{SECOND},best,0,peace,1,2",
        f"{SECOND},best,1,cheese,2,3",
        f"{SECOND},worst,0,mud,4,4",
        f"{SECOND},worst,1,love,3,1",
    ]


def test_its_picture_has_every_word_once_a_column(ranking: str) -> None:
    svg = figures.figure(ranking, "words", "svg").decode()
    for word in ("love", "peace", "cheese", "war", "mud"):
        columns = {"love": 2, "peace": 2, "mud": 2}.get(word, 1)
        assert svg.count(f">{word}</text>") == columns
    assert figures.figure(ranking, "words", "pdf").startswith(b"%PDF")


def test_its_words_say_what_it_shows_and_how(ranking: str) -> None:
    caption = figures.caption(ranking, "words")
    assert caption.startswith("The 2 words that each model likes best as a one-word reply")
    assert "+0.40 (Spearman's rho, n = 4 words)" in caption and "A teaser" in caption
    assert "Data: 5 words of one's own; neither model reads the question." in caption
    assert "Sample data" not in caption
    methods = figures.methods(ranking, "words")
    assert f"{FIRST} (revision " in methods and "equal rewards share the best place" in methods
    sentences = [quote.sentence for quote in figures.quotes(ranking)]
    assert f"Of 5 words, {FIRST} likes “love” best and “war” least." in sentences
    assert figures.file_name(ranking, "words", "png").startswith("words-")


def test_a_ranking_that_is_not_there_is_named(data_dir: Path) -> None:
    with pytest.raises(BadInput) as refused:
        figures.figures("words-0000000000000000")
    assert refused.value.message == "There is no ranking 'words-0000000000000000' here."
