"""Several comparisons as one: models on the same pairs, read in the same way, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard
from ivan_core.domain.runs import Run, RunState
from ivan_core.domain.words import number_of
from ivan_core.engine import handling as runs
from ivan_core.engine.kind import Picture, RowsBehind, SetTogether
from ivan_core.experiments.compare.clicks import Point, of_agreement_cell, of_alike
from ivan_core.experiments.compare.conditions import LANGUAGE, listing
from ivan_core.experiments.compare.many_figures import NAMES
from ivan_core.experiments.compare.many_sentences import many_quotes
from ivan_core.experiments.compare.results import PARTED, Results, open_results, rows_page
from ivan_core.lists.conditions import Filter, matching_rows
from ivan_core.metrics.agreement import ALL_SUBSETS
from ivan_core.metrics.margin_words import ABOUT_MARGINS
from ivan_core.metrics.models.sentences import MEASURE_WORDS

if TYPE_CHECKING:
    import pandas as pd

_SETTINGS: Mapping[str, Callable[[Any], str]] = {
    "input_format": lambda asked: f"puts texts to its models as {asked or 'fits each of them'}",
    "system": lambda asked: f"{asked}s system turns",
    "max_tokens": lambda asked: (
        f"cuts texts at {asked:,} tokens" if asked else "cuts texts where each model must"
    ),
}
"""What a run was asked to do with every text, in words."""
_VERDICT = "The verdict, and in typical margins how much more the model likes the chosen reply."
_HEADS = {
    "row_id": ("Pair", "Its number in the dataset."),
    "subset": ("Subset", ""),
    PARTED: ("All models", "How many models side with the choice."),
    "chosen": ("Chosen reply", ""),
    "rejected": ("Rejected reply", ""),
}
_ANEW = "Run a comparison again so that both are alike, or leave one out."


def together(run_ids: Sequence[str]) -> SetTogether:
    """Several comparisons on the same pairs, in one table, sentences and pictures.

    Raises:
        BadInput: as `several_runs`.
    """
    results, came_from = several_runs(run_ids)
    charts = {"Agreement": Picture(partial(_grid, results), "cell")} | {
        MEASURE_WORDS[measure]: Picture(partial(_likeness, results, measure), "alike")
        for measure in NAMES
    }
    rows = number_of(len(results.row_ids), "pair")
    models = number_of(len(results.models), "model")
    head = f"{models} of {len(run_ids)} runs judged the same {rows}, read in the same way."
    told = [quote.sentence for quote in many_quotes(results)]
    behind = partial(_behind, results, came_from)
    return SetTogether((head, *told), _table(results, came_from), charts, behind)


def several_runs(run_ids: Sequence[str]) -> tuple[Results, Mapping[str, Run]]:
    """The results of several comparisons as if one run had all their models; and whose each is.

    `run_ids` are two or more, each once: `engine.set_beside.together` sees to it. A model that
    stands in several of them in the same form is the one of the first.

    Raises:
        BadInput: they judged other pairs, put texts to models in other formats or cut them
            elsewhere, or a model stands in two of them in different forms.
    """
    import pandas as pd

    opened = [open_results(run_id) for run_id in run_ids]
    first = opened[0]
    cards: dict[str, ModelCard] = {}
    came_from: dict[str, Run] = {}
    parts = []
    for results in opened:
        _same_pairs(first, results)
        _same_settings(first, results)
        own = []
        for model in results.models:
            if model in cards:
                same_model(cards[model], results.cards[model], came_from[model].label, results)
                continue
            own.append(model)
            cards[model], came_from[model] = results.cards[model], results.run
        parts.append(results.table[results.table["model"].isin(own)])
    table = pd.concat(parts, ignore_index=True).astype(
        dict.fromkeys(("model", "subset", "verdict"), "category")
    )
    # What is said of them is said so far if it is of one of them.
    run = next((one.run for one in opened if one.run.state is not RunState.DONE), first.run)
    return replace(first, run=run, table=table, cards=cards, manifest=None), came_from


def _same_pairs(first: Results, other: Results) -> None:
    one, two = _names(first, other)
    if first.dataset.about["content"] != other.dataset.about["content"]:
        raise BadInput(
            f"{one} judged {first.dataset.about['label']}, {two} judged"
            f" {other.dataset.about['label']}, which holds other pairs.",
            "Only runs on the same pairs stand in one table.",
        )
    if first.row_ids != other.row_ids:
        shared = len(set(first.row_ids) & set(other.row_ids))
        raise BadInput(
            f"{one} judged {number_of(len(first.row_ids), 'pair')}, {two}"
            f" {number_of(len(other.row_ids), 'pair')}; {shared:,} are the same.",
            "Only runs on the same pairs stand in one table: judge the same ones with both.",
        )


def _same_settings(first: Results, other: Results) -> None:
    one, two = _names(first, other)
    for name, does in _SETTINGS.items():
        ours, theirs = (getattr(results.spec, name) for results in (first, other))
        if ours != theirs:
            raise BadInput(f"{one} {does(ours)}, {two} {does(theirs)}.", _ANEW)


def same_model(ours: ModelCard, theirs: ModelCard, run: str, other: Results) -> None:
    """Refuse a model that stands in a run and in another one in different forms.

    Raises:
        BadInput: with the first thing in which they differ.
    """
    if ours.cache_identity == theirs.cache_identity:
        return
    one, two = _form(ours), _form(theirs)
    differs = next((name for name in one if one[name] != two[name]), "server")
    raise BadInput(
        f"{ours.id} stands in {run} with {differs} {one[differs] or 'not known'}, in"
        f" {other.run.label} with {differs} {two[differs] or 'not known'}.",
        _ANEW,
    )


def _form(card: ModelCard) -> dict[str, object]:
    """What a model's scores hang on, by name in words."""
    names = ("revision", "input_format", "max_tokens", "dtype", "system", "template_hash")
    form = {name.replace("_", " "): getattr(card, name) for name in names}
    return {**form, "server": card.server and card.server.named}


