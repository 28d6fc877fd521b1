"""Sentences name options and commands in a terminal, and in the browser what is pressed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from given import made_runs
from given.damages import bad_cell

from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from pages.components.kit import press
from pages.components.kit.press import in_browser

ROOT = Path(__file__).resolve().parents[2]
COMPARE = "pages/compare.py"

_FOR_TERMINALS = {
    "annotations/backup.py": "backups are put back on the command line alone",
    "backends/embedded/train.py": "a script of its own",
    "backends/lexicon/agreement.py": "a script of its own",
    "demo/faults.py": "said by `ivan demo-server` as it starts",
    "demo/server.py": "said by `ivan demo-server` as it starts",
    "engine/exports/files.py": "pages have the file made to download, and name no other",
    "engine/picked_rows.py": "an address is typed behind --where of `ivan figure` alone",
    "experiments/analysis/sentences/missing.py": "said by `ivan analyse` at its end",
    "experiments/batches/answers.py": "`ivan taxonomy run-file` has no page",
    "experiments/batches/command.py": "the command that does the same",
    "experiments/labels/sentences.py": "the command that does the same",
    "experiments/rewrite/figures.py": "a gate is typed behind --gate of `ivan figure` alone",
    "figures/choices.py": "the command that does the same",
    "figures/pick.py": "menus offer only what a chart takes; `ivan figure` takes anything",
    "figures/words.py": "the command that does the same",
    "publish/hub.py": "`ivan publish` has no page",
    "publish/of_run.py": "the same",
    "publish/publication.py": "the same",
    "report/charts.py": "a page that is sent says what draws more",
    "report/parts.py": "a page that is sent says what draws more",
    "report/single.py": "a page that is sent names the command that writes it",
    "report/study.py": "the same",
}
"""Modules whose sentences with options no page shows, or which write commands, and why."""

_STAY = {
    "`pip install --force-reinstall": "mends an installation, which no page can",
    "`ivan demo-server`": "starts a server, which no page can",
    "On the command line, `ivan taxonomy run-file`": "has no page, and the sentence says where",
    "`ray start --head`": "starts a cluster, which no page can",
    "--allow-auto-truncate": "an option of the server that a person started",
    "--is-embedding": "the same",
    "Add --pull.": "the plan of `ivan rewrite`; the form has a button in place of its own plan",
}
"""What pages may show as it is, and why."""

_COMMAND = re.compile(r"ivan( [a-z-]+)+")
_NAMED = re.compile(r"(?<![\w./-])--[a-z][a-z-]*|`?\bivan [a-z][a-z-]+")


def sentences_in(folder: str) -> Iterator[tuple[str, str]]:
    """Each text in the modules of a folder with the module's path; what is filled in is N."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        left_out: set[ast.AST] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                left_out |= {one.value for one in node.body if isinstance(one, ast.Expr)}
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Option":
                left_out |= set(ast.walk(node))
            elif isinstance(node, ast.JoinedStr):
                left_out |= set(node.values)
        for node in ast.walk(tree):
            if node in left_out:
                continue
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield str(path.relative_to(ROOT / folder)), node.value
            elif isinstance(node, ast.JoinedStr):
                parts = (getattr(part, "value", "") for part in node.values)
                words = (part if isinstance(part, str) else "N" for part in parts)
                yield str(path.relative_to(ROOT / folder)), "".join(words)


def test_no_option_and_no_command_reaches_a_page() -> None:
    left = []
    for module, sentence in sentences_in("ivan_core"):
        named_only = _COMMAND.fullmatch(sentence) or " " not in sentence
        if module in _FOR_TERMINALS or module.startswith("cli/") or named_only:
            continue
        shown = in_browser(sentence)
        for stays in _STAY:
            shown = shown.replace(stays, "")
        if _NAMED.search(shown):
            left.append(f"{module}: {shown}")
    assert left == []


