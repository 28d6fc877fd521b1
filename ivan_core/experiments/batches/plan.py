"""Labelling in batches before anything is prepared: roughly what it would cost."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from ivan_core.datasets.chosen_rows import choose_rows, seeded_sample
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.estimates import typical_tokens
from ivan_core.domain.labels import TextKey
from ivan_core.domain.specs import RowsSpec, TaxonomySpec
from ivan_core.engine import datasets
from ivan_core.engine.plan import Proposal, rows_of
from ivan_core.experiments.batches.estimates import prices_of
from ivan_core.experiments.labels.plan import WHY, label_words
from ivan_core.labels.prompt import build_prompt
from ivan_core.models.labelers import preset_paid_labeler

_BYTES_A_TOKEN = 4.4
"""Of English instructions and dialogues; within 2% of the count on the bundled sample."""
_MOST_READ = 100
"""Pairs whose texts are measured; more are taken to be as long as a random draw of so many."""


def propose(rows: RowsSpec) -> Proposal:
    """Labelling some rows by the paid model of the preset in force, at a rough price.

    Raises:
        BadInput: the rows do not exist.
        NotAllowed: as `datasets.find`.
    """
    spec = TaxonomySpec(model=preset_paid_labeler(), **rows_of(rows))
    dataset = datasets.find(spec.dataset)
    row_ids = choose_rows(spec, dataset).row_ids if dataset is not None else []
    return Proposal(
        spec.kind,
        label_words(len(row_ids) if dataset is not None else None),
        WHY,
        spec.model,
        spec,
        len(row_ids) if dataset is not None else None,
        dollars=_dollars(spec, dataset, row_ids) if dataset is not None else None,
        second="A second labeler tells how far the labels can be trusted.",
    )


def _dollars(spec: TaxonomySpec, dataset: PreparedDataset, row_ids: list[int]) -> float | None:
    """Roughly what a batch costs with answers of usual length; None if no price is known."""
    prices = prices_of(spec)
    if prices is None or not row_ids:
        return None
    read = tuple(seeded_sample(row_ids, 0, _MOST_READ))
    tokens = round((_instructions(spec) + _text_bytes(dataset, read)) / _BYTES_A_TOKEN)
    written = typical_tokens(len(spec.keys), spec.max_completion_tokens)
    return prices.batch.requests({tokens: 2 * len(row_ids)}, written)


@lru_cache(maxsize=8)
def _instructions(spec: TaxonomySpec) -> int:
    """Bytes of a request without its text."""
    from ivan_core.backends.openai.chat import label_body

    body: dict[str, Any] = label_body(build_prompt(TextKey(0, "chosen"), "", spec.keys), spec.model)
    schema = json.dumps(body.get("response_format"), separators=(",", ":"))
    return sum(len(one["content"].encode()) for one in body["messages"]) + len(schema.encode())


@lru_cache(maxsize=64)
def _text_bytes(dataset: PreparedDataset, row_ids: tuple[int, ...]) -> float:
    """Bytes of a text, on average."""
    texts = (side.text for pair in dataset.pairs(row_ids) for side in (pair.chosen, pair.rejected))
    return sum(len(text.encode("utf-8", "replace")) for text in texts) / (2 * len(row_ids))
