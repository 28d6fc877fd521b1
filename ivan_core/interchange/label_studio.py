"""Tasks for Label Studio: two replies in an order that tells nothing, and predictions of who
prefers which.

https://labelstud.io/guide/tasks. The labelling configuration that the tasks need is `CONFIG`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ivan_core.interchange.content import Content, Row, without_empty
from ivan_core.interchange.format import Format
from ivan_core.interchange.json_files import write_array
from ivan_core.interchange.two_replies import ONE_PROMPT, side_by_side

CONFIG = """<View>
  <Paragraphs name="dialogue" value="$prompt" layout="dialogue" nameKey="role" textKey="content"/>
  <Pairwise name="pw" toName="a,b"/>
  <Text name="a" value="$response_a"/>
  <Text name="b" value="$response_b"/>
</View>
"""


def _write(path: Path, content: Content, rows: Iterator[Row]) -> None:
    write_array(path, (_task(content, row) for row in rows))


def _task(content: Content, row: Row) -> dict[str, Any]:
    fields, preferred = side_by_side(content, row)
    said: list[tuple[str, str]] = [(content.chosen_by, preferred)]
    for at in content.models:
        toward, first = row.beside.toward[at], content.first_side(row.pair.row_id)
        side = "chosen" if toward and toward > 0 else "rejected"
        said.append((content.annotators[at].name, ("a" if side == first else "b") * bool(toward)))
    # No value is a tie: who prefers neither, or said nothing, predicts nothing.
    predictions = [_prediction(name, side) for name, side in said if side]
    return {"data": {**without_empty(content.values(row)), **fields}, "predictions": predictions}


def _prediction(name: str, side: str) -> dict[str, Any]:
    selected = {"selected": {"a": "left", "b": "right"}[side]}
    result = {"id": "r1", "from_name": "pw", "to_name": "a", "type": "pairwise", "value": selected}
    return {"model_version": name, "result": [result]}


LABEL_STUDIO = Format(
    "label-studio",
    "Label Studio tasks",
    "Two replies in a drawn order, with what the data and each model prefer as predictions.",
    ".json",
    ONE_PROMPT,
    _write,
    shuffled=True,
    beside=CONFIG,
)
