"""Dialogues of turns are prepared and read back, and what was prepared before is still found."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from given.messages import said, user

from ivan_core.datasets.prepare import READING, find_prepared, prepare
from ivan_core.domain.specs import DatasetRequest

POLITE = "Go away.\n\nAssistant: I am sorry"


def write(path: Path, rows: list[dict[str, Any]]) -> DatasetRequest:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return DatasetRequest(source=str(path))


def test_turns_are_prepared_and_read_back_without_loss(tmp_path: Path) -> None:
    rows = [
        {"chosen": [user("Hi"), said(POLITE)], "rejected": [user("Hi"), said("No.")]},
        {
            "chosen": [user("Hi"), said("a")],
            "rejected": [user("Hi"), said("b")],
            "system": "SYS",
            "score_chosen": 1,
            "score_rejected": 1,
        },
        {"chosen": [said("a")], "rejected": [said("b")]},
    ]
    dataset = prepare(tmp_path, write(tmp_path / "chat.jsonl", rows))
    first, second, third = dataset.pairs([0, 1, 2])
    assert first.chosen.messages == (("Human", "Hi"), ("Assistant", POLITE))
    assert second.rejected.messages == (("System", "SYS"), ("Human", "Hi"), ("Assistant", "b"))
    assert (first.tied, second.tied, third.tied) == (False, True, False)
    sanity = dataset.about["sanity"]
    assert (sanity["tied"], sanity["without_prompt"], sanity["prompts_differ"]) == (1, 1, 0)
    assert dataset.about["columns_found"][:3] == ["chosen", "rejected", "system"]


def test_what_was_prepared_from_transcripts_stays_what_it_was(tmp_path: Path) -> None:
    """The numbers were made by the reading before this one: runs and reviews hang on them."""
    hi = "\n\nHuman: Hi\n\nAssistant:"
    rows = [
        {"chosen": f"{hi} Hello.", "rejected": f"{hi} Go."},
        {"chosen": [user("Hi"), said("Yes.")], "rejected": [user("Hi"), said("No.")]},
    ]
    path = tmp_path / "pairs.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    dataset = prepare(tmp_path, DatasetRequest(source=str(path)))
    assert dataset.about["content"] == (
        "7cedd17485d83899951f479033715598f702af48c3d6054a3e71ab1a5950a1df"
    )


def test_the_sample_that_was_prepared_before_is_still_found(tmp_path: Path) -> None:
    dataset = prepare(tmp_path, DatasetRequest())
    pointer = next((tmp_path / "datasets" / "requests").glob("*.json"))
    pointer.rename(pointer.with_name(pointer.name.replace(f"-{READING}.json", "-2.json")))
    assert find_prepared(tmp_path, DatasetRequest()) == dataset


def test_a_file_that_was_read_in_the_old_way_is_read_again(tmp_path: Path) -> None:
    request = write(tmp_path / "chat.jsonl", [{"chosen": [user("Hi"), said("a")], "rejected": "b"}])
    dataset = prepare(tmp_path, request)
    pointer = next((tmp_path / "datasets" / "requests").glob("*.json"))
    pointer.rename(pointer.with_name(pointer.name.replace(f"-{READING}.json", "-2.json")))
    card = json.loads((dataset.folder / "dataset.json").read_text("utf-8"))
    del card["reading"]
    (dataset.folder / "dataset.json").write_text(json.dumps(card), "utf-8")
    assert find_prepared(tmp_path, request) is None
    again = prepare(tmp_path, request)
    assert again == dataset
    assert json.loads((again.folder / "dataset.json").read_text("utf-8"))["reading"] == READING
