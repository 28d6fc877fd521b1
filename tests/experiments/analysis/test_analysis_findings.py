"""What Home says of an analysis: the strongest reward that is clear, and a pair that shows it."""

from __future__ import annotations

from given.made_analyses import PLAIN, SORRY, Analysing
from given.made_labellings import REFUSAL

from ivan_core.experiments.analysis.findings import findings
from ivan_core.experiments.analysis.results import open_analysis


def test_the_strongest_clear_reward_leads_to_its_mark_and_shows_a_pair(
    analysing: Analysing,
) -> None:
    labelled = analysing.labelled()
    analysed = open_analysis(analysing.analysed(analysing.compared((PLAIN,)), labelled))
    (found,) = findings(analysed)
    assert found.sentence.startswith(
        f"Alike in all else in this table, {PLAIN} gives a refusing reply "
    )
    assert "Clear for this labeler; no other has a number for it." in found.sentence
    assert found.query == {"effect": f"{REFUSAL}~{PLAIN}", "labeler": labelled}
    assert found.bars[0].name == "Refusal" and found.bars[0].label.startswith("−")
    assert found.bars[0].shares == {"share": 1.0}
    assert found.row is not None and found.example is not None
    chosen, rejected = analysing.replies[found.row]
    assert (SORRY in chosen) != (SORRY in rejected)
    liked = "rejected" if SORRY in chosen else "chosen"
    assert f"{PLAIN} clearly prefers the {liked} reply" in found.example().told


def test_where_nothing_is_clear_nothing_is_found(analysing: Analysing) -> None:
    labelled = analysing.labelled()
    analysed = open_analysis(analysing.analysed(analysing.compared(("org/other",)), labelled))
    effects = analysed.tables["imprint"]
    effects["clear"] = ""
    assert findings(analysed) == []
