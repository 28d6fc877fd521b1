"""What a kind of run is stands in one record of its experiment; nobody else asks for it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from ivan_core.domain.errors import BadInput
from ivan_core.domain.specs import CompareSpec
from ivan_core.engine.kind import UNKNOWN, Kind, alike, experiments, kind_for, kind_of, known
from ivan_core.experiments import EXPERIMENTS, READING

ROOT = Path(__file__).resolve().parents[2]
NAMES = (*EXPERIMENTS, *READING)
_HEAVY = ("pandas", "altair", "torch", "transformers", "openai")
_ASKS = re.compile(
    r"\b(?:run|other|entry\.run|get\([^()]*\))\.kind\s*(?:==|!=|in \(|not in \()"
    r"|isinstance\([^()]*(?:\([^()]*\))?[^()]*\b(?:Compare|Rewrite|Label|Taxonomy|Column)Spec\b"
)
"""How source asks which kind a run is: by its name, or by the class of its spec."""
_OWN = {
    "ivan_core/experiments/labels": ("Label",),
    "ivan_core/experiments/batches": ("Taxonomy", ".kind "),
    "ivan_core/experiments/compare": ("Compare", "Column"),
    "ivan_core/experiments/rewrite": ("Rewrite",),
    "ivan_core/experiments/columns": ("Column",),
    "pages/components/compare": ("Column",),
}
"""Who may ask for what: each experiment for its own kind, comparisons for the columns they read."""


@pytest.mark.parametrize("name", NAMES)
def test_each_kind_is_registered_under_its_name_and_every_place_it_names_is_there(
    name: str,
) -> None:
    kind = kind_of(name)
    assert kind.name == name and kind.noun
    assert kind.spec.model_fields["kind"].default == name
    late = [place for place in _held_by(kind) if isinstance(place, partial)]
    assert late, "its work is imported late"
    for place in late:
        assert getattr(import_module(place.args[0]), place.args[1]) is not None


def _held_by(record: Any) -> Iterator[object]:
    """What a record and those inside it hold."""
    for field in fields(record):
        held = getattr(record, field.name)
        yield from _held_by(held) if is_dataclass(held) else (held,)


def test_a_kind_is_at_most_fourteen_callables_beside_plain_facts() -> None:
    plain = ("str", "bool", "tuple[str, ...]")
    assert sum(field.type not in plain for field in fields(Kind)) <= 14


def test_the_kind_of_a_spec_is_that_of_its_class() -> None:
    assert kind_for(CompareSpec()).name == "compare"
    assert [kind.name for kind in experiments()] == list(EXPERIMENTS)


def test_a_kind_that_nobody_knows_is_said_to_be_of_another_version() -> None:
    assert known("of tomorrow") is UNKNOWN and known("compare") is kind_of("compare")
    assert alike("of tomorrow") == ()
    with pytest.raises(BadInput, match="Nobody here knows"):
        kind_of("of tomorrow")


def test_kinds_are_quick_to_import() -> None:
    imports = "; ".join(f"import {module}" for module in (*EXPERIMENTS.values(), *READING.values()))
    program = f"import sys; {imports}; print([one for one in {_HEAVY!r} if one in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_only_the_registry_knows_which_kind_a_run_is() -> None:
    found = []
    for folder in ("ivan_core", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            own = next((words for home, words in _OWN.items() if place.startswith(home)), ())
            found += [
                f"{place}: {asked[0]}"
                for asked in _ASKS.finditer(path.read_text("utf-8"))
                if not any(word in asked[0] for word in own)
            ]
    assert not found


def test_the_command_line_lists_no_experiment() -> None:
    words = (ROOT / "ivan_core/cli/main.py").read_text("utf-8")
    assert not [name for name in NAMES if re.search(rf"\b{name}\b", words)]


def test_experiments_are_named_as_modules_in_the_registry_and_their_own_records_alone() -> None:
    named = re.compile(r"[\"']ivan_core\.experiments\.")
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("ivan_core", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if named.search(path.read_text("utf-8"))
    }
    records = {
        module.replace(".", "/") + ".py" for module in (*EXPERIMENTS.values(), *READING.values())
    }
    assert found <= {"ivan_core/experiments/__init__.py", *records}
