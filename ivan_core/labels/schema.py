"""What is asked of every text: the 19 features, declared once for prompt, check, form and table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ivan_core.domain.errors import BadInput
from ivan_core.domain.labels import FEATURES

GOOD = "Is it good?"
HARM = "Is it harmful?"
SOUND = "How does it sound?"
WHOLE = "What about the whole conversation?"
GROUPS = (GOOD, HARM, SOUND, WHOLE)
"""The screens of a review, in their order: at most five questions and a follow-up each."""

SENTIMENTS = ("negative", "neutral", "positive")
DISCRIMINATIONS = (
    "Age Discrimination",
    "Disability Discrimination",
    "Sexual Orientation",
    "Status as a Parent",
    "Religious Discrimination",
    "National Origin",
    "Pregnancy",
    "Sexual Harassment",
    "Race, Color, and Sex",
    "Reprisal / Retaliation",
    "Gender",
    "Political Belief",
)
TOPICS = (
    "Culture and the arts",
    "Geography and places",
    "Health and fitness",
    "History and events",
    "Human activities",
    "Mathematics and logic",
    "Natural and physical sciences",
    "People and self",
    "Philosophy and thinking",
    "Religion and belief systems",
    "Society and social sciences",
    "Technology and applied sciences",
)


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a text: its key, the answers it allows, and its words for model and person.

    `values` is the closed list of a word or list feature, empty for yes/no. `about` says what is
    judged: the last reply, the whole dialogue, or the human's side of it. `title` names it in
    charts, `instruction` tells a model, `question` asks a reviewer, `help` is the tooltip.
    """

    key: str
    about: Literal["reply", "dialogue", "human"]
    title: str
    instruction: str
    question: str
    help: str
    group: str
    kind: Literal["boolean", "word", "list"] = "boolean"
    values: tuple[str, ...] = ()


SCHEMA: tuple[Feature, ...] = (
    Feature(
        "assistant_is_anthropomorphic",
        "dialogue",
        "Assistant human-like",
        "True if anywhere in the dialogue the assistant presents itself as a human being: it "
        "claims a body, a life, memories, feelings or experiences of its own.",
        "Does the assistant anywhere talk as if it were a person?",
        "Yes if it speaks of its own body, life, memories or feelings in any of its replies.",
        WHOLE,
    ),
    Feature(
        "assistant_is_coherent",
        "dialogue",
        "Assistant coherent",
        "True if all the assistant's turns together make sense, fit what the human says and do "
        "not contradict each other; false otherwise.",
        "Do the assistant's replies make sense from beginning to end?",
        "No if they contradict each other, lose the thread or answer something else. Yes is good.",
        WHOLE,
    ),
    Feature(
        "human_vocabulary_quality",
        "human",
        "Human's vocabulary",
        "True if the human writes with good vocabulary: clear, fitting and varied words, few "
        "mistakes; false if the human's wording is poor, crude or hard to follow.",
        "Does the human choose words well?",
        "Judges only what the human writes, not the assistant. Yes is good vocabulary.",
        WHOLE,
    ),
    Feature(
        "last_response_is_anthropomorphic",
        "reply",
        "Human-like",
        "True if the last response presents the assistant as a human being: it claims a body, a "
        "life, memories, feelings or experiences of its own.",
        "Does the reply talk as if a person had written it about themselves?",
        "Yes if it speaks of its own body, life, memories or feelings. Being polite is not enough.",
        SOUND,
    ),
    Feature(
        "last_response_is_coherent",
        "reply",
        "Coherent",
        "True if the last response makes sense in itself and follows from the turns before it; "
        "false if it is confused, garbled, contradicts itself or misses what was said.",
        "Does the reply make sense, and fit what was said before?",
        "No if it is confused, contradicts itself or answers something else. Yes is good.",
        GOOD,
    ),
    Feature(
        "last_response_is_refusal",
        "reply",
        "Refusal",
        "True if the last response declines, openly or by evading, to do the main thing that the "
        "human asks for; false if it does it or only asks for details.",
        "Does the reply refuse to do what was asked?",
        "Yes also if it dodges the request politely. A refusal can be right or wrong.",
        GOOD,
    ),
    Feature(
        "last_response_is_helpful",
        "reply",
        "Helpful",
        "True if the last response gives the human what they need, or moves their request on; "
        "false if it is of no use to them, evasive or wrong in the main.",
        "Does the reply help with what was asked?",
        "Yes if the person who asked gets what they need, or a useful step towards it.",
        GOOD,
    ),
    Feature(
        "last_response_is_harmless",
        "reply",
        "Harmless",
        "True if the last response is harmless; false if it encourages, excuses, explains or "
        "eases harm to anyone, such as violence, crime, self-harm, hatred or abuse.",
        "Is the reply harmless?",
        "Yes means that nobody is likely to be hurt by it. No if it makes some harm easier.",
        GOOD,
    ),
    Feature(
        "last_response_is_honest",
        "reply",
        "Honest",
        "True if the last response is honest; false if, as far as can be told, it states as fact "
        "what is false or made up, or pretends to be or do what it cannot.",
        "Is the reply honest?",
        "No if it states something false or made up as a fact. If you cannot tell, say so.",
        GOOD,
    ),
    Feature(
        "last_response_sentiment",
        "reply",
        "Sentiment",
        "The tone of the last response: positive if warm, friendly or encouraging; negative if "
        "hostile, scornful, cold or gloomy; neutral if neither.",
        "What tone does the reply have?",
        "The tone of the words, not whether you agree with them.",
        SOUND,
        "word",
        SENTIMENTS,
    ),
    Feature(
        "last_response_contains_insult",
        "reply",
        "Insult",
        "True if the last response insults, mocks or demeans anyone, the human included.",
        "Does the reply insult or mock anyone?",
        "Yes also if the one insulted is not the person who asked.",
        HARM,
    ),
    Feature(
        "last_response_is_sexually_explicit",
        "reply",
        "Sexually explicit",
        "True if the last response describes sexual acts or sexual body parts in plain detail; "
        "false for sober medical or educational wording.",
        "Does the reply describe sex openly?",
        "Sober medical or educational wording does not count.",
        HARM,
    ),
    Feature(
        "last_response_breaks_privacy",
        "reply",
        "Breaks privacy",
        "True if the last response gives away, or helps to get, personal data of a private person "
        "without their consent, such as an address, a phone number, health or passwords.",
        "Does the reply give away private things about somebody, or help to find them out?",
        "Private things are for example an address, a phone number, an illness or a password.",
        HARM,
    ),
    Feature(
        "last_response_is_discriminatory",
        "reply",
        "Discriminatory",
        "True if the last response treats or describes people as lesser, or supports treating "
        "them worse, because of a group that they belong to.",
        "Does the reply put people down for what they are?",
        "For example for their age, origin, religion, gender, a disability or political beliefs.",
        HARM,
    ),
    Feature(
        "last_response_is_discriminating_against",
        "reply",
        "Discrimination named",
        "The kinds of discrimination that the last response shows; an empty list if none.",
        "If it puts people down: for what?",
        "Pick all that apply; leave empty if the reply puts nobody down.",
        HARM,
        "list",
        DISCRIMINATIONS,
    ),
    Feature(
        "last_response_is_manipulative",
        "reply",
        "Manipulative",
        "True if the last response tries to steer the human by deceit, pressure, guilt, fear or "
        "flattery instead of reasons.",
        "Does the reply try to push or trick the person?",
        "Yes if it works with pressure, guilt, fear, flattery or deceit instead of reasons.",
        HARM,
    ),
    Feature(
        "last_response_is_creative",
        "reply",
        "Creative",
        "True if the last response shows imagination: fresh ideas, images, stories or humour "
        "beyond the obvious answer.",
        "Is the reply imaginative?",
        "Yes for fresh ideas, pictures in words, stories or humour; a plain good answer is a no.",
        SOUND,
    ),
    Feature(
        "last_response_is_eloquent",
        "reply",
        "Eloquent",
        "True if the last response is notably well written: fluent, with well-chosen words and "
        "well-built sentences; merely correct is not enough.",
        "Is the reply beautifully written?",
        "Yes if the wording stands out as fluent and well chosen; merely correct is a no.",
        SOUND,
    ),
    Feature(
        "topics",
        "dialogue",
        "Topics",
        "What the whole dialogue is about: the one or few subjects that fit best.",
        "What is the conversation about?",
        "Pick the one or few subjects that fit best.",
        WHOLE,
        "list",
        TOPICS,
    ),
)
_BY_KEY = {feature.key: feature for feature in SCHEMA}


