"""The order in which rewordings are worked on, and how labels move: facts worked by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.reward_models import FakeRewardModel, Fakes
from fakes.rewriting import FakeRewriter, added, fake_tools, spec_of, work_here
from given.support import write_pairs

from ivan_core.backends.pools.here import PoolHere
from ivan_core.domain.pairs import Pair
from ivan_core.domain.rewriting import PieceKey
from ivan_core.domain.specs import RULES, RewriteSpec
from ivan_core.domain.transcripts import Dialogue
from ivan_core.engine import handling as runs
from ivan_core.experiments.rewrite.rows import KeptRewording, move_of, reworded_pair
from ivan_core.experiments.rewrite.units import chunk_of, plan_units, variants_of, weight_of_pair
from ivan_core.rewording.accept import Refused, Rewording

ASK = "\n\nHuman: Can you help?"
PAIR = Pair(4, Dialogue(f"{ASK}\n\nAssistant: Yes, I can."), Dialogue(f"{ASK}\n\nAssistant: No."))
SILENT = Rewording(None, 1, (Refused("no_answer", "No rule fits."),))
SPEC = RewriteSpec(rewriter="fake:7b", models=("one", "two"))


def test_all_steps_of_a_chunk_come_before_the_next_where_all_fits_in_memory() -> None:
    spec = SPEC.model_copy(update={"labeler": "fake:1b"})
    units = plan_units(spec, range(100), 50, together=True)
    assert [unit.key for unit in units] == [
        "rewordings|0",
        "scores|0|one",
        "scores|0|two",
        "similar|0",
        "labels|0",
        "again|0",
        "rewordings|1",
        "scores|1|one",
        "scores|1|two",
        "similar|1",
        "labels|1",
    ]
    assert len({unit.row_ids for unit in units}) == 2


def test_otherwise_each_step_is_finished_first_and_models_get_more_pairs_at_once() -> None:
    units = plan_units(SPEC, range(40), 1, together=False)
    stages = [unit.stage for unit in units]
    assert stages == ["rewordings"] * 40 + ["scores"] * 6 + ["similar"] * 3
    assert [unit.model for unit in units[40:46]] == ["one"] * 3 + ["two"] * 3
    scored = [row for unit in units[40:43] for row in unit.row_ids]
    assert scored == [row for unit in units[:40] for row in unit.row_ids]
    assert [len(unit.row_ids) for unit in units[46:]] == [16, 16, 8]


def test_units_do_not_depend_on_what_is_left_and_weigh_what_they_cost() -> None:
    assert plan_units(SPEC, range(9), 4, True) == plan_units(SPEC, range(9), 4, True)
    # Two rewordings by a model count ten each; four texts by two models; three similarities.
    assert weight_of_pair(SPEC) == 2 * 10 + 2 * 4 + 3
    rules = SPEC.model_copy(update={"rewriter": RULES, "second": False, "labeler": "ivan/lexicon"})
    assert weight_of_pair(rules) == 1 + 2 * 3 + 2 + 2
    assert (chunk_of(SPEC), chunk_of(rules)) == (1, 64)
    assert variants_of(rules) == ("original", "reworded", "surface")


def test_only_one_of_all_is_in_memory_at_a_time(data_dir: Path, tmp_path: Path) -> None:
    tools = fake_tools(FakeRewriter(), together=False)
    loaded: list[str] = []

    def noting(name: str, make: object) -> object:
        def load(*args: object) -> object:
            loaded.append(name)
            return make(*args)  # type: ignore[operator]

        return load

    def load_model(name: str, _: str) -> FakeRewardModel:
        loaded.append(name)
        return FakeRewardModel(name, Fakes())

    tools = replace(
        tools,
        rewriter=noting("rewriter", tools.rewriter),
        models=replace(tools.models, pool=PoolHere(load_model)),
        similarity=noting("similarity", tools.similarity),
        labeler=noting("labeler", tools.labeler),
    )
    run_id = added(data_dir, spec_of(write_pairs(tmp_path / "p.jsonl", 20)))
    work_here(data_dir, run_id, tools)
    assert loaded == ["rewriter", "fake/one", "fake/two", "similarity", "labeler", "labeler"]
    facts = json.loads(runs.get(run_id).facts)
    assert facts["done"] == {
        "rewordings": 20,
        "scores": 20,
        "similar": 20,
        "labels": 20,
        "again": 20,
    }


@pytest.mark.parametrize(
    ("before", "after", "move"),
    [
        (True, False, "lost"),
        (False, True, "gained"),
        (True, True, "same"),
        ("positive", "neutral", "lost"),
        ("negative", "neutral", "gained"),
        (None, True, None),
        (True, None, None),
    ],
)
def test_a_label_that_goes_down_is_lost(before: object, after: object, move: str | None) -> None:
    assert move_of(before, after) == move


def kept(reply: str, prompt: Rewording, rejected: Rewording = SILENT) -> list[KeptRewording]:
    return [
        KeptRewording(PieceKey(4, "both", "prompt"), "published", prompt),
        KeptRewording(
            PieceKey(4, "chosen", "reply"), "published", Rewording(f"\n\nAssistant: {reply}", 1)
        ),
        KeptRewording(PieceKey(4, "rejected", "reply"), "published", rejected),
    ]


def test_a_prompt_that_no_rule_fits_stands_and_one_that_a_model_fails_does_not() -> None:
    rules = SPEC.model_copy(update={"rewriter": RULES})
    one = reworded_pair(PAIR, rules, kept("Yes, I am able to.", SILENT))
    chosen, rejected = one.sides["reworded"]
    assert chosen == Dialogue(f"{ASK}\n\nAssistant: Yes, I am able to.")
    # "No." is a single word: nothing to reword, and a prompt alone is no rewording of a text.
    assert rejected is None and one.missing["reworded"][1] is not None
    assert one.missing["reworded"][1].reason == "no rule fits"
    model = reworded_pair(PAIR, SPEC, kept("Yes, I am able to.", SILENT))
    assert model.sides["reworded"] == (None, None)
    assert model.missing["reworded"][0] is not None
    assert model.missing["reworded"][0].part == "4.both.prompt"


def test_a_rewording_that_comes_out_as_the_original_is_none() -> None:
    rules = SPEC.model_copy(update={"rewriter": RULES})
    assert reworded_pair(PAIR, rules, kept("Yes, I can.", SILENT)).sides["reworded"] == (None, None)