def test_pages_name_commands_only_where_they_say_so_or_where_a_server_is_started() -> None:
    left = [
        f"{module}: {sentence}"
        for module, sentence in sentences_in("pages")
        if _NAMED.search(sentence) and " " in sentence and not _COMMAND.fullmatch(sentence)
        if "on the command line" not in sentence.casefold()
        if module != "components/kit/press.py" and not sentence.startswith("ivan demo-server ")
        if not sentence.startswith("<style>")  # its own names begin as options do
    ]
    assert left == []


def test_what_takes_the_place_of_options_stands_on_the_pages() -> None:
    labels = {text for _, text in sentences_in("pages")}
    named = set(press._FIELDS.values())
    for place in press._PLACES.values():
        named |= set(re.findall(r"“(.+?)”", place))
    assert named and named <= labels
    assert "More options" in labels


def test_pages_show_no_hint_as_it_was_written() -> None:
    """Each `.hint` goes to what puts the browser's words in, or into another error."""
    through = {"say_with_hint", "in_one", "in_browser", "BadInput", "keep_news", "_box", "_problem"}
    bare = []
    for path in sorted((ROOT / "pages").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        told = {
            inner
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in through
            for inner in ast.walk(node)
        }
        bare += [
            f"{path.relative_to(ROOT)}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr == "hint" and node not in told
        ]
    assert bare == []


@pytest.mark.parametrize(
    ("in_terminal", "on_page"),
    [
        (
            "Choose one of them with --subset.",
            "Choose one of them with “Subset” under “More options”.",
        ),
        (
            "Leave out --subset, --split and --revision; they are for hub datasets.",
            "Leave out “Subset”, “Split” and “Revision” under “More options”; they are for hub "
            "datasets.",
        ),
        ("Use the data: `--dataset sample`.", "Use the data: “sample”."),
        ("Accept it (--yes).", "Accept it (“I accept this cost”)."),
        ("`ivan runs delete 7` takes it away.", "“Delete” on the page Runs takes it away."),
        ("See `ivan rewrite --help`.", "See the question mark beside each field."),
        ("There is no file my--subset.csv.", "There is no file my--subset.csv."),
        ("Put it into .env, or `ivan demo-server`.", "Put it into .env, or `ivan demo-server`."),
        ("Leave out --where.", "Leave out --where."),
        ("", ""),
    ],
)
def test_options_and_commands_become_what_is_pressed(in_terminal: str, on_page: str) -> None:
    assert in_browser(in_terminal) == on_page


def test_a_wrong_path_leads_to_the_field_of_the_form(data_dir, open_page) -> None:
    page = open_page(COMPARE)
    page.app.session_state["form-dataset"] = "/nowhere/pairs.jsonl"
    page.app.selectbox(key="form-dataset").options.append("/nowhere/pairs.jsonl")
    page.run()
    assert "use the bundled data: “sample”." in page.said
    assert "--" not in page.said


def test_what_a_worker_kept_in_a_run_is_said_for_the_browser(data_dir, open_page) -> None:
    run_id = made_runs.queued(data_dir, made_runs.spec_of_sample())
    runs.registry().finish(
        run_id, RunState.FAILED, "It comes in subsets: a, b.", "Choose one of them with --subset."
    )
    assert "one of them with “Subset” under “More options”." in open_page(COMPARE, run=run_id).said


def test_what_was_asked_wrongly_is_asked_otherwise_from_the_form(data_dir, open_page) -> None:
    run_id = made_runs.queued(data_dir, made_runs.spec_of_sample(limit=7))
    runs.registry().finish(run_id, RunState.FAILED, "The columns are others.", "Pick another file.")
    page = open_page(COMPARE, run=run_id)
    assert page.buttons["change"] == "Change the settings"
    page.press("change")
    assert page.app.number_input(key="form-n").value == 7
    assert "judge" in page.buttons and "resume" not in page.buttons


def test_a_damaged_run_is_taken_away_by_a_button(data_dir, open_page) -> None:
    run_id = made_runs.finished(data_dir, made_runs.spec_of_sample(limit=20))
    bad_cell("spec", "{")(data_dir, run_id)
    said = open_page(COMPARE, run=run_id).said
    assert "“Delete” on the page Runs takes it away." in said and "ivan runs" not in said
