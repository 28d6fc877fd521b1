"""The charts of a rewording that can be had as figures: to add one, write it into `CHARTS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from ivan_core.experiments.rewrite.numbers import Numbers
from ivan_core.figures.chart import WILSON, Drawn, counted
from ivan_core.metrics.robustness import REWORDED, SURFACE, Robustness
from ivan_core.metrics.robustness_sentences import change_sentence, flips_sentence

_FLIPS = ["model", "variant", "direction", "count", "n", "share", "low", "high", "of", "of_n"]
_CHANGES = ["model", "variant", "side", "n", "mean", "low", "high", "typical_margin"]
_ALONE = "a change of punctuation and space alone"


@dataclass(frozen=True, slots=True)
class RewriteChart:
    """One chart of a rewording: its name on the command line, and whether it shows one model."""

    name: str
    title: str
    draw: Callable[[Numbers, str], Drawn]
    one_model: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `ivan figure` that choose what it shows."""
        return ("--model", "--gate") if self.one_model else ("--gate",)


def _flips(found: Numbers, _: str) -> Drawn:
    from ivan_core.charts.robustness import flip_bars

    reworded = [one for one in found.robustness if one.variant == REWORDED]
    told = " ".join(flips_sentence(one.model, one.flips) for one in reworded)
    return Drawn(
        lambda: flip_bars(_beside(found), dark=False),
        _flip_rows(found),
        "How often the verdict of each reward model flips where the texts are reworded, beside"
        f" {_ALONE}: shares of all pairs with 95% intervals, by direction. {found.headline} {told}",
        "A verdict flips if the model sided with the choice and no longer does, or the reverse; a"
        f" tie sides with nobody. {WILSON}",
    )


def _changes(found: Numbers, _: str) -> Drawn:
    from ivan_core.charts.robustness import reward_change_dots

    reworded = [one for one in found.robustness if one.variant == REWORDED]
    return Drawn(
        lambda: reward_change_dots(_beside(found), dark=False),
        _change_rows(found),
        f"How far rewording moves the rewards, beside {_ALONE}: mean changes with 95% intervals in"
        f" typical margins. {' '.join(change_sentence(one) for one in reworded)}",
        "A typical margin is the root mean square of the model's margins on the originals."
        " Intervals are 95% intervals of a mean over pairs by Student's t, widened where"
        " prompts repeat, without correction for multiple comparisons.",
    )


def _alike(found: Numbers, model: str) -> Drawn:
    from ivan_core.charts.robustness_cells import change_squares

    cells = found.cells(model)
    return Drawn(
        lambda: change_squares(cells, dark=False),
        cells,
        f"Does the margin of {model} move more where less is alike? Each cell counts the pairs by"
        " the similarity of their less similar side (across) and by how far the margin moved, in"
        f" typical margins (up). {counted(cells)}",
        "Margins were compared before and after, whatever their sign.",
    )


def _beside(found: Numbers) -> list[Robustness]:
    return [one for one in found.robustness if one.variant in (REWORDED, SURFACE)]


def _flip_rows(found: Numbers) -> pd.DataFrame:
    """Flips of every model and variant both ways: of all pairs, and of those that could."""
    rows = []
    for one in found.robustness:
        if one.flips is None:
            continue
        for direction, rate, risk in (
            ("misaligned", one.flips.became_misaligned, one.flips.misaligned_at_risk),
            ("aligned", one.flips.became_aligned, one.flips.aligned_at_risk),
        ):
            of = (risk.rate, risk.n) if risk else (None, 0)
            ends = (rate.rate, rate.low, rate.high)
            rows.append((one.model, one.variant, direction, rate.count, rate.n, *ends, *of))
    return pd.DataFrame(rows, columns=_FLIPS)


def _change_rows(found: Numbers) -> pd.DataFrame:
    """Mean changes of every model and variant in its typical margins."""
    rows = []
    for one in found.robustness:
        for side, change in (("chosen", one.chosen), ("rejected", one.rejected)):
            if change is not None and one.unit:
                shown = change.in_units(one.unit)
                ends = (shown.n, shown.mean, shown.low, shown.high)
                rows.append((one.model, one.variant, side, *ends, one.unit))
    return pd.DataFrame(rows, columns=_CHANGES)


CHARTS: tuple[RewriteChart, ...] = (
    RewriteChart("flips", "How often verdicts flip when texts are reworded", _flips),
    RewriteChart("changes", "How far rewording moves the rewards", _changes),
    RewriteChart(
        "alike", "Whether the margin moves more where less is alike", _alike, one_model=True
    ),
)
