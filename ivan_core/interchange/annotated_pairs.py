"""AnnotatedPairs 2.0, as Inverse Constitutional AI and Feedback Forensics read it.

https://github.com/rdnfn/icai (the annotated pairs format). One comparison a pair; the choice that
the data records is one annotator, each reward model and each principle another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import Any

from ivan_core.domain.pairs import other_side
from ivan_core.interchange import reasons
from ivan_core.interchange.content import Annotator, Content, Row, without_empty
from ivan_core.interchange.format import Format
from ivan_core.interchange.json_files import as_json, write_pieces
from ivan_core.interchange.texts import no_text, prompt_and_replies

CHOICE = "ba751e7b"
"""The annotator that readers take for the default one, whatever `default_annotator` says."""
_VERSION = "2.0"


def _write(path: Path, content: Content, rows: Iterator[Row]) -> None:
    write_pieces(path, _pieces(content, rows))


def _pieces(content: Content, rows: Iterator[Row]) -> Iterator[str]:
    metadata = {
        "version": _VERSION,
        "description": f"{content.told} {content.order_told}",
        "created_at": datetime.fromtimestamp(content.made, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dataset_name": content.name,
        "default_annotator": CHOICE,
        "available_metadata_keys_per_comparison": list(content.labels),
    }
    yield f'{{"metadata": {as_json(metadata)},\n'
    yield f'"annotators": {as_json(_annotators(content))},\n"comparisons": ['
    ids: set[str] = set()
    for row in rows:
        between = "," if ids else ""
        yield f"{between}\n{as_json(_comparison(content, row, ids))}"
    yield "\n]}\n"


def _annotators(content: Content) -> dict[str, Any]:
    choice = {
        "name": content.chosen_by,
        "description": f"The {content.chosen_by} of {content.name}",
        "type": "human" if content.chosen_by == "people's choice" else "unknown",
    }
    own = {
        _id(one.told): {"name": one.name, "description": one.told, "type": one.kind}
        for one in content.annotators
    }
    return {CHOICE: choice, **own}


def _id(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()[:8]


def _comparison(content: Content, row: Row, ids: set[str]) -> dict[str, Any]:
    pair = row.pair
    prompt, replies = prompt_and_replies(pair)
    first = content.first_side(pair.row_id)
    second = other_side(first)
    prefers = {CHOICE: {"pref": "a" if first == "chosen" else "b"}}
    for one, toward in zip(content.annotators, row.beside.toward, strict=True):
        prefers[_id(one.told)] = _annotation(one, toward, first == "chosen")
    response = {"text": replies[first]}
    other = {"text": replies[second]}
    if (name := _named(prompt, response, other)) in ids:
        # Readers drop what comes twice without a word.
        response["row_id"] = str(pair.row_id)
        name = _named(prompt, response, other)
    ids.add(name)
    return {
        "id": name,
        "prompt": prompt,
        "response_a": response,
        "response_b": other,
        "annotations": prefers,
        "metadata": without_empty(row.labels),
    }


def _named(prompt: str, response: dict[str, str], other: dict[str, str]) -> str:
    """The id as the format makes it of prompt and responses."""
    parts = [prompt] * bool(prompt) + [json.dumps(one, sort_keys=True) for one in (response, other)]
    return _id("|".join(parts))


def _annotation(one: Annotator, toward: float | None, chosen_first: bool) -> dict[str, Any]:
    """Which of a and b somebody prefers; why neither, where it is so."""
    if toward is None:
        return {"pref": None, "no_pref_reason": "invalid"}
    if not toward:
        why = "tie" if one.kind == "reward_model" else "not_applicable"
        return {"pref": None, "no_pref_reason": why}
    return {"pref": "a" if (toward > 0) == chosen_first else "b"}


ANNOTATED_PAIRS = Format(
    "annotated-pairs",
    "AnnotatedPairs 2.0 (Feedback Forensics)",
    "The data's choice and each reward model as annotators. No ties, and no empty replies.",
    ".json",
    (reasons.no_preference, reasons.no_reply, reasons.two_prompts, no_text),
    _write,
    shuffled=True,
)
