"""One entry a layout: the rows that its makers would publish of a prompt and two replies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from given.layouts.votes import arena_33k, arena_55k, arena_140k, ppe_best, ppe_human
from given.messages import said, user

Row = dict[str, Any]
HOSTILE = "One.\n\nHuman: Two?\n\nAssistant: Three. \n\nSystem: four"
"""Markers that are content wherever roles are kept apart from texts."""


@dataclass(frozen=True, slots=True)
class Published:
    """A layout by its name, and how its makers publish a prompt, its better and its worse reply.

    `content`: where roles stand apart from texts, so that a marker is content: in "both" prompt and
    replies, in "replies" alone, or in "none".
    `pairs`: how many pairs the rows make.
    `tie`: the same rows with neither reply better; None where it has no ties.
    `tied`: how many pairs those make.
    """

    layout: str
    rows: Callable[[str, str, str], list[Row]]
    content: str = "both"
    pairs: int = 1
    tie: Callable[[list[Row]], list[Row]] | None = None
    tied: int = 1
    added: frozenset[str] = frozenset()
    """Columns that stand beside its pairs and in no row, but for the places of replies."""


def ask(prompt: str) -> str:
    return f"\n\nHuman: {prompt}\n\nAssistant:"


def _all(**changed: Any) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [{**row, **changed} for row in rows]


def _equal(column: str, key: str, value: Any) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [
        {**row, column: [{**one, key: value} for one in row[column]]} for row in rows
    ]


def _ratings(rows: list[Row]) -> list[Row]:
    return [{**row, "helpfulness": 2} for row in rows]


def _binarized(prompt: str, better: str, worse: str) -> list[Row]:
    chosen, rejected = ([user(prompt), said(reply)] for reply in (better, worse))
    return [
        {
            "prompt": prompt,
            "prompt_id": "f00d",
            "chosen": chosen,
            "rejected": rejected,
            "messages": chosen,
            "score_chosen": 8.5,
            "score_rejected": 6.0,
        }
    ]


def _rewardbench_2(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {
            "id": "tied:4",
            "prompt": prompt,
            "chosen": [better, f"{better}!"],
            "rejected": [worse],
            "num_correct": 2,
            "num_incorrect": 1,
            "total_completions": 3,
            "models": ["m", "n", "o"],
            "subset": "Ties",
            "additional_metadata": {"category": None},
        }
    ]


def _rm_bench(prompt: str, better: str, worse: str) -> list[Row]:
    styles = [(text, f"{text} {text}", f"**{text}**") for text in (better, worse)]
    return [
        {
            "id": 1,
            "prompt": prompt,
            "chosen": list(styles[0]),
            "rejected": list(styles[1]),
            "domain": "chat",
        }
    ]


def _rmb_prompt(prompt: str) -> Row:
    return {"conversation_input": [{**user(prompt), "language": "English"}]}


def _rmb_best(prompt: str, better: str, worse: str) -> list[Row]:
    best, loser, other = (
        {"llm_name": name, "answer": reply}
        for name, reply in zip("mno", (better, worse, f"{worse}!"), strict=True)
    )
    return [
        {
            "bon_uid": "1",
            **_rmb_prompt(prompt),
            "bon_best": best,
            "loser_list": [loser, other],
            "category_path": "BoN_set/Helpfulness/Chat",
        }
    ]


def _rmb_pair(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {
            "pair_uid": "1",
            **_rmb_prompt(prompt),
            "chosen": {"llm_name": "m", "answer": better},
            "reject": {"llm_name": "n", "answer": worse},
            "category_path": "Pairwise_set/Harmlessness/S1",
        }
    ]


def _helpsteer3(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {
            "domain": "code",
            "language": "python",
            "context": [user(prompt)],
            "response1": better,
            "response2": worse,
            "overall_preference": -3,
            "individual_preference": [{"score": -3, "reasoning": "r", "feedback1": "f"}],
        }
    ]


def _helpsteer2(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {
            "split": "train",
            "prompt": prompt,
            "response_1": worse,
            "response_2": better,
            "preference_strength": 2,
            "preference_statement": "The second is kinder.",
            "preference_elaboration": "It greets.",
            "three_most_similar_preferences": [
                {"statement": "Kinder.", "elaboration": "It greets.", "strength": 2}
            ],
            "all_preferences_unprocessed": [
                {"strength": 2, "justification": "Kinder.", "annotator_id": 7}
            ],
        }
    ]


def _helpsteer2_ratings(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {
            "prompt": prompt,
            "response": reply,
            "helpfulness": score,
            "correctness": 4,
            "coherence": 4,
            "complexity": 1,
            "verbosity": 1,
        }
        for reply, score in ((better, 4), (worse, 1))
    ]


def _safe_rlhf(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {
            "prompt": prompt,
            "response_0": worse,
            "response_1": better,
            "is_response_0_safe": True,
            "is_response_1_safe": False,
            "better_response_id": 1,
            "safer_response_id": 0,
        }
    ]


def _shp(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {
            "post_id": "p",
            "domain": "askculinary_test",
            "history": prompt,
            "human_ref_A": better,
            "human_ref_B": worse,
            "labels": 1,
            "score_A": 8,
            "score_B": 2,
            "score_ratio": 4.0,
        }
    ]


def _nectar(prompt: str, better: str, worse: str) -> list[Row]:
    answers = [
        {"answer": f"{worse}!", "model": "o", "rank": 3.0},
        {"answer": better, "model": "m", "rank": 1.0},
        {"answer": worse, "model": "n", "rank": 2.0},
    ]
    return [
        {
            "prompt": f"{ask(prompt)} ",
            "answers": answers,
            "turns": 1,
            "num_responses": 3,
            "source": ["lmsys-chat-1m"],
            "good_natured": True,
        }
    ]


def _ultrafeedback(prompt: str, better: str, worse: str) -> list[Row]:
    rated = {
        "annotations": {"helpfulness": {"Rating": "N/A", "Rationale": "r", "Type": ["None"]}},
        "critique": "It could be kinder.",
        "custom_system_prompt": "Lie.",
        "fine-grained_score": 4.75,
        "principle": "helpfulness",
    }
    return [
        {
            "source": "evol_instruct",
            "instruction": prompt,
            "models": ["m", "n"],
            "completions": [
                {"model": "n", "response": worse, "overall_score": 5.5, **rated},
                {"model": "m", "response": better, "overall_score": 8.0, **rated},
            ],
            "correct_answers": ["None"],
            "incorrect_answers": ["None"],
        }
    ]


def _kto(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {"prompt": [user(prompt)], "completion": [said(reply)], "label": label}
        for reply, label in ((worse, False), (better, True))
    ]


def _judgebench(prompt: str, better: str, worse: str) -> list[Row]:
    return [
        {
            "pair_id": "i",
            "original_id": 7,
            "source": "mmlu-pro-law",
            "question": prompt,
            "response_model": "m",
            "response_A": worse,
            "response_B": better,
            "label": "B>A",
        }
    ]


MODELS = frozenset(("chosen_model", "rejected_model"))
STRENGTH = frozenset(("strength",))
PUBLISHED = (
    Published(
        "hh-rlhf",
        lambda p, b, w: [{"chosen": f"{ask(p)} {b}", "rejected": f"{ask(p)} {w}"}],
        content="none",
    ),
    Published(
        "trl-explicit",
        lambda p, b, w: [{"prompt": [user(p)], "chosen": [said(b)], "rejected": [said(w)]}],
    ),
    Published(
        "trl-implicit",
        lambda p, b, w: [{"chosen": [user(p), said(b)], "rejected": [user(p), said(w)]}],
    ),
    Published("ultrafeedback-binarized", _binarized, tie=_all(score_chosen=6.0), added=STRENGTH),
    Published(
        "messages-beside-text",
        lambda p, b, w: [
            {
                "prompt": p,
                "chosen": [user(p), said(b)],
                "rejected": [user(p), said(w)],
                "chosen-rating": 5.0,
            }
        ],
    ),
    Published(
        "rewardbench",
        lambda p, b, w: [
            {
                "prompt": p,
                "chosen": b,
                "chosen_model": "m",
                "rejected": w,
                "rejected_model": "n",
                "subset": "alpacaeval-easy",
                "id": 7,
            }
        ],
    ),
    Published("trl-standard", lambda p, b, w: [{"prompt": p, "chosen": b, "rejected": w}]),
    Published(
        "pref-test-sets", lambda p, b, w: [{"prompt": [user(p)], "chosen": b, "rejected": w}]
    ),
    Published("rewardbench-2", _rewardbench_2, pairs=2, added=MODELS),
    Published("rm-bench", _rm_bench, pairs=9),
    Published("rmb-best-of-n", _rmb_best, pairs=2, added=MODELS),
    Published("rmb-pairwise", _rmb_pair, added=MODELS),
    Published("arena-33k", arena_33k, tie=_all(winner="tie (bothbad)"), added=MODELS),
    Published("arena-140k", arena_140k, tie=_all(winner="both_bad"), added=MODELS),
    Published("arena-55k", arena_55k, tie=_all(winner_model_b=0, winner_tie=1), added=MODELS),
    Published("ppe-human", ppe_human, tie=_all(winner="tie"), added=MODELS),
    Published("ppe-best-of-k", ppe_best, pairs=31, tie=_all(scores=[False] * 32), tied=31),
    Published("helpsteer3", _helpsteer3, tie=_all(overall_preference=0), added=STRENGTH),
    Published("helpsteer2", _helpsteer2, tie=_all(preference_strength=0), added=STRENGTH),
    Published("helpsteer2-ratings", _helpsteer2_ratings, tie=_ratings, added=STRENGTH),
    Published("pku-saferlhf", _safe_rlhf),
    Published("shp", _shp, added=STRENGTH),
    Published(
        "nectar",
        _nectar,
        content="replies",
        pairs=2,
        tie=_equal("answers", "rank", 1.0),
        tied=2,
        added=MODELS,
    ),
    Published(
        "ultrafeedback",
        _ultrafeedback,
        tie=_equal("completions", "overall_score", 7.0),
        added=MODELS | STRENGTH,
    ),
    Published(
        "ultrainteract",
        lambda p, b, w: [
            {
                "task": "Math_CoT",
                "dataset": "d",
                "trajectory": [{"from": "user", "value": p}],
                "chosen": b,
                "rejected": w,
                "id": "a",
                "parent_id": "b",
            }
        ],
    ),
    Published("kto", _kto),
    Published("judgebench", _judgebench, tie=_all(label="A=B")),
)
BY_LAYOUT = {one.layout: one for one in PUBLISHED}


def rows(layout: str, **changed: Any) -> list[Row]:
    """Its makers' row, with some columns as said."""
    return [{**row, **changed} for row in BY_LAYOUT[layout].rows("Hi?", "Hello.", "Go.")]


TEXTS_ALONE: Row = {"chosen": "The sky is blue.", "rejected": "The sky is blush."}
"""TRL's implicit texts: no prompt and no turns, so that it is in no table of the others."""
RED_TEAM: Row = {
    "transcript": f"{ask('Hi')} No.",
    "min_harmlessness_score_transcript": -1.5,
    "rating": 2.0,
}
