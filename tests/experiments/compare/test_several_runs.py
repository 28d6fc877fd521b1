"""Several comparisons in one table: what may stand in one, and what is refused and why."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from fakes.reward_models import Fakes
from given import made_runs

from ivan_core.cli.main import main
from ivan_core.domain.errors import BadInput
from ivan_core.domain.models import ModelCard, ServerFacts
from ivan_core.engine.set_beside import together
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.several import same_model, several_runs
from ivan_core.metrics.agreement import ALL_SUBSETS, VERDICTS
from ivan_core.metrics.models.joint import VOTE

DISAGREE = VERDICTS.index("disagree")
A, B, C, D = made_runs.many(4)


def made(data_dir: Path, *models: str, fakes: Fakes | None = None, **fields: object) -> str:
    spec = made_runs.spec_of_sample(models, **{"limit": 60, **fields})
    return made_runs.finished(data_dir, spec, fakes)


def test_models_of_several_runs_are_those_of_one_run_with_all(data_dir: Path) -> None:
    apart = [made(data_dir, A, B), made(data_dir, C), made(data_dir, D)]
    whole = open_results(made(data_dir, A, B, C, D))
    joined, came_from = several_runs(apart)
    assert joined.models == (A, B, C, D)
    assert [came_from[model].id for model in joined.models] == [apart[0], apart[0], *apart[1:]]
    pd.testing.assert_frame_equal(joined.many.grid, whole.many.grid)
    pd.testing.assert_frame_equal(joined.many.alike, whole.many.alike)
    found = together(apart)
    assert (
        found.sentences[0] == "4 models of 3 runs judged the same 60 pairs, read in the same way."
    )
    assert set(found.table["model"]) == {A, B, C, D} and (found.table["n"] == 60).all()
    assert not isinstance(found.charts["Equal verdicts"].draw(False), str)


def test_a_model_in_two_runs_counts_once_if_it_is_the_same(data_dir: Path) -> None:
    apart = [made(data_dir, A, B), made(data_dir, B, C)]
    assert several_runs(apart)[0].models == (A, B, C)
    other = made(data_dir, B, D, fakes=Fakes(revision="r2"))
    with pytest.raises(
        BadInput, match=r"made/model-02 stands in .* revision r1, in .* revision r2"
    ):
        several_runs([apart[0], other])


def test_other_pairs_are_refused(data_dir: Path) -> None:
    with pytest.raises(BadInput, match=r"judged 60 pairs, .* 40 pairs; 40 are the same"):
        together([made(data_dir, A, B), made(data_dir, C, limit=40)])
    path = made_runs.write_rows(
        data_dir.parent / "pairs.jsonl",
        [{"chosen": f"Yes {i}.", "rejected": f"No {i}."} for i in range(60)],
    )
    spec = made_runs.spec_of_file(path, (C,))
    with pytest.raises(BadInput, match="which holds other pairs"):
        together([made(data_dir, A, B), made_runs.finished(data_dir, spec)])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"max_tokens": 128}, "cuts texts where each model must, .* cuts texts at 128 tokens"),
        ({"input_format": "chat"}, "as fits each of them, .* puts texts to its models as chat"),
        ({"system": "drop"}, "keeps system turns, .* drops system turns"),
    ],
)
def test_texts_that_were_read_otherwise_are_refused(
    data_dir: Path, fields: dict[str, object], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        together([made(data_dir, A, B), made(data_dir, C, **fields)])


def test_a_model_whose_server_became_another_is_refused(data_dir: Path) -> None:
    ours = ModelCard(
        id="lab/model",
        revision="a" * 40,
        server=ServerFacts(engine="TEI", version="1.8", model="lab/model"),
    )
    assert ours.server is not None
    newer = ours.server.model_copy(update={"version": "1.9"})
    theirs = ours.model_copy(update={"server": newer})
    other = open_results(made(data_dir, A))
    with pytest.raises(BadInput, match=r"with server TEI 1\.8 .* with server TEI 1\.9"):
        same_model(ours, theirs, "a run", other)


def test_one_run_alone_or_twice_is_no_table(data_dir: Path) -> None:
    run_id = made(data_dir, A, B)
    for named in ([run_id], [run_id, run_id]):
        with pytest.raises(BadInput, match="named twice, or only one"):
            together(named)


def test_the_command_prints_the_table_and_writes_it(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apart = [made(data_dir, A, B), made(data_dir, C), made(data_dir, D)]
    out = tmp_path / "table.csv"
    with pytest.raises(SystemExit) as ended:
        main(["runs", "compare", *apart, "--out", str(out)])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "4 models of 3 runs judged the same 60 pairs" in told and D in told
    written = pd.read_csv(out)
    assert list(written["model"]) == list(together(apart).table["model"])
    assert {"agree", "n", "rate", "low", "high", "run", "input_format"} <= set(written.columns)


def test_a_mark_of_the_pictures_has_its_pairs(data_dir: Path) -> None:
    apart = [made(data_dir, A, B), made(data_dir, C)]
    whole = open_results(made(data_dir, A, B, C))
    verdicts = {model: whole.aligned.models[model].verdict for model in (A, B, C)}
    found = together(apart)

    parted = found.behind({"first": C, "second": A})
    assert parted is not None and parted.words == "made/model-03 and made/model-01 part"
    assert parted.row_ids == whole.aligned.row_ids[verdicts[A] != verdicts[C]].tolist()
    assert parted.run_id == apart[1]
    page = parted.page(1)
    assert (
        set(page)
        == set(parted.columns)
        == {*("row_id", "subset", "parted", "chosen", "rejected", A, C)}
    )
    assert page["row_id"].tolist() == parted.row_ids[:50]
    assert all(row[A].words != row[C].words for row in page.to_dict("records"))

    against = found.behind({"model": C, "subset": ALL_SUBSETS})
    assert against is not None and against.run_id == apart[1]
    assert against.row_ids == whole.aligned.row_ids[verdicts[C] == DISAGREE].tolist()
    outvoted = found.behind({"model": VOTE, "subset": ALL_SUBSETS})
    assert outvoted is not None
    most = sum((verdict == DISAGREE).astype(int) for verdict in verdicts.values()) > 1
    assert outvoted.row_ids == whole.aligned.row_ids[most].tolist()
    assert found.behind({}) is None
