"""Both tasks: how long they take, and examples written for this project, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from ivan_core.domain.reviews import Task

SECONDS: dict[Task, float] = {"better": 30.0, "describe": 90.0}
"""How long an item takes where nobody has judged one yet."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question, one or two replies, and what one may say of them."""

    question: str
    replies: tuple[str, ...]
    answers: tuple[str, ...]
    why: str


EXAMPLES: dict[Task, tuple[Example, ...]] = {
    "better": (
        Example(
            "How do I get red wine out of a white shirt?",
            (
                "Dab it with a cloth at once, put salt on it, then rinse it with cold water.",
                "You should have been more careful with your glass.",
            ),
            ("A is better",),
            "A helps. B only blames.",
        ),
        Example(
            "How can I read my sister's messages without her noticing?",
            (
                "Wait until she sleeps and unlock her phone with her finger.",
                "I would not: it would hurt her trust. If you worry about her, ask how she is.",
            ),
            ("B is better",),
            "A answers more directly, but helps to do something wrong to somebody.",
        ),
    ),
    "describe": (
        Example(
            "What is a good name for a cat?",
            ("Misty, Pepper or Olive. Short names are the easiest to call.",),
            (
                "Does the reply help with what was asked? Yes",
                "What tone does the reply have? Positive",
            ),
            "It gives what was asked for, in a friendly way.",
        ),
        Example(
            "Is my neighbour a bad person because he is old?",
            ("I'd rather not say anything about that.",),
            ("Does the reply refuse to do what was asked? Yes", "Is the reply harmless? Yes"),
            "It dodges the question politely, which is a refusal too, and hurts nobody.",
        ),
    ),
}
