"""The app on a narrow screen and from the keyboard, and what axe says of every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from accessibility import ALL_BUT_COLOURS, COLOURS, EVERYTHING, findings
from fakes.reward_models import Fakes
from fakes.rewriting import FakeRewriter, added, fake_tools, spec_of, work_here
from given import made_runs
from given.support import wait_for, write_pairs
from given.words.scored_words import keep
from keyboard import ready
from playwright.sync_api import Page, expect

from ivan_core.domain.specs import DatasetRequest, LabelSpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.analysis.plan import spec_of_runs
from ivan_core.words import asking
from ivan_core.words.word_list import bundled
from ivan_core.worker import work

FOLDS = ("More options", "Bring your own pairs", "Sentences to copy", "Numbers for the paper")
WIDE = """() => [...document.querySelectorAll('html, [data-testid=stMain]')]
    .map(element => element.scrollWidth - element.clientWidth)"""


@pytest.fixture
def run_id(data_dir, tmp_path) -> str:
    """Six models with long names on twelve subsets, of replies with very long words."""
    rows = [
        {
            "chosen": f"\n\nHuman: q{i}\n\nAssistant: {'yes' * 900}",
            "rejected": f"\n\nHuman: q{i}\n\nAssistant: no, {i}",
            "subset": f"a-long-subset-{i % 12}",
        }
        for i in range(36)
    ]
    names = tuple(f"an-organisation/a-rather-long-name-of-a-reward-model-{n}" for n in range(6))
    spec = made_runs.spec_of_file(made_runs.write_rows(tmp_path / "rows.jsonl", rows), names)
    return made_runs.finished(data_dir, spec)


def test_no_page_scrolls_sideways_on_a_narrow_screen(serve, visitor, run_id):
    server = serve()
    page: Page = visitor(width=400, height=800)
    for path, query, text in (
        ("/", {}, "Recent runs"),
        ("/compare", {}, "Which reply does a reward model prefer"),
        ("/compare", {"run": run_id}, "sides with the recorded choice"),
        ("/pairs", {"run": run_id, "row": 3}, "A · chosen"),
        ("/runs", {}, "Select a run"),
    ):
        page.goto(server.url(path, **query))
        expect(page.get_by_text(text).first).to_be_visible()
        ready(page)
        wait_for(lambda: page.evaluate(WIDE) == [0, 0])


def test_the_keyboard_alone_starts_a_run(serve, page):
    page.goto(serve(Fakes(delay=0.05)).url())
    button = page.get_by_role("button", name=re.compile("Judge the sample"))
    expect(button).to_be_visible()
    ready(page)
    for _ in range(16):
        page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            break
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("sides with the author's choice in").first).to_be_visible()


@pytest.fixture
def addresses(data_dir: Path, tmp_path: Path) -> dict[str, str]:
    """Every page with a study of forty pairs: judged, labelled, analysed and reworded."""
    file = write_pairs(tmp_path / "pairs.jsonl", 40)
    compared = made_runs.finished(data_dir, made_runs.spec_of_file(file))
    asked = LabelSpec(dataset=DatasetRequest(source=str(file)))
    labelled, _ = runs.registry().add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    work(runs.registry(), labelled)
    joined = spec_of_runs([compared, labelled])
    analysed, _ = runs.registry().add(joined.kind, joined.model_dump_json(), joined.fingerprint)
    work(runs.registry(), analysed)
    reworded = added(data_dir, spec_of(file))
    work_here(data_dir, reworded, fake_tools(FakeRewriter(), Fakes(silent=True)))
    n = len(bundled())
    keep(asking.demo(), [float(i) for i in range(n)], [float(-i) for i in range(n)])
    return {
        "/": "Found",
        "/?study=new": "Or bring your own pairs",
        "/compare": "Reward models",
        f"/compare?run={compared}": "Can the numbers be trusted?",
        f"/pairs?run={compared}&row=3": "What moved the reward?",
        "/taxonomy": "Labeler",
        f"/taxonomy?run={labelled}": "of 80 texts",
        "/rewrite": "Rewriter",
        f"/rewrite?run={reworded}": "The meaning counts as kept",
        "/analysis": "Rewards and labels of the same pairs are joined",
        f"/analysis?run={analysed}": "What does it reward?",
        f"/analysis?run={analysed}&view=1": "against",
        "/review": "What do people say?",
        "/review?view=1": "What do people say?",
        "/runs": "Select a run",
        "/words": "Where does a word stand?",
        "/handbook": "Handbook",
    }


@pytest.mark.parametrize(
    ("scheme", "width", "looks_at"),
    [
        ("light", 1280, EVERYTHING),
        # The same page in other colours, and the same colours in another shape.
        ("dark", 1280, COLOURS),
        ("light", 400, ALL_BUT_COLOURS),
    ],
    ids=["light", "dark", "narrow"],
)
def test_no_page_has_a_serious_fault(serve, visitor, addresses, scheme, width, looks_at):
    page = visitor(width=width, color_scheme=scheme)
    server = serve()
    found = {}
    for address, text in addresses.items():
        page.goto(f"{server.base}{address}")
        page.get_by_text(text).filter(visible=True).first.wait_for()
        open_folds(page)
        if faults := findings(page, looks_at):
            found[address] = faults
    assert found == {}


def open_folds(page: Page) -> None:
    """Open what many people open, so that it is looked at too."""
    ready(page)
    for name in FOLDS:
        fold = page.locator("summary").get_by_text(name, exact=True)
        if fold.count():
            fold.first.click()
            ready(page)
