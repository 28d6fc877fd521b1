"""Two labellings, and two rewordings, set beside each other; numbers are worked by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from fakes.rewriting import FakeRewriter, added, fake_tools, sometimes, spec_of, work_here
from given.made_labellings import FIRST, KEYS, REFUSAL, SECOND, Labellings
from given.made_runs import finished, spec_of_sample
from given.support import write_pairs

from ivan_core.cli.main import main
from ivan_core.domain.errors import BadInput
from ivan_core.engine import archive
from ivan_core.engine.set_beside import beside
from ivan_core.metrics.robustness.noise import (
    two_rewordings,
    two_rewordings_sentence,
    two_similarities,
    two_similarities_sentence,
)


def test_two_labellings_are_set_beside_each_other_label_by_label(
    labellings: Labellings, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = labellings.made("first:1b", FIRST), labellings.made("second:1b", SECOND, seed=1)
    told = beside(first, second)
    head, refusal, sentiment, topics = told.splitlines()
    assert head == (
        f"{first}, labelled by first:1b, and {second}, labelled by second:1b, share all 4 pairs."
    )
    # Of eight texts two have one answer only; of the six left, refusals differ in 0.rejected and
    # 1.chosen, sentiments in 1.chosen.
    assert "The same answer in 67% of 6 texts" in refusal
    assert "kappa" not in told and "2 texts without two answers left out." in refusal
    assert "The same answer in 83% of 6 texts" in sentiment
    assert topics.startswith("Topics: ")
    with pytest.raises(SystemExit):
        main(["runs", "compare", first, second])
    assert capsys.readouterr().out.strip() == told


def test_labellings_that_share_no_row_no_label_or_no_kind_are_told_why(
    labellings: Labellings, data_dir: Path
) -> None:
    first = labellings.made("first:1b", FIRST, row_ids=(0, 1), keys=KEYS[:1])
    apart = labellings.made("second:1b", FIRST, row_ids=(2,))
    other = labellings.made("third:1b", FIRST, row_ids=(0, 3), keys=KEYS[1:])
    with pytest.raises(BadInput, match="share no pairs"):
        beside(first, apart)
    with pytest.raises(BadInput, match="asked for no label alike"):
        beside(first, other)
    compared = finished(data_dir, spec_of_sample(limit=20))
    with pytest.raises(BadInput, match=r"is a labelling, .* is a comparison"):
        beside(first, compared)
    with pytest.raises(BadInput, match="was named twice"):
        beside(first, first)
    shared = labellings.made("fourth:1b", FIRST, row_ids=(0, 3), keys=(REFUSAL,))
    assert "share 1 pair (of 2 and 2)." in beside(first, shared)


def table(*rows: tuple[int, float, float, float, float, float]) -> pd.DataFrame:
    """Row, rewards of chosen and rejected before, the same after, similarity of both sides."""
    made = []
    for row, chosen, rejected, after, other, alike in rows:
        for variant, rewards in (("original", (chosen, rejected)), ("reworded", (after, other))):
            made.append((row, "m", variant, *rewards, alike, alike, 1.0, 1.0))
    return pd.DataFrame(
        made,
        columns=[
            "row_id",
            "model",
            "variant",
            "chosen_reward",
            "rejected_reward",
            "chosen_similarity",
            "rejected_similarity",
            "chosen_ratio",
            "rejected_ratio",
        ],
    )


def test_two_rewordings_by_hand() -> None:
    # Rows 0 to 3 are in both. The first flips 1 and 2, the second 2 and 3: 2 in both, and after
    # both the verdict is the same in rows 0 and 2.
    first = table(
        (0, 2, 1, 2, 1, 0.9),
        (1, 2, 1, 1, 2, 0.8),
        (2, 2, 1, 1, 2, 0.9),
        (3, 1, 2, 1, 2, 0.8),
        (8, 2, 1, 1, 2, 0.1),
    )
    second = table(
        (0, 2, 1, 3, 1, 1.0),
        (1, 2, 1, 2, 1, 0.9),
        (2, 2, 1, 0, 2, 1.0),
        (3, 1, 2, 3, 2, 0.9),
        (9, 2, 1, 1, 2, 0.1),
    )
    found = two_rewordings(first, second, "m")
    assert (found.n, found.both) == (4, 1)
    assert found.first and found.second and found.same
    assert [one.count for one in (found.first, found.second, found.same)] == [2, 2, 2]
    # Wilson's interval of 2 in 4, as in every table of it: 15.0% to 85.0%.
    share = "2 (50%, 95% interval [15, 85])"
    assert two_rewordings_sentence(found, "A", "B") == (
        f"m: of 4 pairs A flips the verdict in {share}, B in {share}; 1 in both. After both the "
        f"verdict is the same in {share}."
    )
    alike = two_similarities(first, second)
    assert alike and alike.apart.mean == pytest.approx(0.1)
    # Means of .9 .8 .9 .8 and of 1 .9 1 .9; every pair gained .1, so that interval has no width.
    assert two_similarities_sentence(alike, "A", "B") == (
        "Similarity with the original, of the less similar side of 4 pairs: 0.850 [0.758, 0.942] "
        "in A, 0.950 [0.858, 1.042] in B; the second minus the first +0.100 [+0.100, +0.100]."
    )
    none = two_rewordings(first, table((5, 2, 1, 1, 2, 0.9)), "m")
    assert two_rewordings_sentence(none, "A", "B") == "m: no pair has both rewordings."
    assert two_similarities(first, table((5, 2, 1, 1, 2, 0.9))) is None


def test_two_rewordings_of_one_dataset_are_set_beside_each_other(
    data_dir: Path, tmp_path: Path
) -> None:
    path = write_pairs(tmp_path / "p.jsonl", 10)
    first = added(data_dir, spec_of(path))
    work_here(data_dir, first, fake_tools(FakeRewriter(sometimes)))
    second = added(data_dir, spec_of(path, row_ids=(0, 1, 2, 5), scope="whole"))
    work_here(data_dir, second, fake_tools(FakeRewriter()))
    for run_id in (first, second):
        archive.rename(run_id, "My rewording")
    head, gate, one, two, alike = beside(first, second).splitlines()
    assert head == (
        f"My rewording ({first}), reworded by fake:7b, and My rewording ({second}), reworded by"
        " fake:7b, share 4 pairs (of 10 and 4)."
    )
    assert gate == "Rewordings count from a similarity of 0.85 on."
    archive.rename(second, "Once more")
    assert beside(first, second).startswith("My rewording, reworded by fake:7b, and Once")
    assert one.startswith("fake/one: ") and two.startswith("fake/two: ")
    assert alike.startswith(("Similarity with the original", "How like"))
    other = added(data_dir, spec_of(path, models=("fake/three",)))
    work_here(data_dir, other, fake_tools(FakeRewriter()))
    with pytest.raises(BadInput, match="No reward model judged both"):
        beside(first, other)
