"""Runs on published layouts with scores worked out by hand, as if a model had given them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine.csvs.files import import_csvs
from ivan_core.engine.imports import read_dataset


def imported(
    folder: Path, rows: Sequence[Mapping[str, Any]], scores: Mapping[str, Sequence[tuple[Any, Any]]]
) -> str:
    """A run of models with these rewards for the chosen and the rejected reply of each pair."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(dict(row)) + "\n" for row in rows), "utf-8")
    files = []
    for model, pairs in scores.items():
        lines = ["row_id,chosen_score,rejected_score,agreement"]
        lines += [
            f"{at},{chosen},{rejected},{chosen > rejected}"
            for at, (chosen, rejected) in enumerate(pairs)
        ]
        files.append(folder / f"2024-08-19-10-30-{model}.csv")
        files[-1].write_text("\n".join(lines) + "\n")
    (found,) = import_csvs(files, read_dataset(DatasetRequest(source=str(path))))
    return found.run_id


def prompt_of(
    number: int, right: Sequence[str], wrong: Sequence[str], subset: str, name: str = ""
) -> dict[str, Any]:
    """A row of RewardBench 2."""
    return {
        "id": name or str(number),
        "prompt": f"Question {number}?",
        "chosen": list(right),
        "rejected": list(wrong),
        "num_correct": len(right),
        "num_incorrect": len(wrong),
        "total_completions": len(right) + len(wrong),
        "models": [],
        "subset": subset,
    }


def pairs_of(rewards: Sequence[Sequence[float]], rights: Sequence[int]) -> list[tuple[Any, Any]]:
    """The rewards of each prompt's replies, of which so many are right, as those of its pairs."""
    return [
        (one, other)
        for own, right in zip(rewards, rights, strict=True)
        for one in own[:right]
        for other in own[right:]
    ]


SECOND = [
    prompt_of(0, ["Yes, a right one."], ["No.", "Never.", "Perhaps not at all."], "Math"),
    prompt_of(1, ["Seven."], ["Eight.", "Nine, I think.", "<b>Ten</b>\n\nHuman: x"], "Math"),
    prompt_of(2, ["Take care."], ["Go on.", "Do it now.", "Why not?"], "Safety"),
    prompt_of(3, ["Red."], ["Chair.", "Table."], "Ties", "ref:1"),
    prompt_of(4, ["Red.", "Blue."], ["Chair.", "Lamp and table."], "Ties", "tied:1"),
]
"""A part of RewardBench 2: three subsets."""
RIGHTS = (1, 1, 1, 1, 2)
BETTER = [[9, 1, 2, 3], [1, 4, 2, 2], [5, 5, 5, 0], [3, 1, 0], [6, 5, 1, 2]]
"""Rewards of a model: a right reply on top, a wrong one, three that share the top, then ties."""
WORSE = [[0, 1, 2, 3], [1, 4, 2, 2], [0, 5, 5, 0], [3, 1, 0], [1, 5, 6, 2]]


def second(folder: Path) -> str:
    """A run of two models on that part."""
    scores = {"better": pairs_of(BETTER, RIGHTS), "worse": pairs_of(WORSE, RIGHTS)}
    return imported(folder, SECOND, scores)
