"""The handbook in the app: the file of each question, and links from one to another."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ivan_core.docs import CHAPTERS, chapter


def shown(page) -> str:
    return "\n".join(markdown.value for markdown in page.app.markdown)


@pytest.mark.parametrize("file", CHAPTERS)
def test_a_link_opens_a_chapter_whole(open_page: Callable, file: str) -> None:
    page = open_page("pages/handbook.py", chapter=file)
    assert shown(page).startswith(f"# {chapter(file).name}: ")
    words = re.sub(r"(→ |!)?\[[^]]*]\([^)]*\)", "", chapter(file).text).split()
    assert re.sub(r"\[[^]]*]\([^)]*\)", "", shown(page)).split() == words
    assert "pictures/" not in shown(page)


def test_links_between_files_are_links_between_chapters(open_page: Callable) -> None:
    text = shown(open_page("pages/handbook.py", chapter="review"))
    assert "[who can reach it](?chapter=data#who-can-reach-it)" in text
    assert ".md" not in text


def test_without_a_chapter_or_with_one_that_is_none_the_first_is_shown(open_page: Callable) -> None:
    for query in ({}, {"chapter": "../../pyproject"}):
        assert shown(open_page("pages/handbook.py", **query)).startswith("# Tour: ")


def test_a_press_turns_to_another_chapter_and_its_address(open_page: Callable) -> None:
    page = open_page("pages/handbook.py")
    page.app.segmented_control(key="handbook-chapter").set_value("data")
    page.run()
    assert shown(page).startswith("# Data: ")
    assert page.app.query_params["chapter"] in ("data", ["data"])


@pytest.mark.parametrize(
    ("page", "file"),
    [
        ("analysis", "analysis"),
        ("compare", "compare"),
        ("pairs", "compare"),
        ("rewrite", "rewrite"),
        ("taxonomy", "taxonomy"),
        ("review", "review"),
        ("runs", "figures"),
        ("words", "words"),
    ],
)
def test_every_page_leads_to_its_chapter(open_page: Callable, page: str, file: str) -> None:
    assert open_page(f"pages/{page}.py").links["Handbook"].endswith(f"handbook?chapter={file}")


def test_who_is_invited_sees_no_handbook(open_page: Callable) -> None:
    assert "Handbook" not in open_page("pages/review.py", invite="gone").links
