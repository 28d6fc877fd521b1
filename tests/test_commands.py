"""The command line that a page shows does what the page did."""

from __future__ import annotations

import shlex

import pytest

from ivan_core.cli.compare import spec_from
from ivan_core.cli.main import parser
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.workspace.commands import compare_command

HUB = DatasetRequest(
    source="Anthropic/hh-rlhf", subset="harmless-base", split="test", revision="abc"
)
HOSTILE = DatasetRequest(source="/tmp/a file'; rm -rf $HOME `x`.jsonl")
MODELS = ("ivan/minilm-harmless", "org/model@v1")


@pytest.mark.parametrize(
    "spec",
    [
        CompareSpec(models=MODELS),
        CompareSpec(models=MODELS, limit=5, seed=3),
        CompareSpec(models=MODELS, sample=7, max_tokens=64, input_format="chat"),
        CompareSpec(models=MODELS, row_ids=(0, 17, 98434)),
        CompareSpec(models=MODELS, dataset=HUB),
        CompareSpec(models=('/models/$(touch x) "y"',), dataset=HOSTILE),
    ],
)
def test_the_command_gives_the_spec_back(spec):
    words = shlex.split(compare_command(spec))
    assert words[:2] == ["ivan", "compare"]
    assert spec_from(parser().parse_args(words[1:])) == spec


def test_usual_values_are_left_out():
    assert compare_command(CompareSpec(models=MODELS[:1])) == (
        "ivan compare --dataset sample --model ivan/minilm-harmless"
    )
