"""What has no number, how many pairs would give one, and labels beside length, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.rewards import share, shown_effects
from ivan_core.experiments.analysis.sentences.words import FEATURES, titled
from ivan_core.metrics.imprint.effects import pairs_for

HALF_WIDTHS = (0.5, 0.25)
"""In typical margins: what one may want to see."""


def left_out_sentence(
    analysed: Analysed, labeler: str, view: str = "together", control: str = ""
) -> str:
    """Which features have no number and why, of all models; empty where all have one."""
    effects = shown_effects(analysed, labeler, view, control or analysed.spec.control)
    of: dict[tuple[str, str], list[str]] = {}
    for row in effects[effects["estimate"].isna()].to_dict("records"):
        of.setdefault((str(row["feature"]), str(row["why"])), []).append(str(row["model"]))
    told = [
        f"{FEATURES.get(feature, feature)}{_whose(analysed, models)} ({_why(why, models)})"
        for (feature, why), models in of.items()
    ]
    who = analysed.labeler(labeler).sentence
    return f"Without a number: {'; '.join(told)}. {who}" if told else ""


def _why(why: str, models: list[str]) -> str:
    """The reason, as it is said of one model or of several."""
    return titled(why.replace("this model", "each model") if len(models) > 1 else why)


def _whose(analysed: Analysed, models: list[str]) -> str:
    """Of which models that is said, where it is not said of all."""
    return "" if len(models) == len(analysed.models) else f", {' and '.join(models)}"


def needs_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """How many differing pairs would show an effect within half and a quarter typical margin; empty
    where nothing is left to tell it from."""
    effects = shown_effects(analysed, labeler, "together", analysed.spec.control, model)
    spread = float(effects["spread"].iloc[0]) if len(effects) else float("nan")
    if isnan(spread):
        return ""
    told = " and ".join(f"{pairs_for(width, spread):,} for ± {width:g}" for width in HALF_WIDTHS)
    pairs = number_of(int(effects["n"].max()), "pair")
    return (
        f"{model}: pairs that must differ in a feature to know its effect within so many typical"
        f" margins: {told} (from what is left unexplained in {pairs};"
        f" {analysed.labeler(labeler).labels})."
    )


def apart_sentence(analysed: Analysed, model: str, labeler: str) -> str:
    """How much length explains by itself, and labels without it; empty where nothing is known."""
    table = analysed.table("explained", model=model, before="", labeler=labeler)
    rows = {row["columns"]: row for row in table.to_dict("records")}
    known = {name: row for name, row in rows.items() if not isnan(row["r2"])}
    if not {"length", "labels"} <= set(known):
        return ""
    pairs, who = number_of(int(known["length"]["n"]), "pair"), analysed.labeler(labeler)
    return (
        f"{model}: length alone explains {_explained(known['length'])}, these labels without it"
        f" {_explained(known['labels'])} ({pairs}, held out by prompt; {who.labels})."
    )


def _explained(row: Mapping[str, Any]) -> str:
    return share(row) if row["r2"] > 0 else f"nothing ({share(row)})"
