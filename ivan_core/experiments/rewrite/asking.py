"""Asking a rewriter for the pieces of pairs: none twice, and with a look whether it still lives."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace
from hashlib import sha256

from ivan_core.domain.pairs import Pair
from ivan_core.domain.rewriting import PieceKey, Rewriter, Scope, Style
from ivan_core.domain.transcripts import text_hash
from ivan_core.experiments.rewrite.rows import (
    KeptRewording,
    pieces_to_reword,
    rewording_as_list,
    rewording_from_list,
)
from ivan_core.rewording.accept import Rewording, rewrite_piece
from ivan_core.rewording.pieces import Piece
from ivan_core.rewording.styles import build_request, style_hash
from ivan_core.runs.cache import ScoreCache

_PROBE = "\n\nHuman: Could you tell me what time it is?"
_PROBES = 5


class Asking:
    """A rewriter at work in a run; `asked` counts the pieces that it was asked for."""

    def __init__(self, rewriter: Rewriter, cache: ScoreCache) -> None:
        self._rewriter, self._cache = rewriter, cache
        self.asked, self._seconds = 0, 0.0
        card = rewriter.card
        self._name = card.id
        self._who = "|".join(map(str, astuple(card)))

    def reword(self, pair: Pair, scope: Scope, styles: Sequence[Style]) -> Iterator[KeptRewording]:
        """What comes of each piece of a pair in each style."""
        for piece in pieces_to_reword(pair, scope):
            for style in styles:
                yield KeptRewording(piece.key, style, self._reworded(piece, style))

    def make_sure(self, last: Sequence[KeptRewording]) -> None:
        """Where the last of some pieces got no answer, find out whether the rewriter still answers.

        A text may be at fault or the server. If it is the server, these pieces are not to be kept
        as failed: they are asked for again when the run goes on.

        Raises:
            BackendUnavailable: it is the server.
        """
        made = [one.rewording for one in last if one.style != "surface"]
        if self._rewriter.card.kind == "rules" or not made or not _silent(made[-1]):
            return
        piece = Piece(PieceKey(last[-1].key.row_id, "both", "prompt"), _PROBE)
        for attempt in range(1, _PROBES + 1):
            if not self._rewriter.rewrite(build_request(piece, "published", attempt)).problem:
                return

    def remember_speed(self) -> None:
        """Keep the speed of this rewriter on this machine, for the estimates of later plans."""
        if self.asked:
            speed = {"seconds_per_piece": self._seconds / self.asked}
            self._cache.remember(f"rewriter|{self._name}", speed)

    def _reworded(self, piece: Piece, style: Style) -> Rewording:
        if style == "surface" or self._rewriter.card.kind == "rules":
            return rewrite_piece(self._rewriter, piece, style)
        said = f"{self._who}|{style_hash(style)}"
        fact = f"rewording|{sha256(said.encode()).hexdigest()[:16]}|{text_hash(piece.text)}"
        known = self._cache.recall(fact)
        if known is not None:
            # Nothing was asked now: what that answer took belongs to the run that asked.
            return replace(rewording_from_list(known), input_tokens=0, output_tokens=0)
        began = time.perf_counter()
        rewording = rewrite_piece(self._rewriter, piece, style)
        self.asked, self._seconds = self.asked + 1, self._seconds + time.perf_counter() - began
        if rewording.text is not None:  # a refusal may be mended next time
            self._cache.remember(fact, rewording_as_list(rewording))
        return rewording


def _silent(rewording: Rewording) -> bool:
    return rewording.text is None and rewording.refusals[-1].reason == "no_answer"
