"""The page around a report: what it may do, how it looks, and how strings enter it.

It may do nothing, or run the scripts that it holds, which are named by their hashes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from urllib.parse import quote

_STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0 auto;padding:24px 16px 64px;max-width:800px;background:#fff;color:#31333f;
font:16px/1.55 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 8px}
h2{font-size:1.3rem;margin:48px 0 12px;padding-top:12px;border-top:1px solid #dadde2}
h3,h4{font-size:1rem;margin:24px 0 4px}
.chapter h3{font-size:1.15rem;margin:32px 0 8px}
p,ul{margin:0 0 12px}
figure{margin:24px 0 4px}
figure p{margin:0 0 4px}
details+ul{margin-top:16px}
ul{padding-left:20px}
.lead{font-size:1.1rem}
.small,figcaption,nav,summary{font-size:.875rem;color:#5b6068}
nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:4px 20px}
nav ul.chapters{display:block}nav .chapters>li{margin:0 0 8px}nav .chapters ul{margin:0}
a{color:#0b5cad}
svg{display:block;width:100%;max-width:480px;height:auto;margin:8px 0}
code,pre{font:.8125rem/1.5 ui-monospace,Menlo,Consolas,monospace}
pre{white-space:pre-wrap;background:#f5f6f8;border-radius:6px;padding:10px 12px;margin:0 0 8px}
summary{cursor:pointer;padding:4px 0}
.wide{overflow-x:auto;margin:4px 0 12px}
table{border-collapse:collapse;font-size:.8125rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:3px 8px 3px 0;border-bottom:1px solid #eceef1;white-space:nowrap}
td.n,th.n{text-align:right}
.note{border-left:3px solid #dadde2;padding-left:12px}
@media print{body{max-width:none;padding:0;font-size:11pt}nav,summary{display:none}
h2{break-after:avoid}figure,li,tr{break-inside:avoid}svg{max-width:120mm}a{color:inherit}}
""".strip()
_ENDS_A_SCRIPT = re.compile(r"</script|<!--", re.IGNORECASE)
# Controls, halves of pairs and non-characters, which no page holds, and letters that turn the
# direction of what follows them.
_ODD = re.compile(
    "[^\t\n\u0020-\u007e\u00a0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd"
    "\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of a page that has questions of its own: what stands above them, and each."""

    head: Sequence[str]
    sections: Mapping[str, Sequence[str]]


def text(value: object) -> str:
    """A string as text of the page and no more: markup is escaped, odd characters are replaced."""
    return escape(plain(str(value)))


def plain(words: str) -> str:
    """A string without odd characters."""
    return _ODD.sub("\ufffd", words)


def page(
    title: str,
    head: Iterable[str],
    sections: Mapping[str, Sequence[str] | Chapter],
    *,
    style: str = "",
    scripts: Sequence[str] = (),
) -> str:
    """The whole page: its title, what stands above, and a section for each question, or a chapter
    of them.

    `head` and the parts of sections are HTML; the title and the questions are not. `style` is added
    to that of all pages; `scripts` run, in their order, when the page is there.

    Raises:
        ValueError: a script holds what would end it within a page.
    """
    if any(_ENDS_A_SCRIPT.search(script) for script in scripts):
        raise ValueError("a script holds what would end it")
    styled = f"{_STYLE}{style}"
    run = "".join(f"<script>{script}</script>\n" for script in scripts)
    body = "\n".join(
        _section(str(place), question, parts)
        for place, (question, parts) in enumerate(sections.items())
    )
    above = "\n".join(head)
    nav = f'<nav aria-label="Questions">{_links(sections)}</nav>' if len(sections) > 1 else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(styled, scripts)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title)}</title>\n<style>{styled}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{text(title)}</h1>\n{above}\n"
        f"{nav}\n{body}\n</main>\n{run}</body>\n</html>\n"
    )


def _section(key: str, title: str, parts: Sequence[str] | Chapter, level: int = 2) -> str:
    """A section under a heading; those of a chapter are a level deeper."""
    how = ""
    if isinstance(parts, Chapter):
        how = ' class="chapter"'
        inner = (
            _section(f"{key}-{place}", question, own, level + 1)
            for place, (question, own) in enumerate(parts.sections.items())
        )
        parts = [*parts.head, *inner]
    inside = "\n".join(parts)
    return (
        f'<section id="part-{key}"{how} aria-labelledby="head-{key}">'
        f'<h{level} id="head-{key}">{text(title)}</h{level}>\n{inside}\n</section>'
    )


def _links(sections: Mapping[str, Sequence[str] | Chapter], before: str = "") -> str:
    """A link to each section, and below that of a chapter to each of its own."""
    items: list[str] = []
    for place, (title, parts) in enumerate(sections.items()):
        key = f"{before}{place}"
        own = _links(parts.sections, f"{key}-") if isinstance(parts, Chapter) else ""
        items.append(f'<li><a href="#part-{key}">{text(title)}</a>{own}</li>')
    chapters = any(isinstance(parts, Chapter) for parts in sections.values())
    how = ' class="chapters"' if chapters else ""
    return f"<ul{how}>{''.join(items)}</ul>"


def _policy(style: str, scripts: Sequence[str]) -> str:
    """That nothing is asked for, and that only this style and these scripts are followed."""
    run = f" script-src {' '.join(map(_hashed, scripts))};" if scripts else ""
    return (
        f"default-src 'none'; connect-src 'none';{run} style-src {_hashed(style)};"
        " base-uri 'none'; form-action 'none'"
    )


def _hashed(part: str) -> str:
    return f"'sha256-{b64encode(sha256(part.encode()).digest()).decode()}'"


def paragraph(words: object, how: str = "") -> str:
    """A paragraph; `how` is one of the classes of the page."""
    kind = f' class="{how}"' if how else ""
    return f"<p{kind}>{text(words)}</p>"


def bullets(lines: Iterable[object]) -> str:
    return f"<ul>{''.join(f'<li>{text(line)}</li>' for line in lines)}</ul>"


def link(file: str, words: object) -> str:
    """A link to a file that lies beside the page."""
    return f'<a href="{quote(file, safe="")}">{text(words)}</a>'


def fold(summary: str, inside: str, *, printed: bool = False) -> str:
    """What is there for those who open it; `inside` is HTML.

    Where it is `printed` too, a script of the page must open it.
    """
    how = " data-printed" if printed else ""
    return f"<details{how}><summary>{text(summary)}</summary>\n{inside}\n</details>"


def table(columns: Mapping[str, bool], rows: Iterable[Sequence[object]]) -> str:
    """A table; columns by their heads, whether they hold numbers."""
    kinds = ['class="n"' if number else "" for number in columns.values()]
    heads = "".join(
        f'<th scope="col" {kind}>{text(name)}</th>'
        for name, kind in zip(columns, kinds, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td {kind}>{text(value)}</td>" for value, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in rows
    )
    rows_of = f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="wide" tabindex="0"><table>{rows_of}</table></div>'
