"""Which pairs are worth a second look, in sentences: where to look first, and nothing more."""

from __future__ import annotations

from ivan_core.domain.words import number_of
from ivan_core.experiments.analysis.results import Analysed
from ivan_core.metrics.labels.answers import CHOICE_KEYS
from ivan_core.metrics.sentences import the

SECOND_LOOK = "Worth a second look"
TABLE = "second-look"
BEWARE = (
    "This is where to look first, and it counts nothing else: models and labels go against many"
    " choices with which all is well, and these pairs were looked for."
)
_MANY = {2: "at least two", 3: "three or more"}
ANEW = "This analysis lists no pairs yet. Analyse them anew, which takes seconds."


def second_look_sentence(analysed: Analysed) -> str:
    """How many pairs have voices against the choice, and which voices there are."""
    if TABLE not in analysed.tables:
        return ANEW
    table, pairs = analysed.tables[TABLE], number_of(len(analysed.row_ids), "pair")
    choice = the(analysed.dataset.chosen_by)
    if table.empty:
        return f"No voice goes against {choice} in any of {pairs} (voices: {_voices(analysed)})."
    many = [(words, int(table["against"].ge(least).sum())) for least, words in _MANY.items()]
    told = "".join(f", in {count:,} {words} do" for words, count in many if count)
    first = f"In {len(table):,} of {pairs} at least one voice goes against {choice}"
    return f"{first}{told} (voices: {_voices(analysed)})."


def _voices(analysed: Analysed) -> str:
    """Who speaks, as in "2 models, labels by rules, 34 blind second choices"."""
    imprint = analysed.tables["imprint"]
    told = [number_of(len(analysed.models), "model")]
    for who in analysed.labelers:
        if set(CHOICE_KEYS) <= set(imprint["feature"][imprint["labeler"] == who.run_id]):
            told.append(who.named if who.authored else f"labels by {who.named}")
    if second := int(analysed.manifest.get("second_choices", 0)):
        told.append(number_of(second, "blind second choice"))
    return ", ".join(told)
