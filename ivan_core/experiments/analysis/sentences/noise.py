"""What is known of a labeler's mistakes, in sentences, and of the numbers that people's labels
correct."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.results import Analysed, WhoLabelled
from ivan_core.metrics.imprint.corrected import LEAST_REVIEWED
from ivan_core.metrics.imprint.effects import AS_PEOPLE
from ivan_core.metrics.intervals import rate_of_row
from ivan_core.metrics.sentences import as_if_apart, share_of
from ivan_core.models.names import reader_note

if TYPE_CHECKING:
    import pandas as pd

_SHARED = "answers share prompts"
_NOBODY = "nobody has checked this labeler"
_SHRINK = (
    "Its mistakes shrink effects and give some to features that have none, and more rows do not"
    " help."
)


def labeler_sentence(analysed: Analysed, who: WhoLabelled) -> str:
    """How often a labeler agrees with people, else with the other labelers, else that nobody has
    checked it."""
    if who.authored:
        return reader_note(who.id)
    found = who.checked
    tried = " Only replies whose labels came valid at first try." if analysed.spec.first_try else ""
    if found is None:
        return f"Labels by {who.named}: {_NOBODY}. {_SHRINK}{tried}"
    if found["by"] == "people":
        answers = number_of(found["who"], "person", "people")
        start = f"Labels by {who.named}: the same answer as people"
        how = f"; {answers}, blind, on {number_of(found['texts'], 'text')} drawn at random"
    else:
        others = [one.named for one in analysed.labelers if one.run_id != who.run_id]
        beside = others[0] if len(others) == 1 else f"the {len(others)} other labelers"
        start = f"Labels by {who.named}, which people have not checked: the same answer as {beside}"
        how = f"; {number_of(found['texts'], 'text')}"
    both = found["both"]
    apart = f" Where either says yes, or a mood, both do in {_rate(both)}." if both else ""
    return f"{start} in {_rate(found['same'], 'answers', how)}.{apart}{tried}"


def _rate(share: Mapping[str, Any], noun: str = "", more: str = "") -> str:
    rate = rate_of_row(*(share[name] for name in ("count", "n", "low", "high", "effective_n")))
    if rate is None:
        return "none"
    wide = as_if_apart(rate.n, rate.effective_n, _SHARED)
    told = f"{more.removeprefix('; ')}{'; ' if more and wide else ''}{wide.strip(' ()')}"
    return f"{share_of(rate)}{f' {noun}' if noun else ''}{f' ({told})' if told else ''}"


def used_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """How many pairs the numbers of a model and a labeler rest on, and why others are out."""
    used = analysed.used(model, labeler)
    out = ", ".join(f"{count:,} {why}" for why, count in used["out"].items())
    return f"{number_of(used['used'], 'pair')} used{f'; out: {out}' if out else ''}."


def pairs_sentence(analysed: Analysed, labeler: str) -> str:
    """The same of all models: once where it is the same of each."""
    told = {name: used_sentence(analysed, name, labeler) for name in analysed.models}
    if len(set(told.values())) == 1:
        return next(iter(told.values()))
    return " ".join(f"{name}: {one}" for name, one in told.items())


def people_rows(
    analysed: Analysed, labeler: str, view: str, control: str, model: str = "", before: str = ""
) -> pd.DataFrame:
    """What stands beside the effects of a view as people label, as rows of it; empty where people
    described too few pairs, and in the views that are not corrected.

    Of all models, or of one; with `before` of how one differs from that.
    """
    table = analysed.table("imprint", labeler=labeler).head(0)
    if "corrected" not in analysed.tables or (view, control) != ("together", "length"):
        return table
    of = {"model": model} if model else {}
    found = analysed.table("corrected", labeler=labeler, before=before, **of)
    told = {"control": control, "view": view, "clear": AS_PEOPLE, "why": ""}
    return found.assign(**told).reindex(columns=[*table.columns, "reviewed"])


def reviewed_sentence(
    analysed: Analysed, labeler: str, view: str = "together", control: str = "length"
) -> str:
    """On how many pairs people described both replies, and how many are needed or what they do."""
    pairs = max(analysed.used(model, labeler).get("reviewed", 0) for model in analysed.models)
    if pairs < LEAST_REVIEWED:
        return (
            f"As people label: from {LEAST_REVIEWED:,} pairs on whose two replies people describe"
            f" blindly, drawn at random; there were {pairs:,} when this analysis ran."
        )
    if people_rows(analysed, labeler, "together", "length").empty:
        return f"People described {pairs:,} pairs, too much alike to tell labels apart."
    if people_rows(analysed, labeler, view, control).empty:
        return "As people label: drawn where all else is equal and length stands beside the labels."
    return (
        f"Diamonds: as people label. People described both replies of {pairs:,} pairs blindly,"
        " drawn at random; this corrects the labeler's mistakes for the labels that differ in ten"
        " of these pairs or more."
    )
