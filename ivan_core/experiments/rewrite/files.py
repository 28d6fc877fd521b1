"""The files of a rewording run for people: the original's CSV, what failed, and all of it long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivan_core.domain.labels import REWRITE_FEATURES
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.specs import RewriteSpec
from ivan_core.experiments.rewrite.rows import RewordedPair
from ivan_core.experiments.rewrite.tables import Measured, Tables, length_ratio
from ivan_core.experiments.rewrite.units import LABELLED, Variant, variants_of
from ivan_core.labels.completions import whole_text
from ivan_core.runs.storage import replacing, storage_errors, write_csv

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FOLDER = "rewrite"
_MODELS = ("aligned", "control")
_LABELLED: tuple[tuple[str, Variant], ...] = (("original", "original"), ("rewritten", "reworded"))
"""The original's words for the two variants that it knows."""
CSV_COLUMNS = (
    "row_id",
    "original_chosen_text",
    "original_rejected_text",
    "rewritten_chosen_text",
    "rewritten_rejected_text",
    "original_to_rewritten_chosen_vector_cos_sim",
    "original_to_rewritten_rejected_vector_cos_sim",
    *(
        f"{word}_{side}_score_rm_{model}"
        for word, _ in _LABELLED
        for model in _MODELS
        for side in SIDES
    ),
    *(f"{word}_agreement_dataset_and_rm_{model}" for model in _MODELS for word, _ in _LABELLED),
    *(
        f"{word}_{side}_{key}"
        for word, _ in _LABELLED
        for side in SIDES
        for key in REWRITE_FEATURES
    ),
)
AGAIN_COLUMNS = tuple(f"again_{key}" for key in REWRITE_FEATURES)
"""The five labels of an unchanged text that was labelled a second time."""
FAILED_COLUMNS = ("row_id", "side", "part", "tries", "reason", "raw")


@dataclass(frozen=True)
class _Known:
    """What was measured, to look up by row, variant and what else it belongs to."""

    rewards: dict[tuple[int, str, str], Any]
    similarities: dict[tuple[int, str], Any]
    labels: dict[tuple[int, str, str], Any]
    again: dict[tuple[int, str, str], Any]

    @classmethod
    def of(cls, measured: Measured) -> _Known:
        labels = measured.labels
        first, second = (
            {(row.row_id, row.variant, row.preference): row for row in _rows(own)}
            for own in (labels[~labels["again"]], labels[labels["again"]])
        )
        return cls(
            {(row.row_id, row.model, row.variant): row for row in _rows(measured.scores)},
            {(row.row_id, row.variant): row for row in _rows(measured.similarities)},
            first,
            second,
        )


def write_files(
    data_dir: Path, slug: str, spec: RewriteSpec, tables: Tables, measured: Measured
) -> list[str]:
    """Write the CSV of whole rewordings, that of failed ones if there are any, and the long table.

    `tables` give the pairs with their texts, `measured` what was measured of them.

    Returns their paths in the data folder.

    Raises:
        StorageProblem: the folder cannot be written.
    """
    known = _Known.of(measured)
    folder = data_dir / FOLDER
    names = [f"{slug}-rewrite.csv"]
    with storage_errors(data_dir):
        write_csv(folder / names[0], CSV_COLUMNS, _whole(spec, tables, known), alone=True)
        failed = list(_failed(tables))
        if failed:
            names.append(f"{slug}-rewrite-failed.csv")
            write_csv(folder / names[-1], FAILED_COLUMNS, failed, alone=True)
        names.append(f"{slug}-rewrite.parquet")
        _write_long(folder / names[-1], spec, tables, known)
    return [f"{FOLDER}/{name}" for name in names]


def _whole(spec: RewriteSpec, tables: Tables, known: _Known) -> Iterator[list[Any]]:
    """The rows whose two reworded texts are there."""
    for one in tables.pairs(tables.row_ids):
        chosen, rejected = one.sides["reworded"]
        if chosen is None or rejected is None:
            continue
        row_id = one.pair.row_id
        scores = [
            [_rewards(known, row_id, model, variant) for model in _two(spec)]
            for variant in LABELLED
        ]
        alike = known.similarities[row_id, "reworded"]
        yield [
            row_id,
            one.pair.chosen.printed,
            one.pair.rejected.printed,
            chosen.printed,
            rejected.printed,
            alike.chosen_similarity,
            alike.rejected_similarity,
            *(reward for variant in scores for sides in variant for reward in sides),
            *(_agrees(scores[place][model]) for model in (0, 1) for place in (0, 1)),
            *(
                label
                for _, variant in _LABELLED
                for side in SIDES
                for label in _labels(known, row_id, variant, side)
            ),
        ]


