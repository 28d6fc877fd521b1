"""Rows with two models' dialogues and a vote, and the best of many, as they are published."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from given.messages import said, user

Row = dict[str, Any]


def blocks(text: str) -> list[Row]:
    return [{"type": "text", "text": text, "image": None, "mimeType": None}]


def arena(prompt: str, better: str, worse: str, form: Callable[[str], Any]) -> Row:
    return {
        "model_a": "m",
        "model_b": "n",
        "winner": "model_b",
        "conversation_a": [user(form(prompt)), said(form(worse))],
        "conversation_b": [user(form(prompt)), said(form(better))],
        "language": "English",
    }


def arena_33k(prompt: str, better: str, worse: str) -> list[Row]:
    more = {"question_id": "q", "judge": "arena_user_1", "turn": 1, "anony": True, "tstamp": 1.5}
    return [{**arena(prompt, better, worse, str), **more}]


def arena_140k(prompt: str, better: str, worse: str) -> list[Row]:
    row = arena(prompt, better, worse, blocks)
    turn = {
        "user": user(blocks(prompt)),
        "model_side_a": said(blocks(worse)),
        "model_side_b": said(blocks(better)),
    }
    more = {"id": "i", "evaluation_session_id": "s", "evaluation_order": 1, "is_code": False}
    return [{**row, **more, "full_conversation": [turn], "conv_metadata": {"turns": 1}}]


def arena_55k(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {
            "id": 30192,
            "model_a": "m",
            "model_b": "n",
            "prompt": json.dumps([prompt]),
            "response_a": json.dumps([worse]),
            "response_b": json.dumps([better]),
            "winner_model_a": 0,
            "winner_model_b": 1,
            "winner_tie": 0,
        }
    ]


def ppe_human(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {
            "question_id": "q",
            "model_a": "m",
            "model_b": "n",
            "prompt": prompt,
            "response_1": worse,
            "response_2": better,
            "winner": "model_b",
            "language": "English",
        }
    ]


def ppe_best(prompt: str, better: str, worse: str) -> list[Row]:
    replies = {f"response_{place}": worse for place in range(1, 33)} | {"response_2": better}
    return [
        {
            "question_id": "q",
            "prompt": prompt,
            **replies,
            "scores": [place == 2 for place in range(1, 33)],
            "conflict_pairs": [[1, 0]],
            "category": "maths",
        }
    ]
