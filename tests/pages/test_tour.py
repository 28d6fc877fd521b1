"""The tour says what the app says: what it sets apart stands on the page that it leads to."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from ivan_core.demo.finished_study import put_into
from ivan_core.docs import PageLink, chapter
from ivan_core.engine import figures, handling as runs

HANDBOOK = "pages/handbook.py"
_QUOTE = re.compile(r"^> (.+)$", re.MULTILINE)


def steps() -> list[tuple[str, list[str], PageLink | None]]:
    """The heading of each step, the sentences set apart in it, and the page that it leads to."""
    found: list[tuple[str, list[str], PageLink | None]] = []
    for part in chapter("tour").parts(""):
        if isinstance(part, PageLink):
            found[-1] = (*found[-1][:2], part)
        elif isinstance(part, str):
            before, *begun = re.split(r"^## ", part, flags=re.MULTILINE)
            if found:
                found[-1][1].extend(_QUOTE.findall(before))
            found += [(text.partition("\n")[0], _QUOTE.findall(text), None) for text in begun]
    return found


@pytest.fixture
def study(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The finished study that ships with IVAN: its runs by kind."""
    # Into a folder that is not in force yet: pages load something behind the first of them.
    put_into(tmp_path / "study")
    monkeypatch.setenv("IVAN_DATA_DIR", str(tmp_path / "study"))
    return {run.kind: run.id for run in runs.every()}


def test_every_sentence_set_apart_is_what_the_app_says(study: dict[str, str], open_page):
    links = open_page(HANDBOOK, chapter="tour").links
    assert len(steps()) == 7
    for heading, quotes, link in steps():
        assert quotes, heading
        if link is None:
            (caption,) = quotes
            assert figures.caption(study["compare"], "length").startswith(caption)
            continue
        query = links[f":primary[{link.label} →]"].partition("?")[2]
        said = open_page(link.file, **dict(parse_qsl(query))).said
        for quote in quotes:
            assert quote in said, heading


def test_without_a_study_the_tour_leads_to_its_pages_all_the_same(open_page):
    links = open_page(HANDBOOK, chapter="tour").links
    assert links[":primary[Read pair 306 →]"] == "pairs?row=306"