def _names(first: Results, other: Results) -> tuple[str, str]:
    return runs.names_apart(first.run.id, other.run.id)


def _table(results: Results, came_from: Mapping[str, Run]) -> pd.DataFrame:
    """One row a model: its run, how it read texts, and its agreement with interval."""
    grid = results.many.singles
    table = grid[grid["subset"] == ALL_SUBSETS].drop(columns="subset").reset_index(drop=True)
    cards = [results.cards[model] for model in table["model"]]
    truncated = {one.model: one.counts.truncated for one in results.summaries}
    trained = results.training
    return table.assign(
        run=[came_from[model].label for model in table["model"]],
        input_format=[card.input_format or "not known" for card in cards],
        max_tokens=[card.max_tokens for card in cards],
        truncated=[truncated[model] for model in table["model"]],
        trained_on=[trained[model].seen for model in table["model"]],
    )


def _grid(results: Results, dark: bool) -> Any:
    from ivan_core.charts.heat import agreement_cells

    return agreement_cells(results.many.grid, dark=dark)


def _likeness(results: Results, measure: Any, dark: bool) -> Any:
    from ivan_core.charts.heat import likeness_cells

    many = results.many
    return likeness_cells(many.alike, many.order(measure), measure, dark=dark)


def _behind(results: Results, came_from: Mapping[str, Run], point: Point) -> RowsBehind | None:
    """The pairs on which two models part, or on which a model goes against the choice."""
    asked = of_alike(results, point) or of_agreement_cell(results, point)
    if not asked:
        return None
    rows = matching_rows(listing(results), Filter(LANGUAGE, asked))
    clicked = [point[name] for name in ("first", "second", "model") if name in point]
    models = [model for model in clicked if model in results.models]
    return RowsBehind(
        words=", ".join(condition.words({}) for condition in asked),
        row_ids=rows,
        run_id=came_from[models[0]].id if models else results.run.id,
        page=lambda page: rows_page(results, rows, page, models),
        columns=_HEADS | {model: (model, f"{_VERDICT} {ABOUT_MARGINS}") for model in models},
    )
