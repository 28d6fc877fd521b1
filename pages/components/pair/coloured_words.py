"""Words that moved a reward, each in its tint: pointed at, tapped or reached with the arrow keys,
one tells its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Coloured:
    """A stretch of a reply, how it is drawn ("": as the text around it), and what it tells."""

    text: str
    style: str
    told: str


_LOOK = """<style>
.ivan-words { position: relative; padding-bottom: 3.5rem; margin-bottom: -3.5rem; }
.ivan-words > [data-told]:focus { outline: 2px solid #4a6fd4; outline-offset: 1px; }
.ivan-words > [data-told]::after {
  content: attr(data-told); position: absolute; left: 0; z-index: 20; margin-top: 1.7em;
  width: max-content; max-width: 100%; box-sizing: border-box; padding: .3rem .65rem;
  border: 1px solid rgba(255, 255, 255, .25); border-radius: .4rem; background: #262a33;
  color: #fafafa; font-size: .82rem; line-height: 1.4; overflow-wrap: anywhere;
  visibility: hidden; pointer-events: none;
}
.ivan-words > [data-told]:focus::after { visibility: visible; }
@media (hover: hover) {
  .ivan-words > [data-told]:hover::after { visibility: visible; transition: visibility 0s .3s; }
}
@supports (position-area: bottom) and (anchor-scope: --ivan-word) {
  .ivan-words > [data-told] { anchor-name: --ivan-word; anchor-scope: --ivan-word; }
  .ivan-words > [data-told]::after {
    position-anchor: --ivan-word; position-area: bottom span-all; justify-self: anchor-center;
    left: auto; margin-top: .2em;
  }
}
</style>"""
"""What a word tells stands below its line and as wide as the reply at the most, so that it never
leaves a narrow screen; below the word itself where the browser can place it there, with room below
the last line too."""

_ARROWS = """<script>
if (!window.ivanWalksWords) {
  window.ivanWalksWords = true;
  window.addEventListener("keydown", (event) => {
    const word = event.target.closest?.(".ivan-words > [tabindex]");
    if (!word || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === "Escape") return word.blur();
    const ahead = getComputedStyle(word).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const words = [...word.parentElement.querySelectorAll(":scope > [tabindex]")];
    words[words.indexOf(word) + (event.key === ahead ? 1 : -1)]?.focus();
    event.preventDefault();
  });
}
</script>"""
WORDS_TELL = _LOOK + _ARROWS
"""Style and script that let words tell their numbers: fixed, no text of data is in them."""


def words_html(words: Sequence[Coloured]) -> str:
    """A reply's words; the keyboard stops once, at the first with a tint, however many there are.

    Spaces after a word have no tint.
    """
    parts, first = [], True
    for word in words:
        text = word.text.rstrip()
        place = ""
        if word.style:
            place = f'tabindex="{0 if first else -1}" '
            first = False
        about = f'{place}style="{word.style}" data-told="{escape(word.told)}"'
        parts.append(f"<span {about}>{escape(text)}</span>{escape(word.text[len(text) :])}")
    return f'<div class="ivan-words">{"".join(parts)}</div>'
