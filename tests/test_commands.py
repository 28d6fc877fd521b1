"""The command line that a page shows does what the page did."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ivan_core.cli.compare import spec_from
from ivan_core.cli.main import parser
from ivan_core.demo.ollama_models import INSTALLED
from ivan_core.domain.specs import CompareSpec, DatasetRequest
from ivan_core.figures.command import compare_command

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
        CompareSpec(models=MODELS, system="drop"),
        CompareSpec(models=MODELS, row_ids=(0, 17, 98434)),
        CompareSpec(models=MODELS, dataset=HUB),
        CompareSpec(models=('/models/$(touch x) "y"',), dataset=HOSTILE),
    ],
)
def test_the_command_gives_the_spec_back(spec):
    words = shlex.split(compare_command(spec))
    assert words[:2] == ["ivan", "compare"]
    assert spec_from(parser().parse_args(words[1:])) == spec


def test_a_spec_that_keeps_system_turns_has_the_fingerprint_of_before():
    assert CompareSpec(models=MODELS).fingerprint == "c7f1ff6f5d1c02a2"
    assert CompareSpec(models=MODELS, system="drop").fingerprint != "c7f1ff6f5d1c02a2"


def test_usual_values_are_left_out():
    assert compare_command(CompareSpec(models=MODELS[:1])) == (
        "ivan compare --dataset sample --model ivan/minilm-harmless"
    )


def readme_commands() -> list[str]:
    """Every command line of the README, each alternative by itself, with its options and without.

    `ivan runs list | show ID` stands for two commands, `[--a x|y]` for an option and its values.
    """
    text = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    shown = [line for line in text.splitlines() if line.startswith("ivan ")]
    shown += re.findall(r"`(ivan [^`X…]+)`", text)
    commands = []
    for line in shown:
        first, *others = line.partition(" # ")[0].strip().split(" | ")
        group = " ".join(first.split()[:2])
        for one in (first, *(f"{group} {other}" for other in others)):
            single = re.sub(r"(?<=[a-z0-9])\|[\w|-]+", "", one.replace("...", ""))
            commands += [re.sub(r"\[[^]]*\]", "", single), re.sub(r"[][]", " ", single)]
    return sorted(set(commands))


@pytest.mark.parametrize("command", readme_commands())
def test_every_command_of_the_readme_is_one(command):
    words = shlex.split(command)[1:]
    numbers = {"N": "3", "X": "5", "QUEUE": "1"}
    assert parser().parse_args([numbers.get(word, word) for word in words])


def test_the_readme_s_commands_are_found():
    found = readme_commands()
    assert len(found) > 40
    assert {"ivan compare --limit 100", "ivan runs compare ID ID", "ivan review restore FILE"} <= {
        " ".join(command.split()) for command in found
    }


def test_the_demo_server_has_every_ollama_model_that_the_readme_names():
    text = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    assert set(re.findall(r"[\w.-]+:\w+-instruct-fp16", text)) <= set(INSTALLED)
