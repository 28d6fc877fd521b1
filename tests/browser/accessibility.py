"""What axe finds on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from keyboard import ready
from playwright.sync_api import Page

AXE = Axe()
_OF_VEGA = ("svg-img-alt", 'mark container"')
"""Vega names the marks of a chart but not the groups that hold them, and has no option for it."""


_OF_COLOUR = ("color-contrast", "link-in-text-block")
EVERYTHING: dict[str, Any] = {}
COLOURS = {"runOnly": {"type": "rule", "values": list(_OF_COLOUR)}}
ALL_BUT_COLOURS = {"rules": {name: {"enabled": False} for name in _OF_COLOUR}}
"""What axe looks at. Colours take it as long as all the rest."""


def findings(page: Page, looks_at: Mapping[str, Any] = EVERYTHING) -> list[str]:
    """What axe finds serious or critical on a page."""
    ready(page)
    found = AXE.run(page, options={"resultTypes": ["violations"], **looks_at}).response[
        "violations"
    ]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
        if not (one["id"] == _OF_VEGA[0] and _OF_VEGA[1] in node["html"])
    ]
