"""The steps of a rewording run: each turns one unit of rows into rows that are kept.

A rewriter is asked for the pieces of pairs, for none twice, and with a look whether it still lives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from hashlib import sha256
from typing import Any

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.labels import Labeler
from ivan_core.domain.models import Reward, SimilarityModel
from ivan_core.domain.pairs import Pair
from ivan_core.domain.rewriting import PieceKey, Rewriter, Scope, Style
from ivan_core.domain.specs import RewriteSpec
from ivan_core.domain.transcripts import Dialogue, text_hash
from ivan_core.experiments.compare.scoring import Models, Scoring
from ivan_core.experiments.compare.units import Wanted
from ivan_core.experiments.rewrite.rows import (
    STYLE_OF,
    KeptRewording,
    RewordedPair,
    ask_labels,
    pieces_to_reword,
    read_pairs,
    rewording_as_list,
    rewording_from_list,
)
from ivan_core.experiments.rewrite.units import LABELLED, Unit, Variant, units_of_rows, variants_of
from ivan_core.rewording.accept import Rewording, rewrite_piece
from ivan_core.rewording.pieces import Piece
from ivan_core.rewording.styles import build_request, style_hash
from ivan_core.runs.cache import ScoreCache
from ivan_core.runs.context import RunContext
from ivan_core.settings import machine_load

_PROBE = "\n\nHuman: Could you tell me what time it is?"
_PROBES = 5


CARDS = ("rewriter", "similarity", "labeler")
"""Keys of the parts that say who worked, beside those of the reward models."""
CHANGED = "changed"
"""What keys of parts begin with that say who was another one after the run stood still."""
Done = tuple[list[Any], int]
"""The rows of a finished unit, and how many texts were worked on for them."""


@dataclass(frozen=True)
class Tools:
    """How the steps get at what does the work, without knowing where it comes from.

    `similarity` gets the revision that the run began with (empty: resolve it now), `labeler` a
    seed. `together` says whether all fit in memory at once.
    """

    rewriter: Callable[[], Rewriter]
    models: Models
    similarity: Callable[[str], SimilarityModel]
    labeler: Callable[[int], Labeler]
    together: bool


class Steps:
    """Does units, one after the other; holds what is loaded for them."""

    def __init__(
        self,
        context: RunContext,
        spec: RewriteSpec,
        tools: Tools,
        dataset: PreparedDataset,
        units: Sequence[Unit],
        notes: Sequence[str],
    ) -> None:
        self._context, self._spec, self._tools, self._dataset = context, spec, tools, dataset
        self._notes = list(notes)
        self._styles: list[Style] = [
            STYLE_OF[variant] for variant in variants_of(spec) if variant != "original"
        ]
        self._loaded: dict[str, Any] = {}
        self._unit_of = units_of_rows(units)

    def do(self, unit: Unit, done: int) -> Done:
        """The rows of one unit; `done` is the progress before it.

        Raises:
            BackendUnavailable: who does it is away; the run can go on later.
        """
        if unit.stage == "rewordings":
            return self._reword(unit, done)
        if unit.stage == "scores":
            return self._score(unit, done)
        if unit.stage == "similar":
            return self._compare(unit)
        return self._label(unit, done)

    def pairs(self, row_ids: Sequence[int]) -> list[RewordedPair]:
        """Pairs of finished units with their rewordings."""
        return read_pairs(self._context.parts, self._spec, self._dataset, self._unit_of, row_ids)

    def _reword(self, unit: Unit, done: int) -> Done:
        rewriter: Rewriter = self._get("rewriter", self._spec.rewriter, self._tools.rewriter)
        self._context.doing(f"Rewording with {self._spec.rewriter}")
        asking = Asking(rewriter, self._context.cache)
        found: list[KeptRewording] = []
        share = unit.weight // len(unit.row_ids)
        for place, pair in enumerate(self._dataset.pairs(unit.row_ids), 1):
            found += asking.reword(pair, self._spec.scope, self._styles)
            self._context.working(done + share * place)
        asking.make_sure(found)
        asking.remember_speed()
        return [one.as_list() for one in found], asking.asked

    def _score(self, unit: Unit, done: int) -> Done:
        """Rewards of every text in every variant; texts are scored once each, whatever their row.

        A row is: row id, variant, both rewards, whether each was truncated, why one is missing.
        """
        scoring: Scoring = self._get(
            f"reward model {unit.model}",
            unit.model,
            lambda: self._reward_model(unit.model),
            claim=True,
        )
        pairs = self.pairs(unit.row_ids)
        texts = {
            text.hash: text
            for one in pairs
            if not one.pair.unrated
            for sides in one.sides.values()
            for text in sides
            if text is not None
        }
        rewards: dict[str, Reward] = {}
        computed = 0

        def keep(_: str, found: Mapping[str, Reward], read: int) -> None:
            nonlocal computed
            computed = read
            rewards.update(found)

        def read(hashes: Sequence[str]) -> list[Dialogue]:
            return [texts[one] for one in hashes]

        scoring.do([Wanted(unit.key, unit.model, texts, read, unit.weight)], keep, done)
        rows = []
        for one in pairs:
            for variant in variants_of(self._spec):
                found = [
                    rewards.get(text.hash, Reward(None)) if text is not None else Reward(None)
                    for text in one.sides[variant]
                ]
                failures = [reward.failure for reward in found if reward.failure]
                rows.append(
                    [
                        one.pair.row_id,
                        variant,
                        *(reward.value for reward in found),
                        *(int(reward.truncated) for reward in found),
                        "; ".join(failures) or None,
                    ]
                )
        return rows, computed

    def _compare(self, unit: Unit) -> Done:
        """The similarity of every text with its original: row id, variant, both cosines."""
        model: SimilarityModel = self._get(
            "similarity",
            self._spec.similarity,
            lambda: self._tools.similarity(self._kept_revision("similarity")),
            claim=True,
        )
        self._context.doing(f"Measuring similarity with {self._spec.similarity}")
        self._context.start_clock()
        places, asked = [], []
        for one in self.pairs(unit.row_ids):
            for variant in variants_of(self._spec)[1:]:
                for side in (0, 1):
                    before, after = one.sides["original"][side], one.sides[variant][side]
                    if before is not None and after is not None:
                        places.append((one.pair.row_id, variant, side))
                        asked.append((before.printed, after.printed))
        began = time.perf_counter()
        found = dict(zip(places, model.similarity(asked), strict=True))
        if asked:
            took = time.perf_counter() - began
            speed = {"seconds_per_text": took / len(asked), "load": machine_load()}
            self._context.cache.remember(f"similarity|{self._spec.similarity}", speed)
        rows = [
            [row_id, variant, found.get((row_id, variant, 0)), found.get((row_id, variant, 1))]
            for row_id in unit.row_ids
            for variant in variants_of(self._spec)[1:]
        ]
        return rows, len(asked)

    def _label(self, unit: Unit, done: int) -> Done:
        again = unit.stage == "again"
        # Another seed: the same one would have a model repeat itself.
        seed = self._spec.seed + 1 if again else self._spec.seed
        labeler: Labeler = self._get(
            f"labeler {seed}", self._spec.labeler, lambda: self._tools.labeler(seed)
        )
        twice = " a second time" if again else ""
        self._context.doing(f"Labelling{twice} with {self._spec.labeler}")
        self._context.start_clock()
        variants: tuple[Variant, ...] = ("original",) if again else LABELLED
        most = 2 * len(variants) * len(unit.row_ids)
        rows = []
        for row in ask_labels(labeler, self.pairs(unit.row_ids), variants):
            rows.append(row)
            self._context.working(done + unit.weight * len(rows) // most)
        return rows, len(rows)

    def _reward_model(self, name: str) -> Scoring:
        scoring = Scoring(self._context, self._tools.models)
        scoring.load(name)
        return scoring

    def _get(self, what: str, name: str, make: Callable[[], Any], claim: bool = False) -> Any:
        """What is loaded already, or load it; others make room where memory is short."""
        if what not in self._loaded:
            if not self._tools.together:
                self._make_room()
            if claim:
                self._tools.models.claim()
            self._context.doing(f"Loading {name}")
            self._loaded[what] = make()
            kind = what.partition(" ")[0]
            if kind in CARDS:
                self._keep_card(kind, self._loaded[what].card)
            self._context.start_clock()
        return self._loaded[what]

    def _make_room(self) -> None:
        """Let go of what is loaded, here and in a server of this machine."""
        for one in self._loaded.values():
            if release := getattr(one, "release", None):
                release()
        self._loaded.clear()

    def _keep_card(self, kind: str, card: Any) -> None:
        """Keep who works; where what is behind a name changed meanwhile, the run says so."""
        if kind not in self._context.parts:
            self._context.parts.append(kind, [asdict(card)])
        elif (first := self._kept_revision(kind)) != card.revision:
            told = (
                f"{card.id} changed while this run stood still: {first or 'unknown'} did the "
                f"first texts, {card.revision or 'unknown'} the others."
            )
            if told not in self._notes:
                self._context.parts.append(f"{CHANGED}|{kind}", [told])
                self._notes.append(told)
                self._context.note(self._notes)

    def _kept_revision(self, kind: str) -> str:
        parts = self._context.parts
        return str(parts.rows(kind)[0]["revision"]) if kind in parts else ""


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