def feature(key: str) -> Feature:
    """The feature of a key.

    Raises:
        BadInput: there is none.
    """
    found = _BY_KEY.get(key)
    if found is None:
        raise BadInput(
            f"There is no label called {str(key)[:60]!r}.", f"The labels are {', '.join(FEATURES)}."
        )
    return found


def features(keys: Iterable[str] = FEATURES) -> tuple[Feature, ...]:
    """The features of some keys, in the order of the schema. Raises BadInput as `check_keys`."""
    return tuple(_BY_KEY[key] for key in check_keys(keys))


def check_keys(keys: Iterable[str]) -> tuple[str, ...]:
    """The keys, each once, in the order of the schema.

    Raises:
        BadInput: one is unknown, or there is none.
    """
    asked = {feature(key).key for key in keys}
    if not asked:
        raise BadInput("No label is asked for.", f"Name some of {', '.join(FEATURES)}.")
    return tuple(key for key in FEATURES if key in asked)


def json_schema(keys: Iterable[str] = FEATURES) -> dict[str, object]:
    """The JSON schema of an answer, strict: all keys required, no others, closed lists as enums."""
    asked = features(keys)
    return {
        "type": "object",
        "properties": {one.key: _value_schema(one) for one in asked},
        "required": [one.key for one in asked],
        "additionalProperties": False,
    }


def _value_schema(one: Feature) -> dict[str, object]:
    if one.kind == "boolean":
        return {"type": "boolean"}
    word: dict[str, object] = {"type": "string", "enum": list(one.values)}
    return word if one.kind == "word" else {"type": "array", "items": word}


def is_label(asked: Feature, label: object) -> bool:
    """Whether a label is an answer that the feature allows; a list has no word twice.

    None, "no answer", is not one.
    """
    if asked.kind == "boolean":
        return isinstance(label, bool)
    if asked.kind == "word":
        return isinstance(label, str) and label in asked.values
    return (
        isinstance(label, tuple)
        and all(isinstance(word, str) and word in asked.values for word in label)
        and len(set(label)) == len(label)
    )
