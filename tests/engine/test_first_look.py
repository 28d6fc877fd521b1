"""`--plan` says what a run would refuse, by the first rows and the files that are here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from given.made_runs import TWO_MODELS, finished, spec_of_sample
from given.support import NOBODY, write_pairs

from ivan_core.cli.main import run
from ivan_core.datasets.prepare import prepare
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.engine import plan as looking
from ivan_core.engine.plan import FirstLook, ModelsAsked, first_look
from ivan_core.runs.cache import ScoreCache


def look(file: Path, models: tuple[str, ...] = TWO_MODELS, **rows: Any) -> FirstLook:
    spec = CompareSpec(dataset=DatasetRequest(source=str(file)), models=models, **rows)
    return first_look(spec, ModelsAsked(models, spec.max_tokens, spec.quantization))


def refused(found: FirstLook) -> list[str]:
    return [error.message for error in found.refusals]


def weights(folder: Path, names: list[str], config: dict[str, Any]) -> Path:
    """A model's directory with weights of these names, and nothing that could be loaded."""
    folder.mkdir()
    header = json.dumps(
        {name: {"shape": [2], "dtype": "F32", "data_offsets": [0, 8]} for name in names}
    )
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header.encode())
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    return folder


def test_a_good_file_is_counted_and_nothing_is_written(data_dir: Path, pairs_file: Path) -> None:
    found = look(pairs_file)
    assert (found.refusals, found.remarks, found.pairs) == ([], [], 40)
    assert found.told == ["1 of 40 pairs have the same text on both sides (pair 7)."]
    assert list(data_dir.iterdir()) == []


def test_of_a_large_file_the_first_rows_alone_are_read(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    opened = looking.open_here

    def counted(request: DatasetRequest) -> Any:
        source = opened(request)
        assert source is not None
        rows = source.rows

        def one_by_one() -> Iterator[Any]:
            for row in rows:
                read.append(1)
                yield row

        return looking.Source(one_by_one(), "", "", "")

    monkeypatch.setattr(looking, "open_here", counted)
    found = look(write_pairs(tmp_path / "many.jsonl", 5_000))
    assert found.pairs is None and found.remarks == ["Only the first 1,000 pairs were read."]
    assert len(read) == 1_000


def test_many_lines_that_are_none_end_the_look_too(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text("{}\n" * 2_000)
    assert refused(look(file))[0].startswith("None of 2000 lines holds a pair (line 1: no text")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{}", "None of 2000 lines holds a pair (line 1: no text under chosen and rejected; "),
        ('{"good": "a"}', "The columns chosen and rejected are needed; found: good."),
    ],
)
def test_pairs_may_stand_after_the_lines_that_were_read(
    data_dir: Path, tmp_path: Path, line: str, says: str
) -> None:
    """A run of this file works: it leaves out the bad lines and finds the three pairs."""
    file = write_pairs(tmp_path / "late.jsonl", 3)
    file.write_text(f"{line}\n" * 2_000 + file.read_text())
    found = look(file)
    assert (refused(found), found.pairs) == ([], None)
    assert len(found.remarks) == 1 and found.remarks[0].startswith(
        f"Only the first 2,000 lines were read; a run would read on. {says}"
    )
    assert prepare(data_dir, DatasetRequest(source=str(file))).rows == 3


def test_what_no_later_line_can_mend_is_refused_before_the_look_ends(
    data_dir: Path, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text("good,bad\n" + "a,b\n" * 3_000)
    assert refused(look(file)) == ["The columns chosen and rejected are needed; found: good, bad."]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"good": "a", "bad": "b"}\n', "chosen and rejected are needed; found: good, bad."),
        ("no json\n", "The only line holds no pair (line 1: "),
        ('{"chosen": "a", "rejected": "b", "rejected": "c"}\n', "rejected"),
    ],
)
def test_what_the_first_rows_tell_is_refused(
    data_dir: Path, tmp_path: Path, content: str, says: str
) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(content)
    assert says in refused(look(file))[0]


def test_damaged_lines_and_rows_beyond_the_end_are_told(data_dir: Path, tmp_path: Path) -> None:
    file = write_pairs(tmp_path / "pairs.jsonl", 3)
    file.write_text(f"no json\n{file.read_text()}")
    found = look(file)
    assert found.pairs == 3 and found.remarks[0].startswith(
        "1 line is no pair and would be left out (line 1: "
    )
    assert refused(look(file, row_ids=(0, 3, 7))) == ["No such pair in this dataset: 3, 7."]
    assert refused(look(file, row_ids=(0, 2))) == []


