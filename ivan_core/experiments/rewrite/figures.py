"""The charts of a rewording, what each leaves to choose, and what is said of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.experiments.compare.verdicts import REWARDS
from ivan_core.experiments.rewrite import sentences
from ivan_core.experiments.rewrite.conditions import listing
from ivan_core.experiments.rewrite.findings import findings
from ivan_core.experiments.rewrite.numbers import Numbers, numbers
from ivan_core.experiments.rewrite.results import (
    LONGEST,
    SHORTEST,
    SIMILARITY,
    Gate,
    RewriteResults,
    given_gate,
    open_rewrite,
)
from ivan_core.figures.chart import Chart, ChartsAndSentences, Chosen, Drawn, Narrowing
from ivan_core.figures.choices import GATE, ONE_MODEL, Choice, Wish
from ivan_core.figures.words import counted, first_upper, model_words, rows_words, wilson_words
from ivan_core.metrics.robustness.changes import REWORDED, SURFACE, Robustness
from ivan_core.metrics.robustness.sentences import came_words, change_sentence, flips_sentence
from ivan_core.metrics.sentences import rate_words
from ivan_core.models.names import is_rules

_FLIPS = ["model", "variant", "direction", "count", "n", "share", "low", "high", "of", "of_n"]
_CHANGES = ["model", "variant", "side", "n", "mean", "low", "high", "typical_margin"]
_ALONE = "a change of punctuation and space alone"


def _flips(results: RewriteResults, gate: Gate) -> Drawn:
    from ivan_core.charts.robustness import flip_bars

    found = _numbers(results, gate)
    shown = _beside(found)
    of = "all picked pairs" if results.whole else "all pairs"
    reworded = [one for one in found.robustness if one.variant == REWORDED]
    told = " ".join(flips_sentence(one.model, one.flips) for one in reworded)
    return Drawn(
        lambda: flip_bars(shown, of=of, dark=False),
        _flip_rows(found),
        "How often the verdict of each reward model flips where the texts are reworded, beside"
        f" {_ALONE}: shares of {of}{_ends(results)}, by direction. {found.headline}"
        f" {told}",
        "A verdict flips if the model sided with the choice and no longer does, or the reverse; a"
        f" tie sides with nobody.{wilson_words(results)}",
    )


def _changes(results: RewriteResults, gate: Gate) -> Drawn:
    from ivan_core.charts.robustness import reward_change_dots

    found = _numbers(results, gate)
    shown = _beside(found)
    reworded = [one for one in found.robustness if one.variant == REWORDED]
    return Drawn(
        lambda: reward_change_dots(shown, dark=False),
        _change_rows(found),
        f"How far rewording moves the rewards, beside {_ALONE}: mean changes{_ends(results)}"
        f" in typical margins. {' '.join(change_sentence(one) for one in reworded)}",
        "A typical margin is the root mean square of the model's margins on the originals."
        + (
            ""
            if results.bare
            else " Intervals are 95% intervals of a mean over pairs by Student's t, widened where"
            " prompts repeat, without correction for multiple comparisons."
        ),
    )


def _alike(results: RewriteResults, model: str, gate: Gate) -> Drawn:
    from ivan_core.charts.robustness import change_squares

    cells = _numbers(results, gate).cells(model)
    return Drawn(
        lambda: change_squares(cells, dark=False),
        cells,
        f"Do larger rewordings move the margin of {model} more? Each cell counts the pairs by"
        " the similarity of their less similar side (across) and by how far the margin moved, in"
        f" typical margins (up). {counted(cells)}",
        "Margins were compared before and after, whatever their sign.",
    )


def _ends(results: RewriteResults) -> str:
    return "" if results.bare else " with 95% intervals"


def _numbers(results: RewriteResults, gate: Gate) -> Numbers:
    """The numbers of a chart; refuses, with BadInput, picked rows of which none counts."""
    found = numbers(results, gate)
    if results.whole and not any(one.n for one in found.robustness):
        raise BadInput(
            "None of these pairs has a rewording that kept the meaning and was rated.",
            "Take a condition away, or lower the gate on meaning.",
        )
    return found


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


def gate_words(gate: Gate) -> str | None:
    """A gate as a wish names it; None for the usual one."""
    if gate == Gate():
        return None
    return _words(gate)


def _words(gate: Gate) -> str:
    return f"{gate.similarity:g}:{gate.shortest:g}:{gate.longest:g}"


def _gate(chart: str, results: RewriteResults, wish: Wish) -> Gate:
    """The gate that was asked for, or that of the conditions by which rows were picked."""
    asked = wish.get("gate")
    if asked is None:
        return results.gate or Gate()
    names = (SIMILARITY, SHORTEST, LONGEST)
    try:
        found = given_gate(dict(zip(names, asked.split(":", len(names) - 1), strict=False)))
    except BadInput:
        raise BadInput(f"{asked!r} is no gate on meaning.", "Write it as in 0.85:0.5:2.") from None
    if results.gate not in (None, found):
        raise BadInput(
            f"The gate {asked} is not that of the conditions, {_words(results.gate)}.",
            f"Leave out --gate, or write {SIMILARITY}={found.similarity:g} behind the conditions.",
        )
    return found


_MEANING = Choice(
    GATE,
    _gate,
    as_wish=gate_words,
    offers=lambda results: [(_words(Gate()), "by default")],
    before="gate-",
)

CHARTS = (
    Chart(
        "flips",
        "How often verdicts flip when texts are reworded",
        _flips,
        (_MEANING,),
        measure=REWARDS,
    ),
    Chart("changes", "How far rewording moves the rewards", _changes, (_MEANING,), measure=REWARDS),
    Chart(
        "alike",
        "Whether larger rewordings move the margin more",
        _alike,
        (ONE_MODEL, _MEANING),
        measure=REWARDS,
    ),
)


def _rows(results: RewriteResults) -> str:
    """Which pairs were reworded, of what, in what revision."""
    stopped = "" if results.run.state is RunState.DONE else "those reworded before the run stopped"
    return rows_words(results.spec, results.dataset, len(results.row_ids), stopped)


def _names(results: RewriteResults, chosen: Chosen) -> tuple[str, ...]:
    return (chosen["model"],) if "model" in chosen else ()


def _trained(results: RewriteResults, chosen: Chosen) -> str:
    """On how many of the pairs each model that is shown was trained."""
    models = _names(results, chosen) or tuple(results.training)
    return " ".join(results.training[model] for model in models)


def _methods(results: RewriteResults, chosen: Chosen) -> str:
    gate: Gate = chosen["gate"]
    found = numbers(results, gate)
    spec, manifest = results.spec, results.manifest or {}
    done, asked = results.texts_reworded
    both = (
        "the prompt that both sides share and each last reply"
        if spec.scope == "shared"
        else "each whole dialogue apart"
    )
    judged = "; ".join(model_words(card) for card in _models(results))
    return (
        f"{first_upper(_rows(results))} were reworded by"
        f" {_who(manifest, 'rewriter', spec.rewriter)}"
        f"{' (rule-based)' if is_rules(spec.rewriter) else ''}: {both}{_styles(manifest)}."
        f" {done:,} of {asked:,} texts have a rewording. Pairs: {came_words(found.came)}."
        f" Rewards are by {judged}. {' '.join(results.training.values())} Meaning counts as kept"
        f" where both sides have a similarity of {gate.similarity:g} or more with the original, by"
        f" {_who(manifest, 'similarity', spec.similarity)}, and a length of {gate.shortest:g} to"
        f" {gate.longest:g} times the original's: {rate_words(found.kept)} pairs; the others enter"
        " no number."
    )


def _models(results: RewriteResults) -> list[ModelCard]:
    """The reward models; before the end of a run no more than their names is known."""
    told = (results.manifest or {}).get("models", [{"id": name} for name in results.models])
    return [ModelCard.model_validate(card) for card in told]


def _who(manifest: Mapping[str, Any], kind: str, name: str) -> str:
    """Who reworded, or measured similarity, in what revision."""
    card = manifest.get(kind) or {"id": name}
    facts = [f"revision {card.get('revision') or 'unknown'}"]
    facts += [f"{name} {value}" for name, value in card.get("settings", {}).items()]
    return f"{card['id']} ({', '.join(facts)})"


def _styles(manifest: Mapping[str, Any]) -> str:
    told = [
        f"{style['version']} with hash {style['hash']}"
        for style in manifest.get("styles", {}).values()
    ]
    return f" (instructions: {', '.join(told)})" if told else ""


FIGURES = ChartsAndSentences(
    CHARTS,
    open_rewrite,
    _rows,
    _methods,
    lambda results: runs.command(results.run),
    sentences.source,
    sentences.quotes,
    of=" of a rewording",
    names=_names,
    trained=_trained,
    narrowing=Narrowing(
        "rewrite",
        lambda results, row_ids, bare, query: results.only(row_ids, bare, given_gate(query)),
        lambda results, query: listing(results, numbers(results, given_gate(query))),
        (SIMILARITY, SHORTEST, LONGEST),
    ),
    findings=findings,
)
