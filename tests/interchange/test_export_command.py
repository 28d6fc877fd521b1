"""`ivan export`: which pairs, where to, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from given import made_runs
from given.made_reviews import Said

from ivan_core.cli.main import run
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine.exports.contents import of_dataset, prepared
from ivan_core.engine.exports.files import export
from ivan_core.experiments.compare.results import open_results
from ivan_core.interchange.formats import FORMATS

ASK = "\n\nHuman: Ask {}\n\nAssistant: "
MODEL = made_runs.TWO_MODELS[0]


def pairs(folder: Path) -> Path:
    """Four rows: a preference, a tie of the same words, two prompts, a side without a reply."""
    start = ASK.format(0)
    rows = [
        {"chosen": start + "good é", "rejected": start + "bad", "subset": "s"},
        {"chosen": start + "same", "rejected": start + "same", "subset": "s"},
        {"chosen": start + "good", "rejected": ASK.format(1) + "bad", "subset": "t"},
        {"chosen": start + "good", "rejected": f"{start}no\n\nHuman: Why?", "subset": "t"},
    ]
    return made_runs.write_rows(folder / "four.jsonl", rows)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_pairs_of_a_dataset_for_training(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    assert run(["export", str(pairs(tmp_path)), "dpo", str(out)]) == 0
    (line,) = lines(out)
    assert line == {
        "prompt": [{"role": "user", "content": "Ask 0"}],
        "chosen": [{"role": "assistant", "content": "good é"}],
        "rejected": [{"role": "assistant", "content": "bad"}],
        "row_id": 0,
        "subset": "s",
    }
    assert "good é" in out.read_text("utf-8"), "nothing is escaped"
    assert capsys.readouterr().out.splitlines() == [
        str(out),
        "1 of 4 pairs written.",
        "1 left out: both sides are the same text.",
        "1 left out: the two prompts differ.",
        "1 left out: a side has no reply.",
    ]


def test_pairs_of_a_run_and_those_that_conditions_pick(data_dir: Path, tmp_path: Path) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample())
    every, some = tmp_path / "every.jsonl", tmp_path / "some.jsonl"
    assert run(["export", run_id, "dpo", str(every)]) == 0
    assert len(lines(every)) > 10
    where = "subset=harmless"
    assert run(["export", run_id, "dpo", str(some), "--where", where]) == 0
    picked = [line for line in lines(every) if line["subset"] == "harmless"]
    assert 0 < len(picked) < len(lines(every))
    assert lines(some) == picked


def test_columns_of_the_data_stand_beside_every_pair(data_dir: Path, tmp_path: Path) -> None:
    start = ASK.format(0)
    sides = [{"chosen": f"{start}good {n}", "rejected": f"{start}bad"} for n in range(3)]
    beside = [{"label": "x", "score": 1.5}, {"label": "y"}, {"score": float("nan"), "more": True}]
    path = tmp_path / "own.jsonl"
    path.write_text("".join(f"{json.dumps(a | b)}\n" for a, b in zip(sides, beside, strict=True)))
    for name in ("kto", "parquet"):
        assert run(["export", str(path), name, str(tmp_path / name)]) == 0
    own = ("label_in_the_data", "score", "more")
    every = [tuple(line[name] for name in own) for line in lines(tmp_path / "kto")[::2]]
    assert every == [("x", 1.5, None), ("y", None, None), (None, None, True)]
    table = pq.read_table(tmp_path / "parquet")
    assert [tuple(row[name] for name in own) for row in table.to_pylist()] == every
    assert [str(table.schema.field(name).type) for name in own] == ["string", "double", "bool"]


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("mine")
    asked = ["export", str(pairs(tmp_path)), "dpo", str(out)]
    assert run(asked) == 1
    assert "is there already" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert run([*asked, "--replace"]) == 0
    assert len(lines(out)) == 1


def test_what_breaks_off_leaves_no_half_file(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = of_dataset(prepared(DatasetRequest(source=str(pairs(tmp_path)))))
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.setattr("ivan_core.interchange.dpo._line", lambda *_: {"margin": float("nan")})
    with pytest.raises(ValueError, match="not JSON compliant"):
        export(content, FORMATS["dpo"], folder / "out.jsonl")
    assert list(folder.iterdir()) == []


def test_conditions_need_a_run(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", str(pairs(tmp_path)), "dpo", "--where", "subset=s"]) == 1
    assert "--where picks pairs of a run" in capsys.readouterr().err
    assert run(["export", "2020-01-01-00-00", "dpo"]) == 1
    assert "2020-01-01-00-00" in capsys.readouterr().err


def test_margins_of_a_run_stand_beside_its_pairs(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=4))
    out = tmp_path / "out.json"
    assert run(["export", run_id, "label-studio", str(out), "--seed", "3"]) == 0
    told = capsys.readouterr().out
    assert "was drawn for each pair (seed 3)." in told and "<Pairwise" in told
    table = open_results(run_id).table.set_index(["model", "row_id"])
    tasks = json.loads(out.read_text("utf-8"))
    assert tasks
    for task in tasks:
        for model in made_runs.TWO_MODELS:
            scores = table.loc[(model, task["data"]["row_id"])]
            assert task["data"][f"margin ({model})"] == pytest.approx(scores["margin"])


def test_pairs_as_people_settled_them(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=4))
    said = Said(data_dir, open_results(run_id).dataset.fingerprint)
    queue = said.pairs(3)
    for name in ("Ann", "Bob"):
        said.choose(queue, name, {0: "rejected", 1: "chosen", 2: "none"})
    plain, flipped, dropped = (tmp_path / f"{name}.jsonl" for name in ("plain", "flip", "drop"))
    margin = f"margin ({MODEL})"
    assert run(["export", run_id, "dpo", str(plain)]) == 0
    assert run(["export", run_id, "dpo", str(flipped), "--settled", "flip"]) == 0
    before, after = lines(plain)[0], lines(flipped)[0]
    assert (after["chosen"], after["rejected"]) == (before["rejected"], before["chosen"])
    assert after[margin] == -before[margin]  # type: ignore[operator]
    assert (after["done"], after["settled"], after["people"]) == ("flipped", "rejected", 2)
    capsys.readouterr()
    assert run(["export", run_id, "dpo", str(dropped), "--settled", "drop"]) == 0
    assert [line["row_id"] for line in lines(dropped)] == [1, 3]
    assert "2 left out: people settled otherwise." in capsys.readouterr().out
