"""All that is borrowed is named in this folder, and what is gone is told by name."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest
from given.borrowed import PROGRAM, borrowed


def test_what_is_gone_is_told_by_name() -> None:
    @borrowed("streamlit", "get_script_run_ctx", by="pages/components/kit/visitor.py")
    def gone() -> None:
        raise ImportError("no such name")

    with pytest.raises(AssertionError, match=r"^streamlit 1\.\d+\.\d+ is not as pages/.*visitor"):
        gone()


DOCUMENTED = {"ray.data", "ray.util.scheduling_strategies", "huggingface_hub.errors"}
OF_PYTHON = {"_exit", "_fields", "_replace", "_ActionsContainer"}
LIBRARIES = ("altair", "datasets", "genai_prices", "huggingface_hub", "ray", "streamlit", "torch")


@lru_cache(maxsize=1)
def _nodes() -> list[ast.AST]:
    return [node for path in PROGRAM for node in ast.walk(ast.parse(path.read_text("utf-8")))]


def _named() -> set[str]:
    """What the tests of this folder say is borrowed."""
    trees = (ast.parse(path.read_text("utf-8")) for path in Path(__file__).parent.glob("*.py"))
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = (call.args for call in calls if getattr(call.func, "id", "") == "borrowed")
    return {str(one.value) for args in names for one in args if isinstance(one, ast.Constant)}


def test_no_module_inside_a_library_is_imported_that_is_not_named_here() -> None:
    named = _named()
    for node in _nodes():
        if not isinstance(node, ast.ImportFrom) or not node.module or node.module in DOCUMENTED:
            continue
        top, _, inside = node.module.partition(".")
        if top in (*LIBRARIES, "transformers") and inside:
            names = {node.module, *(alias.name for alias in node.names)}
            assert names & named, f"Name one of {sorted(names)} in a test of this folder."


def test_no_private_name_of_a_library_is_used_that_is_not_named_here() -> None:
    own, used = set(OF_PYTHON), set()
    for node in _nodes():
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.Attribute):
            ours = isinstance(node.ctx, ast.Store)
            (own if ours else used).add(node.attr)
    private = {name for name in used - own if re.match(r"_[a-z]", name)}
    assert private - _named() == set()
