"""The tables of an analysis: their names and columns, as they lie in its folder and in its CSVs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ivan_core.experiments.analysis.joined import Joined

if TYPE_CHECKING:
    import pandas as pd

_OF = ("model", "before", "labeler")
_TEST = ("estimate", "se", "low", "high", "p", "p_holm")
TABLES: Mapping[str, tuple[str, ...]] = {
    "imprint": (*_OF, "control", "view", "feature", *_TEST, "clear", "n", "differs", "prompts"),
    "corrected": (*_OF, "feature", *_TEST[:4], "reviewed", "n"),
    "differences": (*_OF, "control", "f", "df1", "df2", "p", "n", "prompts"),
    "interaction": (
        "model",
        "labeler",
        "control",
        "feature",
        "other",
        *_TEST[:5],
        "n",
        "differs",
        "prompts",
    ),
    "explained": (*_OF, "columns", "r2", "low", "high", "n"),
    "importance": ("model", "labeler", "feature", "share", "low", "high"),
    "topics": (
        "model",
        "labeler",
        "topic",
        "feature",
        "inside",
        "outside",
        "estimate",
        "low",
        "high",
        "p",
        "q",
    ),
    "choice": (
        "who",
        "labeler",
        "feature",
        "log_odds",
        *_TEST[1:],
        "wins",
        "strength",
        "n",
        "differs",
    ),
    "misaligned": (
        "model",
        "labeler",
        "labeler_prefers",
        "pairs",
        "misaligned",
        "ties",
        "rate",
        "low",
        "high",
    ),
    "no-preference": ("model", "labeler", "misaligned", "no_preference", "rate", "low", "high"),
    "regimes": ("before", "after", "labeler", "regime", "labeler_prefers", "pairs"),
    "why": (
        "model",
        "labeler",
        "column",
        "log_odds",
        "se",
        "odds_ratio",
        "points",
        "low",
        "high",
        "p",
        "p_holm",
        "n",
    ),
    "shift": ("before", "after", "labeler", "by", "value", "pairs", "mean", "low", "high"),
    "authored": ("model", "labeler", "beside", "feature", *_TEST, "clear", "n", "differs", "found"),
    "second-look": ("row_id", "voices", "against", "smallest_margin"),
    "rewording": ("model", "feature", "estimate", "se", "low", "high", "texts_changed", "imprint"),
    "published": ("name", "here_as_published", "here", "paper", "source"),
}
"""The columns of the CSV of each table."""
BESIDE: Mapping[str, tuple[str, ...]] = {
    "authored": ("why",),
    "imprint": ("why", "spread"),
    "differences": ("why",),
    "interaction": ("why",),
    "no-preference": ("effective_n",),
    "corrected": ("p", "p_holm", "differs"),
    "choice": ("why",),
    "misaligned": ("effective_n",),
    "why": ("away", "away_against", "why"),
    "rewording": ("imprint_low", "imprint_high", "texts", "why"),
    "published": (
        "here_as_published_low",
        "here_as_published_high",
        "p_bonferroni",
        "here_low",
        "here_high",
        "paper_low",
        "paper_high",
    ),
}
"""What the tables in the folder of a run have besides: why there is no number
or no test, and the root mean square of what a regression leaves."""
JOINED = "joined.parquet"
"""One row a pair: what all numbers were computed from."""
_COUNTS = {
    "n",
    "differs",
    "prompts",
    "inside",
    "outside",
    "reviewed",
    "pairs",
    "misaligned",
    "ties",
    "effective_n",
    "away",
    "away_against",
    "found",
    "df1",
    "df2",
    "no_preference",
    "row_id",
    "voices",
    "against",
    "texts_changed",
    "texts",
}
_NUMBERS = {
    *_TEST,
    "f",
    "r2",
    "share",
    "q",
    "log_odds",
    "wins",
    "strength",
    "rate",
    "odds_ratio",
    "points",
    "mean",
    "spread",
    "smallest_margin",
    "imprint",
    "imprint_low",
    "imprint_high",
    "here_as_published",
    "here_as_published_low",
    "here_as_published_high",
    "p_bonferroni",
    "here",
    "here_low",
    "here_high",
    "paper",
    "paper_low",
    "paper_high",
}


def file_of(name: str) -> str:
    """The file of a table in the folder of a run."""
    return f"{name}.parquet"


def frame(name: str, records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The table of some records, its columns in order and of their types."""
    import pandas as pd

    columns = (*TABLES[name], *BESIDE.get(name, ()))
    table = pd.DataFrame.from_records(list(records), columns=list(columns))
    return table.astype({one: _type(one) for one in columns})


def completed(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table as it was written, with the columns that came later, empty: of an older analysis."""
    whole = frame(name, ())
    missing = [column for column in whole if column not in table]
    if not missing:
        return table
    fills = {"string": "", "int64": 0}
    filled = {one: fills.get(str(whole[one].dtype), float("nan")) for one in missing}
    types = {one: whole[one].dtype for one in missing}
    return table.assign(**filled).astype(types)[list(whole)]


def _type(column: str) -> str:
    if column in _COUNTS:
        return "int64"
    return "float64" if column in _NUMBERS else "string"


def joined_table(joined: Joined) -> pd.DataFrame:
    """One row a pair: margins and y of each model, the labels of each labeler by its run."""
    import pandas as pd

    columns: dict[str, Any] = {
        "row_id": joined.row_ids,
        "prompt": joined.prompts,
        "fold": joined.folds,
        "log_length": joined.length,
    }
    for name, judged in joined.models.items():
        columns[f"margin|{name}"] = judged.margin
        columns[f"typical|{name}"] = judged.in_units
    for run_id, own in joined.labelers.items():
        for place, key in enumerate(own.features):
            columns[f"chosen|{run_id}|{key}"] = own.chosen[:, place]
            columns[f"rejected|{run_id}|{key}"] = own.rejected[:, place]
            columns[f"difference|{run_id}|{key}"] = own.differences[:, place]
    return pd.DataFrame(columns)
