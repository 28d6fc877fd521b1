"""Several models, and two labels at once: whether models reward alike, what labels add together."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from given.made_analyses import (
    FOOL,
    HARMLESS,
    HELPFUL,
    INSULT,
    MOVED,
    OTHER,
    PLAIN,
    SORRY,
    UNLABELLED,
    UNRATED,
    Analysing,
    reward,
)
from given.made_labellings import REFUSAL
from given.support import repacked

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import checked
from ivan_core.engine import archive, figures as of_run, zips
from ivan_core.engine.figures import quotes
from ivan_core.experiments.analysis.html_report.page import html_report
from ivan_core.experiments.analysis.plan import spec_of_runs
from ivan_core.experiments.analysis.results import open_analysis
from ivan_core.experiments.analysis.sentences.several import alike_sentence, difference_rows
from ivan_core.experiments.analysis.tables import completed, frame
from ivan_core.experiments.analysis.units import AnalysisSpec
from ivan_core.runs.registry import Registry

ASKED = f"{REFUSAL}:{INSULT}"
LATER = ("differences", "interaction", "no-preference")


def test_two_models_are_set_beside_each_other_in_one_test_and_label_by_label(
    analysing: Analysing,
) -> None:
    """One loses by refusals and the other does not; the third has the margins of the first."""
    labelled = analysing.labelled()
    found = open_analysis(analysing.analysed(analysing.compared(), labelled))
    table = found.table("differences", control="length").set_index(["model", "before"])
    assert list(table.index) == [(PLAIN, MOVED), (PLAIN, OTHER), (MOVED, OTHER)]
    assert table.loc[(PLAIN, MOVED), "why"] == "both models have the same margins"
    row = table.loc[(PLAIN, OTHER)]
    assert (row["df1"], row["df2"], row["n"], row["prompts"]) == (3, 58 - 4, 58, 58)
    assert row["f"] > 20 and row["p"] < 0.001
    told = alike_sentence(found, PLAIN, OTHER, labelled)
    assert told.startswith(f"{PLAIN} and {OTHER} do not reward these 3 labels alike: one test of")
    assert told.endswith("p < 0.001 (58 pairs of 58 prompts; labels: reader:1b).")
    assert alike_sentence(found, PLAIN, MOVED, labelled) == (
        f"{PLAIN} and {MOVED}: both models have the same margins (58 pairs of 58 prompts; labels:"
        " reader:1b)."
    )
    said = [one.sentence for one in quotes(found.run.id)]
    assert told in said
    (refusing,) = [
        one
        for one in said
        if f"typical margins less than {OTHER} [" in one
        and f"{PLAIN} gives a refusing reply" in one
    ]
    assert refusing.endswith("Clear for this labeler; no other has a number for it.")
    assert told in html_report(found).replace("&lt;", "<")
    # The other way round every sign turns.
    there, back = (
        difference_rows(found, *two, labelled) for two in ((PLAIN, OTHER), (OTHER, PLAIN))
    )
    assert (there["estimate"] + back["estimate"]).abs().max() == 0
    assert (there["low"] + back["high"]).abs().max() == 0
    figure = of_run.figure(found.run.id, "differences", "csv", model=OTHER, other=PLAIN).decode()
    assert REFUSAL in figure and f"{OTHER},{PLAIN}" in figure


def test_two_labels_together_are_asked_in_any_order_and_told_with_their_p(
    analysing: Analysing,
) -> None:
    compared, labelled, chooser = (
        analysing.compared((PLAIN, OTHER)),
        analysing.labelled(),
        analysing.choosing(),
    )
    spec = spec_of_runs([compared, labelled, chooser], interaction=ASKED)
    turned = spec_of_runs([compared, labelled, chooser], interaction=f"{INSULT}:{REFUSAL}")
    assert spec == turned and spec.command_line.endswith(f" --interaction {ASKED}")
    found = open_analysis(analysing.worked(spec))
    rows = found.table("interaction", control="length", labeler=labelled).set_index("model")
    both = [
        (SORRY in one and FOOL in one) - (SORRY in two and FOOL in two)
        for row, (one, two) in enumerate(analysing.replies)
        if row not in (UNRATED, UNLABELLED)
    ]
    assert (rows.loc[PLAIN, "n"], rows.loc[PLAIN, "differs"]) == (58, sum(map(abs, both)))
    # Nothing was written into the rewards of replies that hold both words.
    assert rows.loc[PLAIN, "low"] < 0 < rows.loc[PLAIN, "high"]
    said = [one.sentence for one in quotes(found.run.id)]
    (told,) = [one for one in said if f"{PLAIN} gives both together (a refusing reply, a" in one]
    assert "than the two add up to (" in told and told.endswith(", not adjusted.")
    assert "labels: reader:1b). The one pair of labels that was asked for: p = 0." in told
    assert (
        "Both together (a refusing reply, a reply with an insult): no number, this labeler was not"
        " asked for both (labels: chooser:1b)."
    ) in said


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("nothing:" + REFUSAL, "names 'nothing', which is no label here"),
        (f"{REFUSAL}:{REFUSAL}", "twice: a label adds nothing to itself"),
        (REFUSAL, "names two labels as A:B"),
        (f"{HARMLESS}:{REFUSAL}", f"names '{HARMLESS}', which is no label here"),
    ],
)
def test_what_are_no_two_labels_is_refused_with_the_labels_there_are(
    analysing: Analysing, asked: str, told: str
) -> None:
    compared, labelled = analysing.compared((PLAIN,)), analysing.labelled()
    with pytest.raises(BadInput, match=told) as refused:
        spec_of_runs([compared, labelled], interaction=asked)
    assert REFUSAL in (refused.value.hint or "") and HARMLESS not in (refused.value.hint or "")
    if HARMLESS not in asked:
        with pytest.raises(BadInput, match=told):
            checked(AnalysisSpec, {"comparison": compared, "interaction": asked})


def test_of_pairs_against_the_choice_some_are_without_a_preference(analysing: Analysing) -> None:
    compared, chooser = analysing.compared((PLAIN,)), analysing.choosing()
    found = open_analysis(analysing.analysed(compared, chooser))
    against = [
        [(SORRY in one, FOOL in one) == (SORRY in two, FOOL in two)]
        for row, (one, two) in enumerate(analysing.replies)
        if row != UNRATED and reward(PLAIN, one) <= reward(PLAIN, two)
    ]
    neither = sum(alike for (alike,) in against)
    (row,) = found.table("no-preference").to_dict("records")
    assert (row["misaligned"], row["no_preference"]) == (len(against), neither)
    assert row["low"] < row["rate"] == neither / len(against) < row["high"]
    said = [one.sentence for one in quotes(found.run.id)]
    (told,) = [one for one in said if "the labels prefer neither reply in" in one]
    assert told.startswith(f"Where {PLAIN} goes against the recorded choice, the labels prefer")
    assert f"of {len(against)} labelled pairs (labels: chooser:1b)." in told
    assert told in html_report(found)


def test_these_tables_leave_and_come_and_zips_from_before_them_come_too(
    analysing: Analysing, tmp_path: Path
) -> None:
    runs = analysing.compared((PLAIN, OTHER)), analysing.labelled(), analysing.choosing()
    run_id = analysing.analysed(*runs, interaction=ASKED)
    before, packed = open_analysis(run_id), zips.export_bytes(run_id)

    def refused(name: str, told: str, **values: object) -> None:
        file = io.BytesIO()
        before.tables[name].assign(**values).to_parquet(file, index=False)
        path = repacked(packed, tmp_path / "bad.zip", {f"{name}.parquet": file.getvalue()})
        with pytest.raises(BadInput, match=told):
            zips.import_zip(path)

    refused("differences", "hold no such numbers", f=-1.0)
    refused("interaction", "others than its spec asks for", other=HELPFUL)
    refused("no-preference", "contradict its joined rows", no_preference=0)
    zips.export(run_id, tmp_path / "run.zip")
    archive.delete(run_id)
    open_analysis.cache_clear()
    after = open_analysis(zips.import_zip(tmp_path / "run.zip").run_id)
    for name in LATER:
        pd.testing.assert_frame_equal(after.tables[name], before.tables[name])
    archive.delete(after.run.id)
    open_analysis.cache_clear()
    with zipfile.ZipFile(io.BytesIO(packed)) as whole:
        manifest = whole.read("manifest.json").decode()
        old = tmp_path / "old.zip"
        with zipfile.ZipFile(old, "w") as out:
            for name in whole.namelist():
                if not any(f"{late}." in name for late in LATER):
                    out.writestr(name, whole.read(name))
    for late in LATER:
        manifest = manifest.replace(f"-{late}.csv", f"-{late}.gone")
    older = open_analysis(
        zips.import_zip(
            repacked(old.read_bytes(), old, {"manifest.json": manifest.encode()})
        ).run_id
    )
    assert not set(LATER) & set(older.tables) and "imprint" in older.tables
    assert not any("one test of all" in one.sentence for one in quotes(older.run.id))


def test_a_table_from_before_a_column_is_read_with_it_empty(analysing: Analysing) -> None:
    new = frame(
        "corrected",
        [
            {
                "model": PLAIN,
                "labeler": "run",
                "feature": REFUSAL,
                "before": "",
                "n": 300,
                "reviewed": 300,
                "differs": 20,
            }
        ],
    )
    pd.testing.assert_frame_equal(completed("corrected", new.drop(columns="before")), new)
    run_id = analysing.analysed(analysing.compared((PLAIN,)), analysing.labelled())
    path = Registry(analysing.data_dir).folder(run_id) / "corrected.parquet"
    new.assign(labeler=open_analysis(run_id).labelers[0].run_id).drop(columns="before").to_parquet(
        path, index=False
    )
    open_analysis.cache_clear()
    assert list(open_analysis(run_id).tables["corrected"]["before"]) == [""]
    zips.export_bytes(run_id)


def test_what_has_no_number_and_how_many_pairs_would_give_one_is_told(
    analysing: Analysing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label that never differs is no column; that margins are the same is said of two models."""
    right = analysing.right
    monkeypatch.setattr(analysing, "right", lambda *text: {**right(*text), INSULT: False})
    labelled = analysing.labelled()
    found = open_analysis(analysing.analysed(analysing.compared((PLAIN, MOVED)), labelled))
    said = [one.sentence for one in quotes(found.run.id)]
    assert "Without a number: Insult (too few: 0 of at least 10). Labels: reader:1b." in said
    spread = found.table("imprint", model=PLAIN, view="together", control="length")["spread"][0]
    pairs = [int(np.ceil((2.3 * spread / width) ** 2)) for width in (0.5, 0.25)]
    assert (
        f"{PLAIN}: pairs that must differ in a feature to know its effect within so many typical"
        f" margins: {pairs[0]} for ± 0.5 and {pairs[1]} for ± 0.25 (from what is left unexplained"
        " in 58 pairs; labels: reader:1b)."
    ) in said
    assert any(one.startswith(f"{PLAIN}: length alone explains ") for one in said)
    apart = found.table("imprint", model=PLAIN, before=MOVED, view="together", control="length")
    row = apart.set_index("feature").loc[REFUSAL]
    assert row["why"] == f"both models part the replies by as much in all {row['differs']} pairs"
