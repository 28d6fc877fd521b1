"""Hub datasets over real HTTP: what is loaded, at which commit, and what is said when it fails."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standin_hub import FreshProcess, StandinHub, hub_environment

HH = "Anthropic/hh-rlhf"
FOLDERS = {"harmless-base": 3, "helpful-base": 2, "helpful-online": 1,
           "helpful-rejection-sampled": 4}  # fmt: skip
NOBODY = "http://127.0.0.1:1"


def opened(**request: str) -> dict[str, Any]:
    """Called in the fresh process: a source read to its end, or the sentence and hint."""
    from ivan_core.datasets.hub import open_hub
    from ivan_core.domain.errors import IvanError
    from ivan_core.domain.specs import DatasetRequest

    try:
        source = open_hub(DatasetRequest(**request))
        rows = [line if isinstance(line, tuple) else [line.line, line.reason]
                for line in source.rows]  # fmt: skip
    except IvanError as error:
        return {"error": type(error).__name__, "says": error.message, "hint": error.hint}
    return {"rows": rows, "revision": source.revision, "licence": source.licence,
            "chosen_by": source.chosen_by, "note": source.note}  # fmt: skip


def prepared(folder: str, source: str) -> list[Any]:
    """Called in the fresh process: rows, revision and last chosen text of the prepared dataset."""
    from ivan_core.datasets.prepare import prepare
    from ivan_core.domain.specs import DatasetRequest

    found = prepare(Path(folder), DatasetRequest(source=source))
    return [found.rows, found.about["revision"], found.pair(found.rows - 1).chosen.text]


def as_the_library_loads(split: str, data_dir: str | None = None) -> list[str]:
    """Called in the fresh process: the chosen texts in the order of the hub's own loader."""
    from datasets import load_dataset

    return list(load_dataset(HH, split=split, data_dir=data_dir)["chosen"])


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def pairs(name: str, count: int) -> list[dict[str, str]]:
    human = "\n\nHuman: Hi\n\nAssistant:"
    return [{"chosen": f"{human} {name} {i}", "rejected": f"{human} no {i}"} for i in range(count)]


def noise(seed: int) -> bytes:
    """Pairs that hardly compress, so that the file is large enough to break off in the middle."""
    words = random.Random(seed)
    return gzip.compress(jsonl([{"chosen": words.randbytes(4_000).hex(), "rejected": "no"}]))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandinHub]:
    with StandinHub(tmp_path_factory.mktemp("hub")) as hub:
        files = {
            f"{folder}/{split}.jsonl.gz": gzip.compress(jsonl(pairs(f"{folder} {split}", count)))
            for folder, rows in FOLDERS.items()
            for split, count in (("train", rows), ("test", 1))
        }
        other = [{"transcript": "\n\nHuman: Hi", "rating": 1.0}]
        files["red-team-attempts/red_team_attempts.jsonl.gz"] = gzip.compress(jsonl(other))
        hub.add("datasets", HH, files | {"README.md": b"---\nlicense: mit\n---\nPreferences.\n"})
        yield hub


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def process(hub: StandinHub, home: Path) -> Iterator[FreshProcess]:
    with FreshProcess(hub.environment(home), home / "errors.txt") as process:
        yield process


@pytest.fixture(scope="module")
def load(process: FreshProcess) -> Any:
    return lambda source, **request: process.call(opened, source=source, **request)


def test_hh_rlhf_is_its_four_folders_in_order(load: Any) -> None:
    found = load(HH)
    subsets = [row["subset"] for _, row in found["rows"]]
    assert subsets == [folder for folder, count in FOLDERS.items() for _ in range(count)]
    assert [number for number, _ in found["rows"]] == list(range(1, 11))
    assert found["rows"][3][1] == {**pairs("helpful-base train", 1)[0], "subset": "helpful-base"}


@pytest.mark.parametrize(
    ("split", "data_dir"), [("train", ""), ("test", ""), ("train", "helpful-base")]
)
def test_the_order_is_that_of_the_hub_s_own_loader(
    load: Any, process: FreshProcess, split: str, data_dir: str
) -> None:
    texts = [row["chosen"] for _, row in load(HH, split=split, subset=data_dir)["rows"]]
    assert texts == process.call(as_the_library_loads, split=split, data_dir=data_dir or None)


def test_a_subset_of_hh_rlhf_is_one_folder(load: Any) -> None:
    rows = load(HH, subset="helpful-rejection-sampled")["rows"]
    assert [row["chosen"][-1] for _, row in rows] == ["0", "1", "2", "3"]
    assert {row["subset"] for _, row in rows} == {"helpful-rejection-sampled"}


def test_another_split_is_loaded_alone(load: Any) -> None:
    rows = load(HH, split="test")["rows"]
    assert [row["subset"] for _, row in rows] == list(FOLDERS)


def test_revision_licence_and_who_chose_are_recorded(load: Any, hub: StandinHub) -> None:
    found = load(HH)
    assert found["revision"] == hub.add("datasets", HH, {})
    assert (found["licence"], found["chosen_by"], found["note"]) == ("mit", "people's choice", "")


