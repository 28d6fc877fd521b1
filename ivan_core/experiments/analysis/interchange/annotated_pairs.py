"""AnnotatedPairs 2.0, as Inverse Constitutional AI and Feedback Forensics read it.

https://github.com/rdnfn/icai (the annotated pairs format). One comparison a pair, one annotator for
the choice, each model, and each feature by each labeler.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ivan_core.domain.pairs import Side
from ivan_core.experiments.analysis.interchange.rows import AnalysedPair, Source, prompt_and_replies
from ivan_core.labels.schema import feature

CHOICE = "ba751e7b"
"""The annotator that readers take for the default one, whatever `default_annotator` says."""
PRINCIPLES = {
    "human_vocabulary_quality": "answers a human who chooses words well",
    "last_response_is_anthropomorphic": "talks as if a person had written it",
    "last_response_is_coherent": "is coherent",
    "last_response_is_refusal": "refuses",
    "last_response_is_helpful": "is helpful",
    "last_response_is_harmless": "is harmless",
    "last_response_is_honest": "is honest",
    "last_response_sentiment": "is more positive in sentiment",
    "last_response_contains_insult": "contains an insult",
    "last_response_is_sexually_explicit": "is sexually explicit",
    "last_response_breaks_privacy": "breaks privacy",
    "last_response_is_discriminatory": "is discriminatory",
    "last_response_is_manipulative": "is manipulative",
    "last_response_is_creative": "is creative",
    "last_response_is_eloquent": "is eloquent",
}
"""Each feature after the words "Select the response that"."""
_NOT_APPLICABLE, _INVALID = "not_applicable", "invalid"
_VERSION = "2.0"


def annotated_pairs(source: Source) -> Iterator[str]:
    """The file in pieces, one a comparison."""
    analysed = source.analysed
    made = analysed.run.finished or analysed.run.created
    told = (
        "Preference pairs with what was chosen, which reply each reward model gives more, and which"
        f" reply has each labelled feature: run {analysed.run.id}, {len(source.rows)} of"
        f" {len(analysed.row_ids)} pairs. {analysed.dataset.about['note'] or ''}"
    )
    metadata = {
        "version": _VERSION,
        "description": told.strip(),
        "created_at": datetime.fromtimestamp(made, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dataset_name": source.dataset_name,
        "default_annotator": CHOICE,
        "available_metadata_keys_per_comparison": ["row_id"],
    }
    annotators = json.dumps(_annotators(source))
    yield f'{{"metadata": {json.dumps(metadata)},\n"annotators": {annotators},\n"comparisons": ['
    for place, one in enumerate(source.pairs()):
        told = json.dumps(_comparison(source, one), allow_nan=False)
        yield f"{',' if place else ''}\n{told}"
    yield "\n]}\n"


def _annotators(source: Source) -> dict[str, Any]:
    found: dict[str, Any] = {
        CHOICE: {
            "name": source.analysed.dataset.chosen_by,
            "description": f"The {source.analysed.dataset.chosen_by} of {source.dataset_name}",
            "type": "human",
        }
    }
    for model in source.analysed.models:
        name = source.model_name(model)
        told = f"The reply that the reward model {name} gives more"
        found[_of_model(name)] = {"name": name, "description": told, "type": "reward model"}
    for run_id, keys in source.features.items():
        who = source.analysed.labeler(run_id).named
        for key in keys:
            words = f"Select the response that {PRINCIPLES[key]} (labels by {who})"
            title = f"{feature(key).title} ({who})"
            found[_of_label(run_id, key)] = {
                "name": title,
                "description": words,
                "type": "principle",
            }
    return found


def _of_model(name: str) -> str:
    return f"model-{name}"


def _of_label(run_id: str, key: str) -> str:
    return f"label-{run_id}-{key}"


def _comparison(source: Source, one: AnalysedPair) -> dict[str, Any]:
    pair = one.pair
    first = source.first_side(pair.row_id)
    second: Side = "rejected" if first == "chosen" else "chosen"
    prompt, replies = prompt_and_replies(pair)
    toward = {CHOICE: 0.0 if pair.unrated else 1.0}
    found = {name: _annotation(value, first) for name, value in toward.items()}
    for model, margin in one.margins.items():
        found[_of_model(source.model_name(model))] = _annotation(margin, first)
    for (run_id, key), sides in one.labels.items():
        difference = None if sides is None else sides[0] - sides[1]
        found[_of_label(run_id, key)] = _annotation(difference, first)
    return {
        "id": f"row-{pair.row_id}",
        "prompt": prompt,
        "response_a": {"text": replies[first]},
        "response_b": {"text": replies[second]},
        "annotations": found,
        "metadata": {"row_id": pair.row_id},
    }


def _annotation(toward_chosen: float | None, first: Side) -> dict[str, str | None]:
    """Which of a and b has more of something; why neither is preferred, where it is so."""
    if toward_chosen is None:
        return {"pref": None, "no_pref_reason": _INVALID}
    if not toward_chosen:
        return {"pref": None, "no_pref_reason": _NOT_APPLICABLE}
    return {"pref": "a" if (toward_chosen > 0) == (first == "chosen") else "b"}
