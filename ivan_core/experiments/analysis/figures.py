"""The charts of an analysis, what each leaves to choose, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ivan_core.domain.errors import BadInput
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.words import short_names
from ivan_core.experiments.analysis.beside_figures import draw_choice, draw_published
from ivan_core.experiments.analysis.findings import findings
from ivan_core.experiments.analysis.results import Analysed, open_analysis
from ivan_core.experiments.analysis.sentences.against import NO_WHY, against_sentence
from ivan_core.experiments.analysis.sentences.beside import (
    TEACHES,
    authored_rows,
    found_sentence,
    taught_sentence,
)
from ivan_core.experiments.analysis.sentences.breaks import (
    BREAKS,
    lacking,
    rewording_of,
    rewording_rows,
)
from ivan_core.experiments.analysis.sentences.change import shift_sentence
from ivan_core.experiments.analysis.sentences.noise import people_rows, used_sentence
from ivan_core.experiments.analysis.sentences.published import PUBLISHED, published_models
from ivan_core.experiments.analysis.sentences.quotes import quotes
from ivan_core.experiments.analysis.sentences.rewards import shown_effects
from ivan_core.experiments.analysis.sentences.several import difference_rows
from ivan_core.experiments.analysis.sentences.words import AGAINST, CHANGED, FEATURES, WHAT_FOR
from ivan_core.figures.chart import Chart, ChartsAndSentences, Chosen, Drawn
from ivan_core.figures.choices import (
    CONTROL,
    LABELER,
    MODEL,
    ONE_MODEL,
    OTHER_MODEL,
    VIEW,
    Choice,
    FigureOption,
    Wish,
    asked_for,
)
from ivan_core.figures.words import model_words, rows_words, source_line
from ivan_core.metrics.imprint.effects import CLEAR_FOR_ONE
from ivan_core.metrics.paired import SIGNIFICANT
from ivan_core.models.names import shown_name

if TYPE_CHECKING:
    import pandas as pd

TITLES = FEATURES
"""What features are called in charts."""


def imprint_rows(analysed: Analysed, labeler: str, view: str, control: str) -> pd.DataFrame:
    """The effects of one view, and beside them those as people label."""
    import pandas as pd

    effects = shown_effects(analysed, labeler, view, control)
    as_people = people_rows(analysed, labeler, view, control)
    return effects if as_people.empty else pd.concat([effects, as_people], ignore_index=True)


def why_rows(analysed: Analysed, model: str, labeler: str) -> pd.DataFrame:
    """The effects of one model's going against the choice, in points, side by side."""
    table = analysed.table("why", model=model, labeler=labeler)
    parts = [str(column).rpartition(":") for column in table["column"]]
    ends = {"estimate": "points", "low": "low", "high": "high"}
    return table.assign(
        side=[side or SIDES[0] for side, _, _ in parts],
        feature=[feature for _, _, feature in parts],
        clear=(table["p_holm"] < SIGNIFICANT).map({True: CLEAR_FOR_ONE, False: ""}),
        differs=table["away"],
        **{name: 100 * table[column] for name, column in ends.items()},
    )


def change_rows(analysed: Analysed, labeler: str, view: str, control: str) -> pd.DataFrame:
    """The imprint of the change from the earlier to the later model."""
    row = analysed.table("shift", labeler=labeler).iloc[0]
    return difference_rows(analysed, row["after"], row["before"], labeler, view, control)


def change_title(analysed: Analysed, labeler: str) -> str:
    """What the chart of the change is called: from which model to which."""
    row = analysed.table("shift", labeler=labeler).iloc[0]
    before, after = str(row["before"]), str(row["after"])
    short = short_names((before, after))
    return f"From {short[before]} to {short[after]}"


_INTERVALS = (
    "Margins are in typical margins of each model. Intervals are 95%, from leaving out one prompt"
    " at a time (CR3; HC3 where no prompt repeats); p-values are adjusted by Holm over the features"
    " of one model."
)

_CORRECTED = (
    " As people label: the imprint by people's labels of the pairs that they described, corrected"
    " by how the labeler's on these differs from its on all (Chen and Chen 2000)."
)


def _imprint(analysed: Analysed, labeler: str, control: str, view: str) -> Drawn:
    from ivan_core.charts.imprint import imprint_dots

    who = analysed.labeler(labeler)
    table = imprint_rows(analysed, labeler, view, control)
    alike = "alike in all else in the table" if view == "together" else "each feature by itself"
    beside = {"length": " and of log length", "none": "", "chosen": " and of log length"}[control]
    constant = "with" if control == "chosen" else "without"
    return Drawn(
        lambda: imprint_dots(table, TITLES, dark=False),
        table.drop(columns=["why", "spread"]),
        "By how many typical margins each model likes the reply with a feature more,"
        f" {alike}. {who.sentence}",
        f"A regression of margins on differences of labels{beside}, {constant} a constant."
        f" {_INTERVALS}{_CORRECTED if 'reviewed' in table else ''}"
        if view == "together"
        else f"Margins on differences of one label at a time, without a constant. {_INTERVALS}",
    )


