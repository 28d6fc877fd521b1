"""Forms with files in them, as clients upload them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_QUOTED = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; `filename` is empty for a plain value."""

    filename: str
    content: bytes


def read_multipart(content_type: str, body: bytes) -> dict[str, Part]:
    """The fields of a multipart/form-data body by name; none if it is not one."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return {}
    fields: dict[str, Part] = {}
    # The body's first delimiter has no line end before it; give it one, so that all look alike.
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:]:
        head, gap, content = piece.partition(b"\r\n\r\n")
        if not gap:
            continue
        said = dict(_QUOTED.findall(head.decode("utf-8", "replace")))
        if "name" in said:
            fields[said["name"]] = Part(said.get("filename", ""), content)
    return fields
