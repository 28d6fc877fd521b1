"""A file for LLM Comparator: the chosen replies as model A, the rejected ones as model B.

https://github.com/PAIR-code/llm-comparator (its JSON format; every example has every field).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ivan_core.interchange import reasons
from ivan_core.interchange.content import Annotator, Content, Row, Text
from ivan_core.interchange.format import Format
from ivan_core.interchange.json_files import as_json, write_pieces
from ivan_core.interchange.texts import prompt_and_replies

HIGHEST = 1.5
"""The tool's scores go from -1.5 to 1.5: typical margins beyond them are cut there."""
_LENGTH = "length difference"
_TYPES: dict[type, tuple[str, str]] = {
    bool: ("category", "per_model_boolean"),
    int: ("number", "per_model_number"),
    float: ("number", "per_model_number"),
    str: ("category", "per_model_category"),
    Text: ("text", "per_model_text"),
}
"""What the tool calls a value of a pair, and one of each reply."""


def _write(path: Path, content: Content, rows: Iterator[Row]) -> None:
    write_pieces(path, _pieces(content, rows))


def _pieces(content: Content, rows: Iterator[Row]) -> Iterator[str]:
    models = [content.annotators[at] for at in content.models]
    scored = f": score is the margin of {models[0].name}, in typical margins" if models else ""
    schema = [{"name": name, "type": kind} for name, kind in _fields(content).items()]
    metadata = {"source_path": f"{content.name}{scored}", "custom_fields_schema": schema}
    yield f'{{"metadata": {as_json(metadata)},\n'
    yield '"models": [{"name": "chosen"}, {"name": "rejected"}],\n"examples": ['
    for place, row in enumerate(rows):
        yield f"{',' if place else ''}\n{as_json(_example(content, row))}"
    yield "\n]}\n"


def _fields(content: Content) -> dict[str, str]:
    margins = {content.annotators[at].column: "number" for at in content.models}
    own = {name: _TYPES[kind][0] for name, kind in content.labels.items()}
    sides = {name: _TYPES[kind][1] for name, kind in content.of_sides.items()}
    return {**own, _LENGTH: "number", **margins, **sides}


def _example(content: Content, row: Row) -> dict[str, Any]:
    prompt, replies = prompt_and_replies(row.pair)
    ratings = [_rating(content.annotators[at], row.beside.toward[at]) for at in content.models]
    fields: dict[str, Any] = {
        **{name: str(one) if isinstance(one, bool) else one for name, one in row.labels.items()},
        _LENGTH: len(replies["chosen"]) - len(replies["rejected"]),
        **{content.annotators[at].column: row.beside.toward[at] for at in content.models},
        **{name: list(row.beside.of_sides[name]) for name in content.of_sides},
    }
    return {
        "input_text": prompt,
        "tags": list(row.beside.tags),
        "output_text_a": replies["chosen"],
        "output_text_b": replies["rejected"],
        "score": ratings[0]["score"] if ratings else None,
        "individual_rater_scores": ratings,
        "rationale_list": [],
        "custom_fields": fields,
    }


def _rating(model: Annotator, toward: float | None) -> dict[str, Any]:
    """What a model says of a pair: 0 where its margins are all 0, None where it rated nothing."""
    score = None
    if toward is not None:
        score = max(-HIGHEST, min(HIGHEST, toward / model.unit)) if model.unit else 0.0
    return {
        "score": score,
        "rating_label": model.name,
        "is_flipped": False,
        "rationale": "",
        "custom_fields": {},
    }


LLM_COMPARATOR = Format(
    "llm-comparator",
    "LLM Comparator",
    "Chosen replies are model A, rejected ones model B, scored by the first reward model.",
    ".json",
    (reasons.no_reply, reasons.two_prompts),
    _write,
)
