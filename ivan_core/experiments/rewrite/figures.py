"""Figures of a rewording: which meaning counts as kept, and what is said of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivan_core import __version__
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.options import command_of
from ivan_core.domain.runs import RunState
from ivan_core.experiments.rewrite.figure_list import CHARTS, RewriteChart
from ivan_core.experiments.rewrite.numbers import (
    LONGEST,
    SHORTEST,
    SIMILARITY,
    Gate,
    Numbers,
    numbers,
    read_gate,
)
from ivan_core.experiments.rewrite.results import RewriteResults, open_rewrite
from ivan_core.figures.chart import Drawn, first_upper, model_words, rate_words
from ivan_core.figures.picks import Picked, Wish, is_sample, only, rows_words
from ivan_core.metrics.robustness_sentences import came_words


def charts(run_id: str) -> list[RewriteChart]:
    """The charts that a rewording can give, in the order of the page.

    Raises:
        BadInput: there is no such run, or nothing is finished yet.
    """
    open_rewrite(run_id)
    return list(CHARTS)


def pick(run_id: str, name: str, wish: Wish) -> Picked:
    """One chart of a rewording.

    Raises:
        BadInput: there is no such run, chart, model or gate.
    """
    results = open_rewrite(run_id)
    chart = next((chart for chart in CHARTS if chart.name == name), None)
    if chart is None:
        known = ", ".join(chart.name for chart in CHARTS)
        raise BadInput(f"There is no chart {name!r} of a rewording.", f"Choose one of {known}.")
    only(name, wish, "gate", *(["model"] if chart.one_model else []))
    gate = _gate(wish.get("gate"))
    model = wish.get("model") or results.models[0]
    if model not in results.models:
        raise BadInput(
            f"Run {run_id} has no model {model!r}.", f"It has {', '.join(results.models)}."
        )
    found = numbers(results, gate)
    named, words = ((model,) if chart.one_model else ()), gate_words(gate)
    return Picked(
        lambda: chart.draw(found, model),
        named,
        (
            *(ModelCard(id=one).slug for one in named),
            *([f"gate-{words.replace(':', '-')}"] if words else []),
        ),
        rows(results),
        is_sample(results.dataset),
        lambda drawn: _methods(results, found, gate, drawn),
        " ".join(told for one, told in results.training.items() if one == model or not named),
    )


def gate_words(gate: Gate) -> str | None:
    """A gate as a wish names it; None for the usual one."""
    if gate == Gate():
        return None
    return f"{gate.similarity:g}:{gate.shortest:g}:{gate.longest:g}"


def _gate(asked: str | None) -> Gate:
    """The gate that was asked for, or the usual one."""
    if asked is None:
        return Gate()
    names = (SIMILARITY, SHORTEST, LONGEST)
    try:
        found = Gate(*(float(part) for part in asked.split(":", len(names) - 1)))
    except ValueError:
        found = None
    told = (found.similarity, found.shortest, found.longest) if found else ()
    if found is None or read_gate(dict(zip(names, map(str, told), strict=True))) != found:
        raise BadInput(f"{asked!r} is no gate on meaning.", "Write it as in 0.85:0.5:2.")
    return found


def rows(results: RewriteResults) -> str:
    """Which pairs were reworded, of what, in what revision."""
    stopped = "" if results.run.state is RunState.DONE else "those reworded before the run stopped"
    return rows_words(results.spec, results.dataset, len(results.row_ids), stopped)


def _methods(results: RewriteResults, found: Numbers, gate: Gate, drawn: Drawn) -> str:
    spec, manifest = results.spec, results.manifest or {}
    done, asked = results.texts_reworded
    version = manifest.get("versions", {}).get("ivan", __version__)
    both = (
        "the prompt that both sides share and each last reply"
        if spec.scope == "shared"
        else ("each whole dialogue apart")
    )
    judged = "; ".join(model_words(card) for card in _models(results))
    return (
        f"{first_upper(rows(results))} were reworded by {_who(manifest, 'rewriter', spec.rewriter)}"
        f"{' (rule-based)' if spec.is_rules else ''}: {both}{_styles(manifest)}. {done:,} of"
        f" {asked:,} texts have a rewording. Pairs: {came_words(found.came)}. Rewards are"
        f" by {judged}. {' '.join(results.training.values())} Meaning counts as kept where both"
        f" sides have a similarity of {gate.similarity:g} or more with the original, by"
        f" {_who(manifest, 'similarity', spec.similarity)}, and a length of {gate.shortest:g} to"
        f" {gate.longest:g} times the original's: {rate_words(found.kept)} pairs; the others enter"
        f" no number. {drawn.methods} Seed {spec.seed}. Computed with IVAN {version}, run"
        f" {results.run.id}: `{command_of(spec)}`."
    )


def _models(results: RewriteResults) -> list[ModelCard]:
    """The reward models; before the end of a run no more than their names is known."""
    told = (results.manifest or {}).get("models", [{"id": name} for name in results.models])
    return [ModelCard.model_validate(card) for card in told]


def _who(manifest: Mapping[str, Any], kind: str, name: str) -> str:
    """Who reworded, or told likeness, in what revision."""
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
