"""Figures of the rows that conditions pick of a rewording: numbers by hand, past which gate."""

from __future__ import annotations

import io
from collections.abc import Iterator
from urllib.parse import quote

import pandas as pd
import pytest
from given.made_runs import write_rows
from given.original_rewordings import rewrite_csv, row_of
from given.support import settings_of

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.figures import (
    caption,
    conditions_of,
    figure,
    methods,
    quotes,
    rows_picked,
    whole,
)
from ivan_core.engine.imports import read_dataset
from ivan_core.experiments.rewrite.figures import CHARTS

MODEL = "rm_aligned"
HOSTILE = "<script>alert(1)</script>\u202e & 50% +#"
A_SUBSET = "subset=a"
"""Rows 0 to 3, of which the usual gate leaves 0 to 2: verdicts of 1 and 2 are lost."""
LOST = f"model={MODEL}&flip=misaligned"
AFTER = {0: (3, 0), 1: (1, 2), 2: (0, 2), 3: (4, 0), 4: (2, 1), 5: (1, 2)}
"""Rewards of the rewordings. Before they are 2 and 1, in rows 4 and 5 the reverse; so margins are
1 wide, and the verdict of row 4 is gained."""


@pytest.fixture(scope="module")
def run_id(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Six pairs; row 3 is reworded with less similarity, the subset of the last is hostile."""
    folder = tmp_path_factory.mktemp("rewordings")
    with pytest.MonkeyPatch.context() as patch:
        settings_of(patch, folder)
        rows = [
            {
                "chosen": row_of(row)["original_chosen_text"],
                "rejected": row_of(row)["original_rejected_text"],
                "subset": "a" if row < 4 else "b" if row < 5 else HOSTILE,
            }
            for row in AFTER
        ]
        dataset = read_dataset(DatasetRequest(source=str(write_rows(folder / "six.jsonl", rows))))
        (found,) = import_csvs(
            [rewrite_csv(folder / "a.csv", *(_row(row) for row in AFTER))], dataset, ["someone"]
        )
        yield found.run_id


def _row(row: int) -> dict[str, object]:
    chosen, rejected = AFTER[row]
    before = (1.0, 2.0) if row > 3 else (2.0, 1.0)
    cells: dict[str, object] = {
        "original_chosen_score_rm_aligned": before[0],
        "original_rejected_score_rm_aligned": before[1],
        "original_agreement_dataset_and_rm_aligned": row < 4,
        "rewritten_chosen_score_rm_aligned": float(chosen),
        "rewritten_rejected_score_rm_aligned": float(rejected),
        "rewritten_agreement_dataset_and_rm_aligned": chosen > rejected,
    }
    if row == 3:
        cells["original_to_rewritten_chosen_vector_cos_sim"] = 0.8
    return row_of(row, **cells)


def data(run_id: str, chart: str, **wish: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(figure(run_id, chart, "csv", **wish)))  # type: ignore[arg-type]


def flips(run_id: str, **wish: str) -> dict[str, tuple[int, int]]:
    """How many verdicts of the model flipped each way, of how many pairs."""
    found = data(run_id, "flips", **wish)
    own = found[(found["model"] == MODEL) & (found["variant"] == "reworded")]
    return {row["direction"]: (row["count"], row["n"]) for row in own.to_dict("records")}


def test_flips_of_a_subset_keep_their_intervals(run_id: str) -> None:
    assert flips(run_id) == {"misaligned": (2, 5), "aligned": (1, 5)}
    assert flips(run_id, where=A_SUBSET) == {"misaligned": (2, 3), "aligned": (0, 3)}
    assert data(run_id, "flips", where=A_SUBSET)[["low", "high"]].notna().all(axis=None)
    told = caption(run_id, "flips", where=A_SUBSET)
    assert "Only 4 of 6 pairs count, picked by: subset: a. Picked pairs, not a sample." in told
    assert "shares of all picked pairs with 95% intervals, by direction." in told
    assert "Meaning kept in 75% [30, 95] of 4 pairs" in told
    assert f"{MODEL}: of 3 pairs it agreed on, 67% [21, 94] no longer agree." in told
    assert "random draw of all pairs that would be picked so" in told


def test_a_condition_on_flips_takes_the_intervals_away(run_id: str) -> None:
    assert flips(run_id, where=LOST) == {"misaligned": (2, 2), "aligned": (0, 2)}
    assert data(run_id, "flips", where=LOST)[["low", "high"]].isna().all(axis=None)
    told = caption(run_id, "flips", where=LOST)
    assert f"{MODEL}: of 2 pairs it agreed on, 100% no longer agree." in told
    assert "rates follow from it" in told and "[" not in told
    assert "Wilson" not in methods(run_id, "flips", where=LOST)


def test_changes_are_in_the_margins_of_the_whole_run(run_id: str) -> None:
    """Chosen rewards move by 1, -1 and -2, rejected ones by -1, 1 and 1."""
    own = data(run_id, "changes", where=A_SUBSET)
    own = own[own["model"] == MODEL].set_index("side")
    assert own["mean"].to_dict() == pytest.approx({"chosen": -2 / 3, "rejected": 1 / 3})
    assert set(own["typical_margin"]) == {1.0} and own["low"].notna().all()
    bare = data(run_id, "changes", where=LOST)
    assert bare[["low", "high"]].isna().all(axis=None)
    told = caption(run_id, "changes", where=LOST)
    assert "for chosen replies by −1.50 typical margins and for rejected" in told
    assert "mean changes in typical margins" in told and "[" not in told
    assert "Student" not in methods(run_id, "changes", where=LOST)


def test_cells_count_picked_rows(run_id: str) -> None:
    assert data(run_id, "alike", model=MODEL, where=A_SUBSET)["count"].sum() == 3
    assert data(run_id, "alike", model=MODEL, where=LOST)["flipped"].sum() == 2


def test_a_figure_of_picked_rows_takes_the_gate_of_their_address(run_id: str) -> None:
    lower = f"{A_SUBSET}&meaning=0.7"
    assert flips(run_id, where=lower) == {"misaligned": (2, 4), "aligned": (0, 4)}
    assert flips(run_id, where=lower, gate="0.7:0.5:2") == flips(run_id, where=lower)
    assert "a similarity of 0.7 or more" in methods(run_id, "flips", where=lower)
    assert (
        rows_picked(run_id, "state=left") == 1 and rows_picked(run_id, "state=left&meaning=0") == 0
    )
    with pytest.raises(BadInput, match="is not that of the conditions") as refused:
        figure(run_id, "flips", "csv", where=lower, gate="0.9:0.5:2")
    assert "--gate" in refused.value.hint
    address = {"run": run_id, "subset": "a", "meaning": "0.7", "order": "unlike"}
    assert conditions_of(run_id, address) == lower
    assert conditions_of(run_id, {**address, "meaning": "high"}) == A_SUBSET
    assert conditions_of(run_id, {"meaning": "0.7"}) == ""


def test_the_flip_of_a_rewording_is_on_the_verdicts_of_a_comparison_too() -> None:
    from ivan_core.experiments.compare.verdicts import REWARDS
    from ivan_core.experiments.rewrite.conditions import CellIs, FlipIs

    assert FlipIs.measure == CellIs.measure == REWARDS


@pytest.mark.parametrize("chart", [chart.name for chart in CHARTS])
@pytest.mark.parametrize("where", [A_SUBSET, LOST, "similarity=0.9~1"])
def test_every_chart_can_be_drawn(run_id: str, chart: str, where: str) -> None:
    drawn = figure(run_id, chart, "svg", where=where)
    assert b"Picked pairs, not a sample" in drawn and b"NaN" not in drawn
    assert "nan" not in caption(run_id, chart, where=where)
    assert not whole(run_id, chart)


def test_hostile_words_are_plain(run_id: str) -> None:
    where = f"subset={quote(HOSTILE)}"
    assert flips(run_id, where=where) == {"misaligned": (0, 1), "aligned": (0, 1)}
    assert "<script>alert(1)</script> & 50% +#." in caption(run_id, "flips", where=where)
    assert b"<script>" not in figure(run_id, "flips", "svg", where=where)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("meaning=0.9", "no condition"),
        (f"{A_SUBSET}&meaning=high", "is no gate on meaning"),
        (f"{A_SUBSET}&meaning=0.123456", "is no gate on meaning"),
        (f"{A_SUBSET}&meaning=0.9&meaning=0.8", "a name given twice"),
        ("model=gone&flip=any", "has no model gone"),
        ("state=failed", "No pair of run"),
        ("state=left", "None of these pairs has a rewording"),
    ],
)
def test_what_picks_nothing_is_a_sentence(run_id: str, where: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        figure(run_id, "flips", "csv", where=where)
    assert said in refused.value.message and refused.value.hint


def test_sentences_of_picked_rows(run_id: str) -> None:
    told = [one.sentence for one in quotes(run_id, LOST) if one.question == "Do verdicts flip?"]
    assert told[0].startswith(
        f"Rewording flips the verdict of {MODEL} in 100% of 2 pairs. Only 2 of 6 pairs count,"
        f" picked by: {MODEL}: no longer agrees. 1 pair has no value"
    )
    assert not any("[" in one or "To see" in one for one in told)
    kept = next(one.sentence for one in quotes(run_id, A_SUBSET))
    assert "keeps the meaning in 75% of 4 measured pairs" in kept and "[30, 95]" in kept
    similar = next(one.sentence for one in quotes(run_id, "similarity=0~1"))
    assert "keeps the meaning in 83% of 6 measured pairs" in similar and "[" not in similar
    noise = [one.sentence for one in quotes(run_id, LOST) if "noise" in one.question]
    assert noise and all(one.endswith("whatever is picked.") for one in noise)


@pytest.mark.parametrize(
    "where",
    [LOST, f"model={MODEL}&cell=0.0_1.0_0.0_9.0", "label=last_response_is_helpful&move=same"],
)
def test_only_pairs_whose_meaning_was_kept_flip_or_move(run_id: str, where: str) -> None:
    kept = next(one.sentence for one in quotes(run_id, where))
    assert "keeps the meaning in 100% of" in kept and "[" not in kept
    assert "on the very thing that is counted" in kept


def test_sentences_past_another_gate_say_so(run_id: str) -> None:
    told = [one.sentence for one in quotes(run_id, f"{A_SUBSET}&meaning=0.7") if one.where]
    assert told and all("count from a similarity of 0.7 on" in one for one in told)
    flips_of = next(one for one in told if one.startswith("Rewording flips"))
    assert f"the verdict of {MODEL} in 50% of 4 pairs" in flips_of
    assert not any("similarity of" in one.sentence for one in quotes(run_id, A_SUBSET))


def test_labels_that_flip_in_picked_rows(run_id: str) -> None:
    moved = "label=last_response_is_helpful&move=same"
    told = [one.sentence for one in quotes(run_id, moved) if "labels" in one.question]
    assert told[0].startswith(
        "the imported file: “Helpful” flips in 0% of 10 texts (0 lost, 0 gained). Only 5 of 6"
    )
