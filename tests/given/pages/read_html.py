"""A page of HTML as it was read: its tags, its attributes and its words."""

from __future__ import annotations

from html.parser import HTMLParser


class ReadPage(HTMLParser):
    """The tags and attributes of a page, and its words as a browser has them."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)