def _failed(tables: Tables) -> Iterator[list[Any]]:
    """Every side without a rewording, with the last answer that was refused for it."""
    for one in tables.pairs(tables.row_ids):
        for place, side in enumerate(SIDES):
            missing = one.missing["reworded"][place]
            if missing is not None:
                yield [
                    one.pair.row_id,
                    side,
                    missing.part,
                    one.tries["reworded"][place],
                    missing.sentence,
                    missing.raw,
                ]


def _two(spec: RewriteSpec) -> tuple[str | None, str | None]:
    """The aligned model and the control; None where there is none."""
    first, second, *_ = (*spec.models, None, None)
    return first, second


def _rewards(
    known: _Known, row_id: int, model: str | None, variant: Variant
) -> tuple[float | None, float | None]:
    row = known.rewards.get((row_id, model or "", variant))
    if row is None:
        return None, None
    return _number(row.chosen_reward), _number(row.rejected_reward)


def _agrees(rewards: tuple[float | None, float | None]) -> bool | None:
    """Whether the model sides with the choice: a tie does not; None without both rewards."""
    chosen, rejected = rewards
    return None if chosen is None or rejected is None else chosen > rejected


def _labels(known: _Known, row_id: int, variant: str, side: str) -> list[Any]:
    return _five(known.labels.get((row_id, variant, side)))


def _five(row: Any) -> list[Any]:
    """The five labels of a row of the table of labels; None for each where there is no row."""
    if row is None:
        return [None] * len(REWRITE_FEATURES)
    return [_plain(getattr(row, key)) for key in REWRITE_FEATURES]


def _write_long(path: Path, spec: RewriteSpec, tables: Tables, known: _Known) -> None:
    """Write one row a pair, side, variant and model, texts included, some pairs at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    with replacing(path, alone=True) as temporary, pq.ParquetWriter(temporary, schema) as file:
        held: list[dict[str, Any]] = []
        for one in tables.pairs(tables.row_ids):
            held += _long(spec, one, known)
            if len(held) >= 20_000:
                file.write_table(pa.Table.from_pylist(held, schema))
                held = []
        file.write_table(pa.Table.from_pylist(held, schema))


def _long(spec: RewriteSpec, one: RewordedPair, known: _Known) -> Iterator[dict[str, Any]]:
    row_id = one.pair.row_id
    for place, side in enumerate(SIDES):
        for variant in variants_of(spec):
            text, missing = one.sides[variant][place], one.missing[variant][place]
            alike = known.similarities.get((row_id, variant))
            place_of = (row_id, variant, side)
            said, twice = known.labels.get(place_of), known.again.get(place_of)
            about = {
                "row_id": row_id,
                "subset": one.pair.subset,
                "preference": side,
                "variant": variant,
                "text": whole_text(text.printed) if text else None,
                "similarity": _number(getattr(alike, f"{side}_similarity", None)),
                "length_ratio": length_ratio(one, variant, place),
                "tries": one.tries[variant][place],
                "reason": whole_text(missing.sentence) if missing else None,
                "raw": whole_text(missing.raw) if missing and missing.raw else None,
                "label_status": None if said is None else str(said.status),
                **dict(zip(REWRITE_FEATURES, _five(said), strict=True)),
                **dict(zip(AGAIN_COLUMNS, _five(twice), strict=True)),
            }
            for model in spec.models:
                row = known.rewards[row_id, model, variant]
                yield {
                    **about,
                    "model": model,
                    "reward": _number(getattr(row, f"{side}_reward")),
                    "truncated": bool(getattr(row, f"{side}_truncated")),
                    "failure": _plain(row.failure),
                }


def _schema() -> pa.Schema:
    import pyarrow as pa

    booleans = ("truncated", *REWRITE_FEATURES[:-1], *AGAIN_COLUMNS[:-1])
    kinds = {
        name: pa.string()
        for name in (
            "row_id",
            "subset",
            "preference",
            "variant",
            "model",
            "text",
            "reward",
            "truncated",
            "similarity",
            "length_ratio",
            "tries",
            "reason",
            "raw",
            "failure",
            "label_status",
            *REWRITE_FEATURES,
            *AGAIN_COLUMNS,
        )
    }
    kinds |= {"row_id": pa.int64(), "tries": pa.int64()}
    kinds |= dict.fromkeys(("reward", "similarity", "length_ratio"), pa.float64())
    return pa.schema(list({**kinds, **dict.fromkeys(booleans, pa.bool_())}.items()))


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    yield from table.itertuples(index=False)


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _plain(value: Any) -> Any:
    """A cell without pandas' words for nothing."""
    import pandas as pd

    return None if value is None or value is pd.NA or value != value else value