def test_a_branch_is_pinned_to_its_commit_and_the_commit_loads_the_same(
    load: Any, hub: StandinHub
) -> None:
    hub.add("datasets", "lab/branches", {"train.jsonl": jsonl(pairs("new", 1))})
    old = hub.add("datasets", "lab/branches@v1", {"train.jsonl": jsonl(pairs("old", 1))})
    branch = load("lab/branches", revision="v1")
    assert branch["revision"] == old
    assert branch["rows"][0][1]["chosen"].endswith("old 0")
    assert load("lab/branches", revision=old)["rows"] == branch["rows"]


def test_any_dataset_with_chosen_and_rejected_is_loaded(load: Any, hub: StandinHub) -> None:
    rows = [{**row, "score": i / 2} for i, row in enumerate(pairs("x", 3))]
    files = {
        "data/train.jsonl": jsonl(rows),
        "README.md": b"---\nlicense: other\nlicense_name: lab\n---\n",
    }
    commit = hub.add("datasets", "lab/any", files)
    found = load("lab/any")
    assert found["rows"] == [[number, row] for number, row in enumerate(rows, start=1)]
    assert (found["revision"], found["licence"]) == (commit, "lab")


def test_message_lists_come_as_lists(load: Any, hub: StandinHub) -> None:
    sides = {
        side: [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": side}]
        for side in ("chosen", "rejected")
    }
    hub.add("datasets", "lab/chats", {"train.jsonl": jsonl([sides])})
    assert load("lab/chats")["rows"] == [[1, sides]]


def test_a_hub_dataset_is_prepared_like_any_other(
    load: Any, process: FreshProcess, hub: StandinHub, tmp_path: Path
) -> None:
    last = pairs("helpful-rejection-sampled train", 4)[3]["chosen"]
    assert process.call(prepared, folder=str(tmp_path), source=HH) == [
        10, hub.add("datasets", HH, {}), last,
    ]  # fmt: skip


def two_subsets(hub: StandinHub) -> str:
    card = """---
configs:
- config_name: easy
  data_files: [{split: train, path: easy.jsonl}]
- config_name: hard
  data_files: [{split: prefs, path: hard.jsonl}]
---
"""
    hub.add("datasets", "lab/two", {"README.md": card.encode(), "easy.jsonl": jsonl(pairs("e", 1)),
                                    "hard.jsonl": jsonl(pairs("h", 2))})  # fmt: skip
    return "lab/two"


def test_a_subset_of_another_dataset_is_its_configuration(load: Any, hub: StandinHub) -> None:
    rows = load(two_subsets(hub), subset="hard", split="prefs")["rows"]
    assert [row["chosen"][-3:] for _, row in rows] == ["h 0", "h 1"]
    assert [row["subset"] for _, row in rows] == ["hard", "hard"]


@pytest.mark.parametrize(
    ("request_", "says", "hint"),
    [
        ({"source": HH, "subset": "helpful"}, f"{HH} has no subset helpful.",
         "It has harmless-base, helpful-base, helpful-online, helpful-rejection-sampled."),
        ({"source": HH, "split": "dev"}, f"{HH} has no split dev.", "It has test, train."),
        ({"source": HH, "subset": "helpful-base", "split": "dev"},
         f"{HH} has no split dev in helpful-base.", "It has test, train."),
        ({"source": "lab/two", "subset": "odd"}, "lab/two has no subset odd.",
         "It has easy, hard."),
        ({"source": "lab/two"}, "lab/two comes in subsets: easy, hard.",
         "Choose one of them with --subset."),
        ({"source": "lab/two", "subset": "hard"}, "lab/two has no split train in hard.",
         "It has prefs."),
    ],
)  # fmt: skip
def test_unknown_parts_are_answered_with_those_there_are(
    load: Any, hub: StandinHub, request_: dict[str, str], says: str, hint: str
) -> None:
    two_subsets(hub)
    found = load(**request_)
    assert (found["error"], found["says"], found["hint"]) == ("BadInput", says, hint)


def test_a_dataset_without_parts_says_so(load: Any, hub: StandinHub) -> None:
    hub.add("datasets", "lab/plain", {"train.jsonl": jsonl(pairs("x", 1))})
    assert load("lab/plain", subset="odd")["says"] == "lab/plain has no subsets."


@pytest.mark.parametrize(("source", "subset", "listed"), [
    (HH, "red-team-attempts", "rating, transcript"), ("lab/columns", "", "question, answer"),
])  # fmt: skip
def test_other_columns_are_listed(
    load: Any, hub: StandinHub, source: str, subset: str, listed: str
) -> None:
    hub.add("datasets", "lab/columns", {"train.jsonl": jsonl([{"question": "a", "answer": "b"}])})
    found = load(source, subset=subset)
    assert found["error"] == "BadInput"
    assert listed in found["says"] + found["hint"]


def test_a_damaged_line_is_named_by_its_folder_and_the_rest_is_kept(
    load: Any, hub: StandinHub
) -> None:
    damaged = gzip.compress(jsonl(pairs("first", 1)) + b"{\n" + jsonl(pairs("third", 1)))
    hub.add("datasets", f"{HH}@damaged", {
        f"{folder}/train.jsonl.gz": damaged if folder == "helpful-base" else noise(1)
        for folder in FOLDERS
    })  # fmt: skip
    rows = load(HH, revision="damaged")["rows"]
    assert rows[2] == [3, "not valid JSON (line 2 of helpful-base)"]
    assert [number for number, _ in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[3][1]["chosen"].endswith("third 0")


def test_no_such_repository(load: Any) -> None:
    found = load("lab/nowhere")
    assert found["error"] == "BadInput"
    assert found["says"] == "The hub has no dataset lab/nowhere, or it is private."


def test_no_such_revision(load: Any) -> None:
    found = load(HH, revision="v9")
    assert found["says"] == f"The dataset {HH} has no revision v9 on the hub."


def test_gated(load: Any, hub: StandinHub) -> None:
    hub.add("datasets", "lab/gated", {"train.jsonl": jsonl(pairs("x", 1))})
    hub.faults["lab/gated"] = "gated"
    found = load("lab/gated")
    assert found["says"] == "The dataset lab/gated is gated: its authors grant access on request."
    assert "HF_TOKEN" in found["hint"]


@pytest.mark.parametrize("source", [HH, "lab/cut"])
def test_connection_lost_in_the_middle_of_a_file(load: Any, hub: StandinHub, source: str) -> None:
    files = {f"{folder}/train.jsonl.gz": noise(2) for folder in FOLDERS}
    hub.add("datasets", "lab/cut", files)
    hub.add("datasets", f"{source}@cut", files)
    hub.faults[source] = "cut"
    try:
        found = load(source, revision="cut")
    finally:
        del hub.faults[source]
    assert found["error"] == "BackendUnavailable"
    assert found["says"] == (
        f"The connection to the hub broke off before the dataset {source} was complete."
    )


def test_after_a_lost_connection_the_next_load_is_whole(load: Any, hub: StandinHub) -> None:
    hub.add("datasets", "lab/again", {"train.jsonl.gz": noise(3)})
    hub.faults["lab/again"] = "cut"
    assert "error" in load("lab/again")
    del hub.faults["lab/again"]
    assert len(load("lab/again")["rows"]) == 1


def test_a_server_error_says_its_number(load: Any, hub: StandinHub) -> None:
    hub.add("datasets", "lab/error", {"train.jsonl": jsonl(pairs("x", 1))})
    hub.faults["lab/error"] = "error"
    found = load("lab/error")
    assert found["says"].startswith("The hub has trouble of its own (HTTP 503)")
    assert "--dataset sample" in found["hint"]


def test_a_server_error_is_bridged_by_the_cache(load: Any, hub: StandinHub) -> None:
    hub.add("datasets", "lab/bridged", {"train.jsonl": jsonl(pairs("x", 2))})
    before = load("lab/bridged")
    hub.faults["lab/bridged"] = "error"
    after = load("lab/bridged")
    assert (after["rows"], after["revision"]) == (before["rows"], before["revision"])
    assert "cache" in after["note"]


@pytest.mark.parametrize("fault", ["cut", "listing"])
def test_another_commit_in_the_cache_is_never_taken_for_the_pinned_one(
    load: Any, hub: StandinHub, fault: Any
) -> None:
    hub.add(
        "datasets", f"lab/moved-{fault}", {"train.jsonl.gz": gzip.compress(jsonl(pairs("old", 1)))}
    )
    load(f"lab/moved-{fault}")
    hub.add("datasets", f"lab/moved-{fault}", {"train.jsonl.gz": noise(4)})
    hub.faults[f"lab/moved-{fault}"] = fault
    assert load(f"lab/moved-{fault}")["error"] == "BackendUnavailable"


@pytest.mark.parametrize("silent", ["offline", "no network"])
def test_without_a_hub_the_cached_commit_is_read(
    load: Any, hub: StandinHub, home: Path, tmp_path: Path, silent: str
) -> None:
    hub.add("datasets", "lab/kept", {"train.jsonl": jsonl(pairs("x", 2))})
    online = [load(HH), load("lab/kept")]
    more = {"HF_HUB_OFFLINE": "1"} if silent == "offline" else {}
    environment = hub_environment(NOBODY, home, **more)
    with FreshProcess(environment, tmp_path / "errors.txt") as process:
        for source, before in zip((HH, "lab/kept"), online, strict=True):
            after = process.call(opened, source=source)
            assert (after["rows"], after["revision"]) == (before["rows"], before["revision"])
            assert after["licence"] == before["licence"]
        unknown = process.call(opened, source="lab/never")
        subset = process.call(opened, source=HH, split="dev")
    said = "Offline mode is on" if silent == "offline" else "The hub cannot be reached"
    assert unknown["says"] == f"{said}, and the dataset lab/never is not in this machine's cache."
    assert "--dataset sample" in unknown["hint"]
    assert subset["says"] == f"{said}, and the dataset {HH} is not in this machine's cache."
