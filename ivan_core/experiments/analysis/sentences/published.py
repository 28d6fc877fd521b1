"""As published: the imprint by the published rule, beside the paper's, to draw and to tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ivan_core.experiments.analysis.results import Analysed
from ivan_core.experiments.analysis.sentences.rewards import shown_effects

if TYPE_CHECKING:
    import pandas as pd

PUBLISHED = "As published, beside ours and the paper's"
OTHERS = (
    "The paper's numbers are of other rows, other models and other labels than these, so no"
    " differences are computed and none should be read into a line."
)
BARS_ARE = "Bars are ± 2 classical standard errors, as in the paper, which printed none of its own."
_WHEN = {"before": "the paper's model before training", "after": "the paper's, after training"}


def published_models(analysed: Analysed) -> Sequence[str]:
    """The models that stand for the paper's: the one after training, then the one before."""
    of = analysed.manifest.get("published") or {}
    return [of[when] for when in ("after", "before") if of.get(when)]


def published_rows(analysed: Analysed, model: str) -> pd.DataFrame:
    """The published regression of a model's rewards, beside the paper's coefficients, a row each.

    Estimates are in reward points, `low` and `high` two classical standard errors away; those of
    the paper were read off a figure and have no ends. `differs` of `n` pairs differ in a feature.
    """
    import pandas as pd

    of: dict[str, Any] = analysed.manifest["published"]
    when = "before" if model == of["before"] else "after"
    table = analysed.tables["published"]
    own = table[table["name"].str.startswith(f"imprint:{when},")]
    counts = shown_effects(analysed, of["labeler"], "together", "length", model)
    pairs = {row["feature"]: (row["differs"], row["n"]) for row in counts.to_dict("records")}
    rows = [
        {
            "feature": feature,
            "series": series,
            "estimate": row[name],
            "low": row[f"{name}_low"],
            "high": row[f"{name}_high"],
            "clear": "",
            "differs": pairs[feature][0],
            "n": pairs[feature][1],
        }
        for row in own.to_dict("records")
        if (feature := str(row["name"]).partition(",")[2]) in pairs
        for series, name in ((model, "here_as_published"), (_WHEN[when], "paper"))
    ]
    columns = ["feature", "series", "estimate", "low", "high", "clear", "differs", "n"]
    found = pd.DataFrame(rows, columns=columns)
    here = set(found["feature"][found["series"].eq(model) & found["estimate"].notna()])
    return found[found["feature"].isin(here)].reset_index(drop=True)