def _against(analysed: Analysed, model: str, labeler: str) -> Drawn:
    from ivan_core.charts.imprint import points_dots

    who = analysed.labeler(labeler)
    table = why_rows(analysed, model, labeler)
    return Drawn(
        lambda: points_dots(table, TITLES, dark=False),
        table,
        f"{against_sentence(analysed, model, labeler)} By how many percentage points more often"
        f" where a reply has a feature. {who.sentence}",
        "A logit of going against the choice on a constant, the labels of both replies and the"
        " difference in log length, as average effects over the pairs; intervals are 95%, from a"
        " sandwich by prompt and the delta method; p-values are adjusted by Holm over the labels.",
    )


def _authored(analysed: Analysed, model: str, labeler: str) -> Drawn:
    from ivan_core.charts.imprint import labeler_dots

    rows = labeled_rows(analysed, model, labeler)
    found, taught = (found_sentence(analysed, labeler), taught_sentence(analysed, model, labeler))
    return Drawn(
        lambda: labeler_dots(rows, TITLES, beside_title(model), dark=False),
        rows.drop(columns=["why"]),
        f"{found} {taught} {TEACHES}",
        "The regression of the imprint, by authored labels and by a labeler's own, on the pairs"
        f" that both labelled. {_INTERVALS}",
    )


def _pick_published(chart: str, analysed: Analysed, wish: Wish) -> str:
    known = published_models(analysed)
    return _one_of(chart, wish, MODEL, known, known[0])


def labeled_rows(analysed: Analysed, model: str, labeler: str) -> pd.DataFrame:
    """The effects by authored labels and by a labeler, each with the name of who labelled."""
    rows = authored_rows(analysed, model, labeler)
    return rows.assign(series=[analysed.labeler(run_id).named for run_id in rows["labeler"]])


def beside_title(model: str) -> str:
    """What the chart of a labeler beside authored labels is called."""
    return f"{model.rpartition('/')[2]}: by whose labels?"


def _change(analysed: Analysed, labeler: str, control: str, view: str) -> Drawn:
    from ivan_core.charts.imprint import imprint_dots

    who = analysed.labeler(labeler)
    table = change_rows(analysed, labeler, view, control)
    return Drawn(
        lambda: imprint_dots(table, TITLES, change_title(analysed, labeler), dark=False),
        table.drop(columns=["why", "spread"]),
        f"{shift_sentence(analysed, labeler)} Feature by feature: by how many typical margins the"
        f" later model likes the reply with it more than the earlier one. {who.sentence}",
        f"A regression of the change of margins on differences of labels. {_INTERVALS}",
    )


def _differences(
    analysed: Analysed, model: str, other: str, labeler: str, control: str, view: str
) -> Drawn:
    from ivan_core.charts.imprint import imprint_dots

    who = analysed.labeler(labeler)
    table = difference_rows(analysed, model, other, labeler, view, control)
    return Drawn(
        lambda: imprint_dots(table, TITLES, difference_title(model, other), dark=False),
        table.drop(columns=["why", "spread"]),
        f"By how many typical margins more {model} likes the reply with a feature than {other}"
        f" does. {who.sentence}",
        "A regression of one model's margins less the other's on differences of labels."
        f" {_INTERVALS}{_CORRECTED if 'reviewed' in table else ''}",
    )


def difference_title(model: str, other: str) -> str:
    """What the chart of how two models differ is called."""
    short = short_names((model, other))
    return f"{short[model]} less {short[other]}"


def _rewording(analysed: Analysed, model: str) -> Drawn:
    from ivan_core.charts.imprint import rewording_dots

    rows, found = rewording_rows(analysed, model), rewording_of(analysed)
    labeler = found["labeler"] if found else ""
    return Drawn(
        lambda: rewording_dots(rows, TITLES, dark=False),
        analysed.table("rewording", model=model),
        f"How the reward of {model} moves where a rewording moves a label, in typical margins,"
        f" beside the imprint of the same labels. Labels: {shown_name(labeler)}.",
        "A regression of the change of the reward of each text on the changes of its labels, of its"
        " log length and a constant; the imprint is that of the originals' margins on the same"
        " labels. Intervals are 95%, from leaving out one pair, or one prompt, at a time (CR3).",
    )


def _no_rewording(name: str, analysed: Analysed) -> BadInput | None:
    if "rewording" in analysed.tables:
        return None
    told = lacking(analysed)
    return BadInput(
        f"The chart {name} needs labels of reworded pairs. {told}",
        "Reword the pairs with a labeler, then analyse them anew.",
    )


def _no_change(name: str, analysed: Analysed) -> BadInput | None:
    if "shift" in analysed.tables:
        return None
    return BadInput(
        f"The chart {name} sets a model before another; run {analysed.run.id} names no two.",
        "Analyse it anew, and name both models.",
    )


