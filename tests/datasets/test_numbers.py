"""What is hashed of the contents: a line a pair, which stays as it is or fingerprints change."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, strategies as st

from ivan_core.datasets.numbers import Numbers
from ivan_core.domain.pairs import Pair
from ivan_core.domain.transcripts import Dialogue, text_hash

_TEXTS = st.one_of(st.text(), st.sampled_from(["}\n{", '"}\n{"', ", ", "\n"]))
_LABELS = st.dictionaries(_TEXTS, st.one_of(_TEXTS, st.integers(), st.floats(), st.booleans()))


@given(st.lists(_LABELS, min_size=1, max_size=5))
def test_labels_are_hashed_as_json_with_sorted_keys(labels: list[dict[str, Any]]) -> None:
    numbers, one, other = Numbers(), Dialogue("a"), Dialogue("b")
    for row, of_pair in enumerate(labels):
        numbers.add(Pair(row, one, other, "kind", tied=True), of_pair)
    begins = f"{text_hash('a')}{text_hash('b')}kind|tied"
    told = [json.dumps(of_pair, sort_keys=True) if of_pair else "" for of_pair in labels]
    assert numbers.end_batch().decode() == "".join(f"{begins}{one}\n" for one in told)
