"""The command line that a page shows does what the page did."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from ivan_core.cli import compare, rewrite, taxonomy
from ivan_core.cli.main import parser, run
from ivan_core.demo.ollama_api import INSTALLED
from ivan_core.docs import CHAPTERS, FOLDER
from ivan_core.domain.labels import FEATURES
from ivan_core.domain.options import command_of, field_options
from ivan_core.domain.specs import (
    CompareSpec,
    DatasetRequest,
    LabelSpec,
    RewriteSpec,
    RowsSpec,
    TaxonomySpec,
)

HUB = DatasetRequest(
    source="Anthropic/hh-rlhf", subset="harmless-base", split="test", revision="abc"
)
HOSTILE = DatasetRequest(source="/tmp/a file'; rm -rf $HOME `x`.jsonl")
MODELS = ("ivan/minilm-harmless", "org/model@v1")
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
COUNTS = st.none() | st.integers(1, 10**7)
DOLLARS = st.none() | st.floats(0.001, 1e6)
ROW_IDS = st.none() | st.lists(st.integers(0, 10**6), min_size=1).map(tuple)
DATASETS = st.builds(DatasetRequest, source=NAMES, subset=NAMES, split=NAMES, revision=NAMES)
JUDGES = st.lists(NAMES, min_size=1, max_size=2, unique=True).map(tuple)
SEEDS = st.integers()
CONTEXTS = st.none() | st.integers(512, 10**6)
TEMPERATURES = st.floats(0, 2)
KEYS = st.sets(st.sampled_from(FEATURES), min_size=1).map(tuple)
READ = {
    CompareSpec: compare.spec_from,
    RewriteSpec: rewrite.spec_from,
    LabelSpec: taxonomy.label_spec_from,
    TaxonomySpec: taxonomy.spec_from,
}
SPECS = st.one_of(
    st.builds(
        CompareSpec,
        dataset=DATASETS,
        limit=COUNTS,
        sample=COUNTS,
        row_ids=ROW_IDS,
        seed=SEEDS,
        models=JUDGES,
        max_tokens=st.none() | st.integers(16, 4096),
        input_format=st.sampled_from([None, "last-turn", "openassistant", "as-published", "chat"]),
        system=st.sampled_from(["keep", "drop"]),
    ),
    st.builds(
        RewriteSpec,
        dataset=DATASETS,
        sample=COUNTS,
        row_ids=ROW_IDS,
        seed=SEEDS,
        rewriter=NAMES,
        models=JUDGES,
        scope=st.sampled_from(["shared", "whole"]),
        second=st.booleans(),
        similarity=NAMES,
        labeler=NAMES | st.just(""),
        ask_again=st.booleans(),
        temperature=TEMPERATURES,
        num_ctx=CONTEXTS,
    ),
    st.builds(
        LabelSpec,
        dataset=DATASETS,
        sample=COUNTS,
        row_ids=ROW_IDS,
        seed=SEEDS,
        keys=KEYS,
        labeler=NAMES,
        temperature=TEMPERATURES,
        num_ctx=CONTEXTS,
    ),
    st.builds(
        TaxonomySpec,
        dataset=DATASETS,
        limit=COUNTS,
        row_ids=ROW_IDS,
        seed=SEEDS,
        keys=KEYS,
        model=NAMES,
        max_completion_tokens=st.integers(64, 10**5),
        input_usd=DOLLARS,
        queue_tokens=st.none() | st.integers(1_000, 10**9),
        output_usd=DOLLARS,
        max_usd=DOLLARS,
        base_url=NAMES | st.just(""),
    ),
)


def read(command: str) -> RowsSpec:
    """The spec that a command line asks for."""
    options = parser().parse_args(shlex.split(command)[1:])
    [kind] = [kind for kind in READ if command.startswith(f"{kind.command} ")]
    return READ[kind](options)


@given(SPECS, st.sampled_from(["limit", "sample", "row_ids"]))
def test_the_command_gives_any_spec_back(spec, rows):
    others = {"limit", "sample", "row_ids"} - {rows}
    spec = spec.model_copy(update=dict.fromkeys(others))
    assert read(command_of(spec)) == spec


@pytest.mark.parametrize(
    "spec",
    [
        CompareSpec(models=MODELS),
        CompareSpec(models=MODELS, limit=5, seed=3),
        CompareSpec(models=MODELS, dataset=HUB, row_ids=(0, 17, 98434)),
        CompareSpec(models=('/models/$(touch x) "y"',), dataset=HOSTILE),
        CompareSpec(models=MODELS, quantization="int8"),
        RewriteSpec(models=("--system=drop",), rewriter="-m"),
    ],
)
def test_the_command_gives_these_back(spec):
    assert read(command_of(spec)) == spec


@pytest.mark.parametrize("kind", READ)
def test_every_field_but_these_has_an_option(kind):
    said = {one.path[0] for one in field_options(kind)}
    unsaid = {
        CompareSpec: set(),
        RewriteSpec: {"limit"},
        LabelSpec: {"limit", "prompt"},
        TaxonomySpec: {"sample", "prompt"},
    }
    assert set(kind.model_fields) - said == {"kind", *unsaid[kind]}


def test_first_rows_are_named_where_limit_draws():
    command = command_of(RewriteSpec(models=MODELS[:1], limit=3))
    assert "--row-ids 0,1,2" in command and "--limit" not in command
    assert read(command) == RewriteSpec(models=MODELS[:1], row_ids=(0, 1, 2))


def test_a_spec_without_a_choice_of_weights_or_turns_has_the_fingerprint_of_before():
    assert CompareSpec(models=MODELS, quantization="int8").fingerprint != "c7f1ff6f5d1c02a2"
    assert "quantization" not in CompareSpec(models=MODELS).model_dump(mode="json")
    assert CompareSpec(models=MODELS).fingerprint == "c7f1ff6f5d1c02a2"
    assert CompareSpec(models=MODELS, system="drop").fingerprint != "c7f1ff6f5d1c02a2"


def test_usual_values_are_left_out():
    assert command_of(CompareSpec(models=MODELS[:1])) == (
        "ivan compare --dataset sample --model ivan/minilm-harmless"
    )
    assert command_of(RewriteSpec(models=MODELS)) == (
        "ivan rewrite --dataset sample --rewriter ivan/rules --similarity ivan/minilm"
        " --model ivan/minilm-harmless --model org/model@v1"
    )
    assert command_of(LabelSpec()) == (
        "ivan taxonomy run-control-batch --model ivan/lexicon --dataset sample"
    )
    assert command_of(TaxonomySpec(model="gpt-6-luna", sample=3, limit=2)) == (
        "ivan taxonomy create-batch --model gpt-6-luna --dataset sample --limit 2"
    )


def test_options_that_exclude_each_other_are_named_as_they_were_given(capsys):
    assert run(["rewrite", "--limit", "3", "--row-ids", "0"]) == 1
    assert "--limit and --row-ids exclude each other." in capsys.readouterr().err


def written_commands() -> list[str]:
    """Every command line of README and handbook, each alternative alone, with its options and
    without.

    `ivan runs list | show ID` stands for two commands, `[--a x|y]` for an option and its values.
    """
    text = written()
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


def written() -> str:
    readme = Path(__file__).parents[2] / "README.md"
    chapters = (FOLDER / f"{file}.md" for file in CHAPTERS)
    return "\n".join(path.read_text("utf-8") for path in (readme, *chapters))


@pytest.mark.parametrize("command", written_commands())
def test_every_command_of_readme_and_handbook_is_one(command):
    words = shlex.split(command)[1:]
    if words == ["--help"]:
        return
    numbers = {"N": "3", "X": "5", "QUEUE": "1"}
    assert parser().parse_args([numbers.get(word, word) for word in words])


def test_the_written_commands_are_found():
    found = written_commands()
    assert len(found) > 40
    assert {"ivan compare --limit 100", "ivan runs compare ID ID", "ivan review restore FILE"} <= {
        " ".join(command.split()) for command in found
    }


def test_the_demo_server_has_every_ollama_model_that_is_written_of():
    assert set(re.findall(r"[\w.-]+:\w+-instruct-fp16", written())) <= set(INSTALLED)