def _no_differences(name: str, analysed: Analysed) -> BadInput | None:
    if len(analysed.models) > 1 and "differences" not in analysed.tables:
        return BadInput(
            f"The chart {name} came later than run {analysed.run.id}.", "Analyse it anew."
        )
    return None


def _no_authored(name: str, analysed: Analysed) -> BadInput | None:
    if "authored" in analysed.tables:
        return None
    return BadInput(
        f"The chart {name} sets a labeler beside authored labels; run {analysed.run.id} has not"
        " both.",
        "Analyse pairs of the dataset sample that have both.",
    )


def _no_choice(name: str, analysed: Analysed) -> BadInput | None:
    if "choice" in analysed.tables:
        return None
    return BadInput(f"The chart {name} needs what the choice rewards.", "Analyse the pairs anew.")


def _no_published(name: str, analysed: Analysed) -> BadInput | None:
    if "published" in analysed.tables and published_models(analysed):
        return None
    return BadInput(
        f"The chart {name} takes labels of harmless and helpful.", "Label the pairs for both."
    )


def _no_why(name: str, analysed: Analysed) -> BadInput | None:
    return None if "why" in analysed.tables else BadInput(NO_WHY, "Label the pairs, by rules too.")


def _reader(chart: str, analysed: Analysed, wish: Wish) -> str:
    runs = [one.run_id for one in analysed.readers]
    return _one_of(chart, wish, LABELER, runs, runs[0])


def _readers(analysed: Analysed) -> list[tuple[str, str]]:
    return [(one.run_id, one.named) for one in analysed.readers]


def _labeler(chart: str, analysed: Analysed, wish: Wish) -> str:
    runs = [one.run_id for one in analysed.labelers]
    return _one_of(chart, wish, LABELER, runs, runs[0])


def _control(chart: str, analysed: Analysed, wish: Wish) -> str:
    return _one_of(chart, wish, CONTROL, CONTROL.among, analysed.spec.control)


def _view(chart: str, analysed: Analysed, wish: Wish) -> str:
    return _one_of(chart, wish, VIEW, VIEW.among, VIEW.among[0])


def _one_of(chart: str, wish: Wish, option: FigureOption, known: Sequence[str], usual: str) -> str:
    asked = asked_for(wish, option)
    if not asked:
        return usual
    if asked[0] not in known:
        raise BadInput(
            f"The chart {chart} has no {option.words} {asked[0]!r}.",
            f"There are {', '.join(known)}.",
        )
    return asked[0]


def _labelers(analysed: Analysed) -> list[tuple[str, str]]:
    return [(one.run_id, one.named) for one in analysed.labelers]


_OF_LABELER = Choice(LABELER, _labeler, offers=_labelers, before="labels")
_CHOICES = (_OF_LABELER, Choice(CONTROL, _control, before="beside"), Choice(VIEW, _view))
_READER = Choice(LABELER, _reader, offers=_readers, before="labels")
"""Of those who tell what each reply is."""


_OF_PUBLISHED = Choice(
    MODEL, _pick_published, offers=lambda own: [(one, "") for one in published_models(own)]
)


def _methods(analysed: Analysed, chosen: Chosen) -> str:
    """Who judged and who labelled, what exactly they are, and which pairs enter."""
    spec, models = analysed.spec, (chosen["model"],) if "model" in chosen else analysed.models
    known = {card.id: model_words(card) for card in analysed.cards}
    judged = "; ".join(known.get(name, name) for name in models)
    told = [f"Margins of {judged} were taken from run {spec.comparison}."]
    if "labeler" in chosen:
        who = analysed.labeler(chosen["labeler"])
        told.append(f"Labels by {who.described or who.named} were taken from run {who.run_id}.")
        told += [f"{name}: {used_sentence(analysed, name, who.run_id)}" for name in models]
    return " ".join(told)


FIGURES = ChartsAndSentences(
    (
        Chart("imprint", WHAT_FOR, _imprint, _CHOICES),
        Chart(
            "differences",
            WHAT_FOR,
            _differences,
            (ONE_MODEL, OTHER_MODEL, *_CHOICES),
            lacks=_no_differences,
        ),
        Chart("authored", WHAT_FOR, _authored, (ONE_MODEL, _READER), lacks=_no_authored),
        Chart("choice", WHAT_FOR, draw_choice, (ONE_MODEL, _OF_LABELER), lacks=_no_choice),
        Chart("against", AGAINST, _against, (ONE_MODEL, _READER), lacks=_no_why),
        Chart("change", CHANGED, _change, _CHOICES, lacks=_no_change),
        Chart("rewording", BREAKS, _rewording, (ONE_MODEL,), lacks=_no_rewording),
        Chart("published", PUBLISHED, draw_published, (_OF_PUBLISHED,), lacks=_no_published),
    ),
    open_analysis,
    lambda own: rows_words(own.spec, own.dataset, len(own.row_ids)),
    _methods,
    lambda own: own.spec.command_line,
    lambda own: source_line(own, len(own.row_ids), own.spec.command_line),
    quotes,
    of=" of an analysis",
    findings=findings,
)
