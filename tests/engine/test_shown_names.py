"""What is taken away names files, never folders of the machine on which it was made."""

from __future__ import annotations

from pathlib import Path

from given import made_runs

from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import figures
from ivan_core.engine.figures import quotes, source_line
from ivan_core.figures.files import file_names, named


def test_paths_are_named_by_their_file_and_hub_ids_stay() -> None:
    assert file_names(["/home/ada/pairs.jsonl", "sample", "Anthropic/hh-rlhf", "~/rm", ""]) == {
        "/home/ada/pairs.jsonl": "pairs.jsonl",
        "~/rm": "rm",
    }
    assert file_names([r"C:\Users\ada\pairs.csv", "../data/x.csv"]) == {
        r"C:\Users\ada\pairs.csv": "pairs.csv",
        "../data/x.csv": "x.csv",
    }


def test_two_files_of_one_name_keep_the_folder_that_tells_them_apart() -> None:
    found = file_names(["/home/ada/old/rm", "/home/ada/new/rm"])
    assert found == {"/home/ada/old/rm": "old/rm", "/home/ada/new/rm": "new/rm"}


def test_commands_and_charts_are_renamed_whole() -> None:
    names = file_names(["/home/ada/my pairs.jsonl", "/home/ada/rm"])
    told = named("ivan compare --dataset '/home/ada/my pairs.jsonl' --model /home/ada/rm", names)
    assert told == "ivan compare --dataset 'my pairs.jsonl' --model rm"
    spec = {"data": [{"model": "/home/ada/rm"}], "width": 3}
    assert named(spec, names) == {"data": [{"model": "rm"}], "width": 3}


def test_nothing_of_a_run_on_a_local_file_tells_where_it_lay(
    data_dir: Path, pairs_file: Path, tmp_path: Path
) -> None:
    model = str(tmp_path / "models" / "my-rm")
    spec = made_runs.spec_of_sample((model, made_runs.TWO_MODELS[1])).model_copy(
        update={"dataset": DatasetRequest(source=str(pairs_file))}
    )
    run_id = made_runs.finished(data_dir, spec)
    told = [source_line(run_id), *(quote.sentence for quote in quotes(run_id))]
    for name in ("agreement", "rewards", "margins", "length", "verdicts", "two-margins"):
        told += [figures.caption(run_id, name), figures.methods(run_id, name)]
        told.append(figures.file_name(run_id, name, "svg"))
    told.append(figures.figure(run_id, "agreement").decode())
    assert "pairs.jsonl" in told[0] and "my-rm" in told[0]
    for text in told:
        assert str(tmp_path) not in text and "models-my-rm" not in text
    assert "pairs.jsonl (no revision, fingerprint " in figures.caption(run_id, "agreement")
