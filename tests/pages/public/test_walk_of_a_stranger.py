"""A stranger walks through the finished study and presses what is drawn: nothing is refused."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ivan_core.annotations import apart
from ivan_core.demo.finished_study import put_into
from ivan_core.engine.access import NotAllowed
from pages.components.public import pace

ROOT = Path(__file__).resolve().parents[3]
HOME = "streamlit_app.py"
_LEADS = ("view", "form", "row", "invite", "ask")
"""Parts of an address that lead to other controls; the rest names a run or narrows its rows. Of the
first two each value counts, of the others that they are there."""
_Query = dict[str, str]
_TICKED = {"selection": {"rows": [0], "columns": [], "cells": []}}


class Walk:
    """Each page that links, presses and turns lead to; each control of a page is tried once.

    Controls of one page that are called alike do alike. `refused` holds what was tried, and how it
    was refused.
    """

    def __init__(self) -> None:
        self.refused: dict[tuple[str, str], list[str]] = {}
        self.tried: set[tuple[str, str]] = set()
        self.pages: set[str] = set()
        self._left: deque[tuple[str, _Query]] = deque()
        self._seen: set[tuple[str, str, str]] = set()
        self._raised: list[str] = []
        self._switched: list[tuple[str, _Query]] = []

    def patched(self, patch: pytest.MonkeyPatch) -> None:
        """Note refusals and where presses lead, tick the first row of each table, and draw no
        pictures, which take most of the time and have nothing to press."""
        begin, draw = NotAllowed.__init__, st.dataframe

        def noted(error: NotAllowed, message: str, hint: str = "") -> None:
            self._raised.append(message)
            begin(error, message, hint)

        def switch(page: str, *, query_params: _Query | None = None) -> None:
            self._switched.append((page, dict(query_params or {})))
            st.stop()

        def ticked(*args: Any, **kwargs: Any) -> Any:
            if kwargs.get("on_select") == "rerun":
                kwargs["selection_default"] = _TICKED
            return draw(*args, **kwargs)

        patch.setattr(NotAllowed, "__init__", noted)
        patch.setattr(st, "switch_page", switch)
        patch.setattr(st, "dataframe", ticked)
        for picture in ("altair_chart", "vega_lite_chart"):
            patch.setattr(st, picture, lambda *_, **__: None)

    def go(self) -> None:
        self._find(HOME, {})
        while self._left:
            page, query = self._left.popleft()
            while self._look_at(page, query):
                pass

    def _find(self, page: str, query: _Query) -> None:
        """Go to an address later, if it says anything that was not said to its page before."""
        named = [name for name in _LEADS if name in query]
        said = {(page, name, query[name] if name in _LEADS[:2] else "") for name in named}
        said.add((page, "", ""))
        if not said <= self._seen:
            self._seen |= said
            self._left.append((page, query))

    def _look_at(self, page: str, query: _Query) -> bool:
        """Try what is not tried yet; whether that led away, so that there may be more to try."""
        app = AppTest.from_file(str(ROOT / HOME), default_timeout=300)
        if page != HOME:
            app.switch_page(page)
        for name, value in query.items():
            app.query_params[name] = value
        self.pages.add(page)
        self._draw(app, page, "is opened")
        moved = False
        while (step := next(self._untried(page, app), None)) is not None:
            name, act = step
            self.tried.add((page, name))
            act()
            moved = self._draw(app, page, name) or moved
        return moved

    def _draw(self, app: AppTest, page: str, after: str) -> bool:
        """Draw a page, and note what is refused and where it leads; whether that is elsewhere."""
        self._raised.clear()
        before = dict(app.query_params)
        app.run()
        assert not app.exception, (page, after, app.exception[0].value)
        if self._raised:
            self.refused[page, after] = list(self._raised)
        for link in app.get("page_link"):
            query = dict(parse_qsl(link.proto.query_string))
            self._find(f"pages/{link.proto.page}.py" if link.proto.page else HOME, query)
        for link in app.get("link_button"):
            parts = urlsplit(link.proto.url)
            self._find(f"pages{parts.path}.py", dict(parse_qsl(parts.query)))
        switched = bool(self._switched)
        while self._switched:
            self._find(*self._switched.pop())
        if switched:
            app.run()
        return switched or (after != "is opened" and dict(app.query_params) != before)

    def _untried(self, page: str, app: AppTest) -> Iterator[tuple[str, partial[Any]]]:
        """What is pressed, chosen and opened, in this order: what is open takes time to draw."""
        for button in app.button:
            if not button.disabled and (page, button.label) not in self.tried:
                yield button.label, partial(button.click)
        for group in app.button_group:
            for option in group.options:
                name = f"{group.label}: {option}"
                if (page, name) not in self.tried:
                    yield name, partial(group.set_value, option)
        for box in (*app.checkbox, *app.toggle):
            if not box.disabled and (page, box.label) not in self.tried:
                yield box.label, partial(box.set_value, True)
        for block in (*app.get("expander"), *app.get("popover")):
            key = block.proto.id.split("-", 2)[-1]
            if key and (page, key) not in self.tried:
                yield key, partial(app.session_state.__setitem__, key, True)


def test_nothing_that_is_drawn_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_into(tmp_path / "study")
    (tmp_path / "copies").mkdir()
    monkeypatch.setenv("IVAN_DATA_DIR", str(tmp_path / "study"))
    monkeypatch.setenv("IVAN_PUBLIC", "1")
    monkeypatch.setattr(apart, "_folder", lambda: tmp_path / "copies")
    monkeypatch.setattr(pace, "PACE", pace.Pace(clock=iter(range(0, 10**9, 60)).__next__))
    walk = Walk()
    walk.patched(monkeypatch)
    walk.go()
    assert {Path(page).stem for page in walk.pages} == {HOME[:-3]} | {
        path.stem for path in (ROOT / "pages").glob("[a-z]*.py")
    }
    [print("REF", *one) for one in walk.refused.items()]
    assert walk.refused == {}
