"""Preferences for training as JSON lines: prompt, chosen and rejected as chat messages.

TRL's conversational preference format with an explicit prompt
(https://huggingface.co/docs/trl/dataset_formats). Each line also has its row id, what was done with
what people settled, and how many people said so.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import Dialogue, Role, prompt_turns
from ivan_core.experiments.analysis.interchange.rows import Source, whole_text
from ivan_core.experiments.analysis.interchange.settled import (
    NOTHING,
    Settled,
    Wanted,
    settled_pairs,
)

_ROLES: Mapping[Role, str] = {"Human": "user", "Assistant": "assistant", "System": "system"}
Message = dict[str, str]


def dpo(source: Source, wanted: Wanted, counts: Counter[str]) -> Iterator[str]:
    """The lines, one a pair; `counts` tells in the end what was done with how many."""
    settled = settled_pairs(source.analysed.dataset)
    for pair in source.analysed.dataset.pairs(source.rows):
        why = _left_out(pair)
        if why:
            counts[why] += 1
            continue
        found = settled.get(pair.row_id, NOTHING)
        done = _done(found, wanted)
        counts[done] += 1
        if found.answer:
            counts[f"settled for {found.answer}"] += 1
        if done != "dropped":
            told = {"row_id": pair.row_id, "done": done, "settled": found.answer or None}
            line = {**_line(pair, done == "flipped"), **told, "people": found.people}
            yield f"{json.dumps(line, allow_nan=False)}\n"


def settled_in(source: Source) -> Counter[str]:
    """How many pairs of a file people settled, by what they prefer: chosen, rejected or none.

    Pairs that the file leaves out in any case are not among them.
    """
    dataset = source.analysed.dataset
    settled = {row: one.answer for row, one in settled_pairs(dataset).items() if one.answer}
    rows = [row for row in source.rows if row in settled] if settled else []
    return Counter(settled[one.row_id] for one in dataset.pairs(rows) if not _left_out(one))


def _left_out(pair: Pair) -> str:
    """Why a pair is no preference between two replies to one prompt; empty where it is."""
    if pair.unrated:
        return f"left out: {pair.unrated}"
    if pair.chosen.ends_in_human_turn or pair.rejected.ends_in_human_turn:
        return "left out: a side has no reply"
    if pair.prompts_differ:
        return "left out: the two prompts differ"
    if not pair.chosen.turns or pair.chosen.preamble.strip():
        return "left out: text that is nobody's turn"
    return ""


def _done(found: Settled, wanted: Wanted) -> str:
    if wanted == "flip" and found.other:
        return "flipped"
    if wanted == "drop" and found.answer in ("rejected", "none"):
        return "dropped"
    return "kept"


def _line(pair: Pair, flipped: bool) -> dict[str, list[Message]]:
    shared = len(prompt_turns(pair.chosen))
    chosen, rejected = _messages(pair.chosen), _messages(pair.rejected)
    sides = (rejected, chosen) if flipped else (chosen, rejected)
    return {"prompt": chosen[:shared], "chosen": sides[0][shared:], "rejected": sides[1][shared:]}


def _messages(dialogue: Dialogue) -> list[Any]:
    return [{"role": _ROLES[role], "content": whole_text(text)} for role, text in dialogue.messages]
