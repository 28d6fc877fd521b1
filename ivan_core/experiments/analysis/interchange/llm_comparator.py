"""A file for LLM Comparator: the chosen replies as model A, the rejected ones as model B.

https://github.com/PAIR-code/llm-comparator (its JSON format; every example has every field).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ivan_core.domain.errors import BadInput
from ivan_core.experiments.analysis.interchange.rows import (
    AnalysedPair,
    Source,
    prompt_and_replies,
    whole_text,
)
from ivan_core.labels.schema import feature
from ivan_core.metrics.labels.answers import SENTIMENT, SENTIMENTS

HIGHEST = 1.5
"""The tool's scores go from -1.5 to 1.5: typical margins beyond them are cut there."""
_ROW, _LENGTH = "row_id", "length difference"


def llm_comparator(source: Source, model: str = "") -> Iterator[str]:
    """The file in pieces, one an example; scores are of one model, the first if none is named.

    Raises:
        BadInput: the analysis is not about that model.
    """
    models = source.analysed.models
    if model and model not in models:
        raise BadInput(
            f"Run {source.analysed.run.id} is not about {model}.",
            f"Its models are {', '.join(models)}.",
        )
    scored = model or models[0]
    told = f"{source.dataset_name}, run {source.analysed.run.id}"
    path = f"{told}: score is the margin of {source.model_name(scored)}, in typical margins"
    schema = [{"name": name, "type": kind} for name, kind in _fields(source).items()]
    metadata = json.dumps({"source_path": path, "custom_fields_schema": schema})
    names = json.dumps([{"name": "chosen"}, {"name": "rejected"}])
    yield f'{{"metadata": {metadata},\n"models": {names},\n"examples": ['
    for place, one in enumerate(source.pairs()):
        example = json.dumps(_example(source, one, scored), allow_nan=False)
        yield f"{',' if place else ''}\n{example}"
    yield "\n]}\n"


def _fields(source: Source) -> dict[str, str]:
    found = {_ROW: "number", _LENGTH: "number"}
    for model in source.analysed.models:
        found[_margin(source, model)] = "number"
    for run_id, keys in source.features.items():
        for key in keys:
            kind = "per_model_category" if key == SENTIMENT else "per_model_boolean"
            found[_label(source, run_id, key)] = kind
    return found


def _margin(source: Source, model: str) -> str:
    return f"margin of {source.model_name(model)}"


def _label(source: Source, run_id: str, key: str) -> str:
    """The feature's title; with several labelers also whose label it is."""
    title = feature(key).title
    if len(source.features) == 1:
        return title
    named = [source.analysed.labeler(run).named for run in source.features]
    own = source.analysed.labeler(run_id).named
    return f"{title} ({own if named.count(own) == 1 else f'{own}, run {run_id}'})"


def _example(source: Source, one: AnalysedPair, scored: str) -> dict[str, Any]:
    prompt, replies = prompt_and_replies(one.pair)
    typical = one.typical[scored]
    fields: dict[str, Any] = {
        _ROW: one.pair.row_id,
        _LENGTH: len(one.pair.chosen.reply or "") - len(one.pair.rejected.reply or ""),
    }
    for model, margin in one.margins.items():
        fields[_margin(source, model)] = margin
    for (run_id, key), sides in one.labels.items():
        told = (None, None) if sides is None else tuple(_value(key, side) for side in sides)
        fields[_label(source, run_id, key)] = list(told)
    return {
        "input_text": prompt,
        "tags": [whole_text(topic) for topic in one.topics],
        "output_text_a": replies["chosen"],
        "output_text_b": replies["rejected"],
        "score": None if typical is None else max(-HIGHEST, min(HIGHEST, typical)),
        "individual_rater_scores": [],
        "custom_fields": fields,
    }


def _value(key: str, answer: float) -> str | bool:
    return SENTIMENTS[int(answer) + 1] if key == SENTIMENT else bool(answer)
