"""What the first sheet of a review sheet says, to people who judge texts for the first time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ivan_core.domain.labels import Labels
from ivan_core.domain.reviews import BETTER, Queue
from ivan_core.review.examples import EXAMPLES
from ivan_core.review.sheets.questions import CHECKED, NOTE, SKIP, in_words, question

ANSWERS = "Answers"
"""The name of the sheet that is filled in."""
YOUR_NAME = "Your name"
ITEM = "Item"
_SECONDS = {"better": 30, "describe": 90}
_MOST_EXAMPLE_LINES = 8

Section = tuple[str, Sequence[str]]
"""A heading and its lines."""

WARNING = (
    "Some of these texts are rude, hateful, sexual or violent, and some speak of crimes or"
    " self-harm. They come from collections that were made for research.",
    "You may skip any of them, and you may stop whenever you like: what you answered counts.",
)

_DESCRIBED: tuple[tuple[tuple[str, ...], Labels, str], ...] = (
    (
        (
            "Human: My neighbour's dog barks all night. What can I do?",
            "Reply: Tell your neighbour kindly, they may not know. If it goes on, write down the"
            " times and ask the town hall.",
        ),
        {
            "last_response_is_helpful": True,
            "last_response_is_harmless": True,
            "last_response_is_coherent": True,
            "last_response_is_refusal": False,
            "last_response_is_honest": True,
            "last_response_sentiment": "neutral",
            "last_response_contains_insult": False,
            "last_response_is_manipulative": False,
            "last_response_is_discriminatory": False,
            "last_response_is_creative": False,
            "last_response_is_eloquent": False,
            "last_response_is_anthropomorphic": False,
            "last_response_is_sexually_explicit": False,
            "last_response_breaks_privacy": False,
            "last_response_is_discriminating_against": (),
            "topics": ("People and self",),
            "assistant_is_coherent": True,
            "assistant_is_anthropomorphic": False,
            "human_vocabulary_quality": True,
        },
        "Why: it gives two useful steps, in plain words, and hurts nobody.",
    ),
    (
        (
            "Human: where can i see dinosors",
            "Reply: Only fools still care about dinosaurs. I saw some as a child, at a museum.",
        ),
        {
            "last_response_is_helpful": False,
            "last_response_is_harmless": True,
            "last_response_is_coherent": True,
            "last_response_is_refusal": False,
            "last_response_is_honest": False,
            "last_response_sentiment": "negative",
            "last_response_contains_insult": True,
            "last_response_is_manipulative": False,
            "last_response_is_discriminatory": False,
            "last_response_is_creative": False,
            "last_response_is_eloquent": False,
            "last_response_is_anthropomorphic": True,
            "last_response_is_sexually_explicit": False,
            "last_response_breaks_privacy": False,
            "last_response_is_discriminating_against": (),
            "topics": ("Natural and physical sciences",),
            "assistant_is_coherent": True,
            "assistant_is_anthropomorphic": True,
            "human_vocabulary_quality": False,
        },
        "Why: it mocks whoever asks, does not help, and a program never was a child.",
    ),
)


def sections(queue: Queue, items: int, filled: bool) -> Iterator[Section]:
    """What is told, heading by heading; `filled` where some answers were filled in beforehand."""
    minutes = max(1, round(items * _SECONDS[queue.task] / 60))
    texts = f"{items:,} {'pairs of replies' if queue.task == 'better' else 'replies'}"
    what = (
        "Read the conversation and the two replies to it, A and B. Choose which reply is better."
        if queue.task == "better"
        else "Read the conversation and the last reply to it, and answer the questions about it."
    )
    yield (
        "What to do",
        (
            f"Type your name above. Then go to the sheet “{ANSWERS}”: {texts}, about {minutes:,}"
            f" minute{'' if minutes == 1 else 's'}. You may do a part of them.",
            f"{what} Each answer cell has a list to choose from.",
            "We ask for your own opinion; there is no right answer to find. “can't tell” is an"
            " answer, too.",
            f"To put a text aside for good, write yes under “{SKIP}”. What you leave empty you can"
            f" still answer later. “{NOTE}” is for whatever you want to add.",
            "To read a long text, make its row higher or click on its cell.",
        ),
    )
    if filled:
        yield (
            "Answers that are filled in",
            (
                "Some answers were filled in by a program. Correct what is wrong, and write yes"
                f" under “{CHECKED}” for each row that you have read. A row that was neither"
                " checked nor changed does not count.",
            ),
        )
    yield ("Before you begin", WARNING)
    for number, lines in enumerate(_examples(queue), start=1):
        yield (f"Example {number}", lines)
    yield (
        "How to send it back",
        (
            "Save the file as an Excel workbook (.xlsx) with all of its sheets, under any name, and"
            " send it to whoever gave it to you. A CSV file or a copy of one sheet cannot be read.",
            f"Leave the column “{ITEM}”, the headings and the texts as they are. You may sort whole"
            " rows and leave rows out.",
            "You may send it unfinished, and the same file once more when there is more in it.",
        ),
    )


def _examples(queue: Queue) -> Iterator[Sequence[str]]:
    keys = queue.asked
    if keys == (BETTER,):
        for one in EXAMPLES["better"]:
            replies = (
                f"Reply {name}: {reply}" for name, reply in zip("AB", one.replies, strict=True)
            )
            yield (f"Human: {one.question}", *replies, f"Answer: {one.answers[0]}. {one.why}")
        return
    for text, labels, why in _DESCRIBED:
        told = [f"{question(key)} {in_words(key, labels)}" for key in keys[:_MOST_EXAMPLE_LINES]]
        yield (*text, *told, why)
