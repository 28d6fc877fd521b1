"""Texts that try to be more than text: markup, scripts, images, formulas, directions, templates."""

from __future__ import annotations

from pathlib import Path

from given import made_runs
from ivan_core.domain.specs import CompareSpec

LONG = "w" * 5_000


def texts(leak: str) -> list[str]:
    """Hostile texts; `leak` is an address that nothing may ask for."""
    return [
        f"<script>fetch('{leak}/script')</script>",
        f'<img src="{leak}/img" onerror="document.title=1">',
        f"![x]({leak}/markdown) [link]({leak}/link)",
        f'<style>@import url("{leak}/style");</style>',
        f'<iframe src="{leak}/frame"></iframe><link rel=stylesheet href="{leak}/css">',
        f'<div style="background:url({leak}/background)">in a box</div>',
        "</div></p></body> after the end",
        "$E=mc^2$ and $$\\frac{1}{2}$$ and `code` and ~strike~ ~~out~~ *em* __bold__",
        "# Title\n- list\n> quote\n| a | b |\n|---|---|",
        ":smile: :material/home: :red[red] :streamlit: -> <- -- >= ~= :violet-badge[x]",
        "{{ 7 * 7 }} {% raw %} ${7*7} %(x)s {0} {x!r}",
        "right \u202eto left\u202c and \u2066back\u2069",
        "bell \u0007 escape \u001b[31m null \u0000 backspace \u0008 delete \u007f",
        LONG,
        "&lt;b&gt; &amp; &#x3c;i&#x3e; &nbsp;",
        f"www.example.com {leak}/plain someone@example.com",
        "javascript:alert(1) data:text/html,<b>x</b>",
        "😀 é é ﷽ ａ",
    ]


def made(data_dir: Path, folder: Path, leak: str) -> tuple[str, CompareSpec]:
    """A finished run of hostile models on a hostile file; returns its id and spec."""
    rows = []
    for text in texts(leak):
        ask = f"\n\nHuman: {text}\n\nAssistant: {text}\n\nHuman: {text}\n\nAssistant:"
        rows.append(
            {"chosen": f"{ask} {text} yes", "rejected": f"{ask} no {text}", "subset": text[:200]}
        )
    file = folder / "$x$ ![i](x) <b>*rows*<img src=x> :smile: `c`.jsonl"
    model = folder / "<i>model<img src=x> ![m](x) :red[r] $y$ -> ~z~"
    model.mkdir()
    (model / "config.json").write_text("{}")
    spec = made_runs.spec_of_file(
        made_runs.write_rows(file, rows), (str(model), "org/<b>two</b>", "ivan/minilm-control")
    )
    return made_runs.finished(data_dir, spec), spec
