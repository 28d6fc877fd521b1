"""Who answers by a name: one package reads names, and what it says of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivan_core.domain.errors import BadInput
from ivan_core.models import labelers, reward_models, rewriters, similarity
from ivan_core.models.names import (
    on_ollama,
    on_openai,
    on_servers,
    plain_name,
    reader_note,
    served_name,
    shown_name,
    way_of,
)

ROOT = Path(__file__).parents[2]
NAMES = ("ivan/lexicon", "", "gemma4:e4b", "openai:gpt-6-luna", "ivan/rules", "gemma4:e4b")
SPELLINGS = {"AUTHOR", "LEXICON", "RULES", "MINILM", "OPENAI", "OWN"}
"""Constants that are names, or begin names."""


pytestmark = pytest.mark.usefixtures("no_files")


def test_a_name_tells_how_somebody_works() -> None:
    assert [way_of(name) for name in NAMES] == [
        "rules",
        "nobody",
        "ollama",
        "openai",
        "rules",
        "ollama",
    ]
    assert on_ollama(NAMES) == ["gemma4:e4b"] and on_openai(NAMES) == ["openai:gpt-6-luna"]
    assert on_servers(NAMES) == ["gemma4:e4b", "openai:gpt-6-luna"]
    assert served_name("openai:gpt-6-luna") == "gpt-6-luna" and served_name("llama") == "llama"


def test_rules_are_called_rules_wherever_they_are_named() -> None:
    assert shown_name("ivan/rules") == "ivan/rules (rule-based)"
    assert shown_name("gemma4:e4b") == "gemma4:e4b"
    assert reader_note("ivan/lexicon").startswith("ivan/lexicon is rule-based: it looks for words")
    assert reader_note("ivan/rules").startswith("ivan/rules is rule-based: it swaps words")
    assert reader_note("openai:gpt-6-luna") == ""


def test_authored_labels_are_called_so_wherever_they_are_named() -> None:
    assert way_of("ivan/authored") == "authored" and on_servers(["ivan/authored"]) == []
    assert shown_name("ivan/authored") == plain_name("ivan/authored") == "authored labels"
    assert plain_name("ivan/lexicon") == "ivan/lexicon"
    assert reader_note("ivan/authored") == (
        "Authored labels were written with the sample, each pair to differ in one feature; they "
        "show how IVAN works and are no evidence about people."
    )


def test_how_all_texts_are_labelled_shows_in_the_name_or_has_to_be_asked() -> None:
    for name, way in (
        ("ivan/lexicon", "rules"),
        ("ivan/authored", "authored"),
        ("gemma4:e4b", "ollama"),
        ("gpt-6-luna", "batch"),
        ("ft:gpt-4o:me", "batch"),
        ("mine:7b", "ollama"),
        ("mine", None),
    ):
        assert labelers.labelling_way(name) == way, name
    assert labelers.labelling_way("mine", ("mine",)) == "ollama"


def test_files_of_the_rules_name_them_again() -> None:
    assert labelers.from_slug("ivan-lexicon") == "ivan/lexicon"
    assert labelers.from_slug("ivan-authored") == "ivan/authored"
    assert labelers.from_slug("gemma4-e4b") == "gemma4-e4b"


def test_what_is_no_name_is_refused_before_any_work() -> None:
    for check, name, said in (
        (labelers.check, "ivan/minilm", "There is no labeler 'ivan/minilm'."),
        (labelers.check, "openai: ", "No labeler was named."),
        (labelers.check, "gpt-6-luna", "gpt-6-luna is OpenAI's, not Ollama's."),
        (rewriters.check, "openai:", "No rewriter was named."),
        (rewriters.check, "ivan/lexicon", "There is no rewriter 'ivan/lexicon'."),
        (rewriters.check, "gpt-6-luna", "gpt-6-luna is OpenAI's, not Ollama's."),
        (similarity.check, "minilm", "'minilm' is neither in the catalog"),
        (similarity.check, "ivan/rules", "There is no similarity model 'ivan/rules'."),
        (reward_models.check, "ivan/rules", "There is no embedded model 'ivan/rules'."),
    ):
        with pytest.raises(BadInput) as refused:
            check(name)
        assert refused.value.message.startswith(said)
    for check, name in (
        (labelers.check, ""),
        (labelers.check, "openai:gpt-6-luna"),
        (labelers.check, "mine"),
        (rewriters.check, "ivan/rules"),
        (similarity.check, "ivan/minilm"),
        (similarity.check, "BAAI/bge-m3"),
        (reward_models.check, "ivan/minilm-control"),
    ):
        check(name)


def test_a_labeler_of_a_labelling_is_never_one_that_charges(monkeypatch) -> None:
    monkeypatch.setenv("OLLAMA_API_HOST", "127.0.0.1:9")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert labelers.make("ivan/lexicon").card.kind == "rules"
    for name in ("openai:gpt-6-luna", "gpt-6-luna", "ivan/rules"):
        with pytest.raises(Exception, match="No Ollama server answers"):
            labelers.make(name)


def test_what_is_offered_begins_with_what_is_here_and_free() -> None:
    found = list(labelers.offered_for_rewordings(("gemma4:e4b",)).items())
    assert found[:3] == [
        ("", "nobody: no labels"),
        ("ivan/lexicon", "ivan/lexicon (rule-based, here, free)"),
        ("gemma4:e4b", "gemma4:e4b"),
    ]
    assert all(name.startswith("openai:") and "(paid; " in said for name, said in found[3:])
    offered = rewriters.offered(("gemma4:e4b",), "openai:gpt-6-luna")
    assert offered["ivan/rules"] == "ivan/rules (rule-based, here, free)"
    assert offered["gemma4:e4b"] == "gemma4:e4b (on Ollama, free)"
    assert offered["openai:gpt-6-luna"] == "openai:gpt-6-luna (may be paid)"
    assert next(iter(labelers.offered(()))) == "ivan/lexicon"
    assert similarity.offered("ivan/minilm") == ("ivan/minilm", "BAAI/bge-m3")


def test_only_models_reads_how_a_name_is_spelled() -> None:
    places = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in ("ivan_core", "pages")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if ROOT / "ivan_core" / "models" not in path.parents
        for line in spelled(ast.parse(path.read_text("utf-8")))
    ]
    assert places == []


def spelled(tree: ast.AST) -> Iterator[int]:
    """Lines that compare with a name, or look at how one begins."""
    for node in ast.walk(tree):
        asked: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("startswith", "removeprefix", "partition", "split"):
                asked = list(node.args)
        elif isinstance(node, ast.MatchValue):
            asked = [node.value]
        for one in asked:
            for part in ast.walk(one):
                name = getattr(part, "id", getattr(part, "attr", ""))
                text = part.value if isinstance(part, ast.Constant) else ""
                if name in SPELLINGS or str(text).startswith(("ivan/", "openai:")):
                    yield node.lineno


@pytest.mark.parametrize(
    "code",
    [
        'name.startswith("ivan/")',
        "name == RULES",
        'name in ("", LEXICON)',
        "name.removeprefix(names.OPENAI)",
        'x != "openai:gpt"',
    ],
)
def test_the_test_before_sees_each_way_of_asking(code: str) -> None:
    assert list(spelled(ast.parse(code))) == [1]


def test_importing_the_models_package_loads_no_model_library() -> None:
    code = (
        "import sys\n"
        "from ivan_core.models import labelers, names, reward_models, rewriters, servers\n"
        "from ivan_core.models import similarity\n"
        "heavy = {'torch', 'transformers', 'openai', 'ollama', 'pandas', 'sentence_transformers'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert told.stdout.strip() == "[]", told.stderr


def test_a_labeler_is_meant_by_what_a_list_showed_before_the_demo_server_was_known() -> None:
    before, now = labelers.offered(()), labelers.offered((), demo=True)
    for name in before:
        assert labelers.meant(before[name], now) == labelers.meant(now[name], now) == name
        assert labelers.meant(name, now) == name
    assert labelers.meant("typed-by-hand", now) == "typed-by-hand"