def test_a_model_without_a_score_head_or_with_several_scores_is_refused_unloaded(
    data_dir: Path, tmp_path: Path, pairs_file: Path
) -> None:
    plain = weights(tmp_path / "plain", ["embed.weight", "lm_head.weight"], {})
    two = weights(tmp_path / "two", ["embed.weight", "score.weight"], {"num_labels": 2})
    five = {"id2label": {str(n): str(n) for n in range(5)}}
    many = weights(tmp_path / "many", ["score.weight"], five)
    good = weights(tmp_path / "good", ["classifier.weight"], {"id2label": {"0": "LABEL_0"}})
    broken = weights(tmp_path / "broken", ["score.weight"], {})
    (broken / "config.json").write_text("{")
    cut = weights(tmp_path / "cut", ["score.weight"], {"num_labels": 1})
    (cut / "tokenizer.json").unlink()
    models = tuple(str(one) for one in (plain, two, many, good, broken, cut))
    said = refused(look(pairs_file, models))
    assert len(said) == 5
    assert "plain has no score head" in said[0]
    assert "two gives two scores labelled 'LABEL_0' and 'LABEL_1'" in said[1]
    assert "many gives 5 scores a text" in said[2]
    assert "broken is damaged: its config.json cannot be read." in said[3]
    assert "cut has no tokenizer" in said[4]


def test_a_model_that_is_not_here_and_texts_longer_than_it_reads_are_said(
    data_dir: Path, tmp_path: Path
) -> None:
    file = tmp_path / "long.jsonl"
    file.write_text(json.dumps({"chosen": "word " * 900, "rejected": "no"}) + "\n")
    spec = CompareSpec(
        dataset=DatasetRequest(source=str(file)), models=("org/model",), max_tokens=512
    )
    assert first_look(spec, ModelsAsked(spec.models, 512)).remarks == [
        "org/model is not on this machine yet: it would be downloaded.",
        "About 1 of the first 2 texts are longer than the 512 tokens that org/model reads: it would"
        " judge a part of them.",
    ]


def test_models_that_ship_with_ivan_are_said_to_stay_as_they_are_in_8_bits(
    data_dir: Path, pairs_file: Path
) -> None:
    own = ("ivan/minilm-control",)
    assert look(pairs_file, own).remarks == []
    assert look(pairs_file, own, quantization="int8").remarks == [
        "ivan/minilm-control ships with IVAN and stays as it is."
    ]


def test_a_hub_dataset_is_not_fetched_for_a_look(data_dir: Path) -> None:
    asked = DatasetRequest(source="Anthropic/hh-rlhf")
    found = first_look(CompareSpec(dataset=asked, models=TWO_MODELS), ModelsAsked(TWO_MODELS))
    assert found.refusals == [] and found.pairs is None
    assert found.remarks == ["No pair was read: Anthropic/hh-rlhf would be fetched first."]


def test_the_command_ends_with_1_where_the_run_would_be_refused(
    data_dir: Path, tmp_path: Path, pairs_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "--plan", "--dataset", str(pairs_file)]) == 0
    assert "pairs.jsonl: 40 pairs; ivan/minilm-harmless" in capsys.readouterr().out
    assert run(["compare", "--plan", "--dataset", str(pairs_file), "--row-ids", "99"]) == 1
    said = capsys.readouterr()
    assert "It would be refused. No such pair in this dataset: 99." in said.err
    assert "It has 40 pairs, numbered from 0." in said.err
    assert list(data_dir.iterdir()) == []


def test_a_rewording_whose_server_is_away_would_be_refused(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OLLAMA_API_HOST", "http://127.0.0.1:9")
    assert run(["rewrite", "--plan", "--limit", "5", "--rewriter", "some-model"]) == 1
    assert "It would be refused. No Ollama server answers" in capsys.readouterr().err


def plan_without_rights(data_dir: Path, out: Any) -> None:
    from ivan_core.engine import machine
    from ivan_core.experiments.compare import plan as compare

    os.environ["IVAN_DATA_DIR"] = str(data_dir.parent / "other")
    spec = compare.preset_spec("demo")
    compare.plan(spec)  # loads what another user may not
    os.environ["IVAN_DATA_DIR"] = str(data_dir)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    plan = compare.plan(spec)
    said = refused(first_look(spec, ModelsAsked(spec.models)))
    out.put((plan.cached, plan.estimate_from, said, machine.cache_size().entries))


@pytest.mark.parametrize("used", [True, False], ids=["after-a-run", "empty"])
def test_a_plan_and_the_cache_are_read_where_nothing_can_be_written(
    data_dir: Path,
    open_folder: Path,
    processes: ForkServerContext,
    used: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = open_folder / "data"
    data.mkdir()
    entries = 0
    if used:
        monkeypatch.setenv("IVAN_DATA_DIR", str(data))
        finished(data, spec_of_sample())
        cache = ScoreCache(data / "cache" / "scores")
        entries = len(cache)
        cache.close()
    for path in (data, *data.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    was = {str(path) for path in data.rglob("*")}
    out = processes.Queue()
    visitor: Any = processes.Process(target=plan_without_rights, args=(data, out))
    visitor.start()
    cached, source, said, counted = out.get(timeout=300)
    visitor.join(300)
    assert (cached, counted) == ((960, entries) if used else (0, 0))
    assert source == (
        "all is known already" if used else "the dataset has not been read on this machine yet"
    )
    assert len(said) == 1 and said[0] == f"The folder {data} cannot be written."
    assert {str(path) for path in data.rglob("*")} == was
