"""Reading a finished run: deep links, from a mark to a pair, keys, Back, downloads."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from given import made_runs
from given.support import wait_for, write_pairs
from keyboard import ready
from picking import pick
from playwright.sync_api import Locator, Page, expect
from tables import LIST, click_first_row, first_of, row_of, sort_by

from ivan_core.domain.specs import LabelSpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.analysis.results import open_analysis
from ivan_core.experiments.compare.conditions import LANGUAGE, Sort, listing
from ivan_core.experiments.compare.results import open_results
from ivan_core.experiments.compare.verdicts import VerdictIs
from ivan_core.lists.conditions import Filter, matching_rows
from ivan_core.lists.pairs import SubsetIs
from ivan_core.lists.url import read_filter
from ivan_core.worker import work

CHART = "[data-testid=stVegaLiteChart]"
MODEL = "ivan/minilm-harmless"
DISAGREES = "[aria-label*='harmless; Verdict: disagree'][aria-label*='Model: ivan/minilm-harmless']"
"""The part of a bar by subset that is clicked."""


@pytest.fixture
def run_id(data_dir) -> str:
    return made_runs.finished(data_dir, made_runs.spec_of_sample())


def chart(page: Page, title: str) -> Locator:
    """The chart with this title; charts of a view that was left stand there a while longer."""
    return page.locator(CHART).filter(has=page.get_by_text(title))


def filter_of(page: Page, conditions: int) -> Filter:
    """The filter in the page's address, once it has so many conditions."""

    def asked() -> Filter | None:
        found, _ = read_filter(LANGUAGE, dict(parse_qsl(urlsplit(page.url).query)))
        return found if len(found.conditions) == conditions else None

    found: Filter = wait_for(asked)
    return found


def shows_row(page: Page, row: int) -> None:
    expect(page.get_by_text(f"pair {row} of 480 · sample")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/pairs.*row={row}$"))
    ready(page)


def test_a_deep_link_to_compare_opens_on_a_server_that_has_just_started(serve, page, run_id):
    page.goto(serve(anew=True).url("/compare", run=run_id))
    expect(page.get_by_text("sides with the author's choice in").first).to_be_visible()
    expect(page.locator(CHART).first).to_be_visible()


def test_a_deep_link_to_a_pair_opens_on_a_server_that_has_just_started(serve, page, run_id):
    page.goto(serve(anew=True).url("/pairs", run=run_id, row=17))
    shows_row(page, 17)
    expect(page.get_by_text("A · chosen")).to_be_visible()
    page.reload()
    shows_row(page, 17)


def test_from_a_bar_to_its_rows_to_a_pair_and_back(serve, page, run_id):
    page.goto(serve().url("/compare", run=run_id))
    page.locator(f"{CHART} path{DISAGREES}").first.click()
    expect(page.get_by_role("button", name="ivan/minilm-harmless disagrees")).to_be_visible()
    expect(page.get_by_role("button", name="subset: harmless")).to_be_visible()
    table = open_results(run_id).table
    wanted = table[table["verdict"].eq("disagree") & table["subset"].eq("harmless")]
    first = int(wanted[wanted["model"].eq(MODEL)]["row_id"].min())
    row_of(page, str(first)).click()
    expect(page.get_by_text("A · chosen")).to_be_visible()
    expect(page.get_by_text(f"pair {first} of 480 · sample · harmless")).to_be_visible()
    steps = page.evaluate("history.length")
    page.go_back()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    expect(page.get_by_text("sides with the author's choice in").first).to_be_visible()
    # A press that leads to another page is one step, and the page before stays as it was.
    assert "row" not in dict(parse_qsl(urlsplit(page.url).query))
    page.locator(".st-key-next-labels").get_by_role("button").click()
    expect(page.get_by_role("heading", name="Taxonomy")).to_be_visible()
    assert page.evaluate("history.length") == steps
    page.go_back()
    expect(page.get_by_text("sides with the author's choice in").first).to_be_visible()


def test_from_a_comparison_and_labels_to_what_is_rewarded_and_the_pairs_behind_it(
    serve, page, run_id
):
    asked = LabelSpec()
    labelled, _ = runs.registry().add(asked.kind, asked.model_dump_json(), asked.fingerprint)
    work(runs.registry(), labelled)
    page.goto(serve().url("/compare", run=run_id))
    page.locator(".st-key-next-analysis").get_by_role("button").click()
    expect(page.get_by_role("heading", name="Analysis")).to_be_visible()
    expect(page.get_by_text("Labels by ivan/lexicon (rule-based)").first).to_be_visible()
    effects = chart(page, "What does it reward?")
    mark = effects.locator(f"path[aria-label*='Honest'][aria-label*='{MODEL}']").first
    ready(page)
    mark.dispatch_event("click")  # a stroke has no area to be pressed by its middle
    expect(page).to_have_url(re.compile("effect=last_response_is_honest"))
    expect(page.get_by_text(f"{MODEL} gives an honest reply").first).to_be_visible()
    found = open_analysis(runs.every("analysis")[0].id)
    own = found.table("imprint", model=MODEL, before="", feature="last_response_is_honest")
    differs = int(own[own["control"] == "length"]["differs"].iloc[0])
    page.get_by_role("link", name=f"See the {differs} pairs of minilm-harmless").click()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    expect(page.get_by_text(f"{differs} pairs").first).to_be_visible()
    rows = matching_rows(listing(open_results(run_id)), filter_of(page, 1))
    first = rows[0]
    assert len(rows) == differs
    row_of(page, str(first)).click()
    expect(page.get_by_text("A · chosen")).to_be_visible()


def test_a_press_on_the_line_of_an_interval_takes_the_part_of_the_bar_below_it(serve, page, run_id):
    own = open_results(run_id).summaries[0]
    end = own.agreement.high - 0.005
    past_ties = end > (own.counts.agree + own.counts.tie) / own.counts.rated
    assert own.model == MODEL and end > own.agreement.rate
    page.goto(serve().url("/compare", run=run_id))
    drawing = chart(page, "How often each model sides").locator("svg")
    x, y, width = drawing.locator("line[aria-label*='low:']").first.evaluate(
        """line => {
            const box = line.getBoundingClientRect();
            const around = line.ownerSVGElement.getBoundingClientRect();
            return [box.right - around.x, (box.top + box.bottom) / 2 - around.y, box.width];
        }"""
    )
    back = width * 0.005 / (own.agreement.high - own.agreement.low)
    drawing.click(position={"x": x - back, "y": y})
    chip = page.get_by_role("button", name=f"{MODEL} {'disagrees' if past_ties else 'ties'}")
    expect(chip).to_be_visible()


def test_from_a_cell_of_rewards_to_its_rows(serve, page, run_id):
    page.goto(serve().url("/compare", run=run_id))
    pick(page.get_by_role("radio", name="Rewards"))
    cells = chart(page, "The rewards of both replies").locator("path[aria-roledescription]")
    expect(cells.first).to_be_visible()
    cells.nth(cells.count() // 2).click()
    chip = page.get_by_role("button", name=f"{MODEL}: chosen reward")
    expect(chip).to_be_visible()
    asked = filter_of(page, 1)
    first = matching_rows(listing(open_results(run_id)), asked)[0]
    row_of(page, str(first)).click()
    expect(page.get_by_text("A · chosen")).to_be_visible()


def test_every_bar_point_and_range_of_margins_narrows_the_rows(serve, page, run_id):
    results = open_results(run_id)
    control = "ivan/minilm-control"
    page.goto(serve().url("/compare", run=run_id))
    pick(page.get_by_role("radio", name="Is it just length?"))
    bars = chart(page, "Is it just length?").locator("path[aria-roledescription=bar]")
    bars.last.click(position={"x": 4, "y": 4})
    expect(page.get_by_role("button", name="the shorter reply was chosen")).to_be_visible()
    pick(page.get_by_role("radio", name="How sure are they?"))
    pick(page.get_by_role("radio", name="minilm-control"))
    points = chart(page, "When it is surer").locator("path[aria-label*='scale: raw']")
    points.last.click()
    expect(page.get_by_role("button", name=f"{control}: sure by")).to_be_visible()
    pick(page.get_by_role("radio", name="Rewards"))
    margins = chart(page, "How much more the model likes the chosen reply")
    margins.locator("path[aria-label*='verdict: disagree']").last.click()
    expect(page.get_by_role("button", name=f"{MODEL}: margin")).to_be_visible()
    expect(page.get_by_role("button", name=f"{MODEL} disagrees")).to_be_visible()
    asked = filter_of(page, 4)
    count = len(matching_rows(listing(results), asked))
    expect(page.get_by_text(re.compile(rf"^{count or 'No'} pairs?\b"))).to_be_visible()

    # Without a pointer: a range of margins is typed.
    page.get_by_role("button", name="Show all pairs").click()
    page.get_by_role("spinbutton", name="up to").fill("-1.5")
    page.get_by_role("button", name="Show these pairs").click()
    expect(page.get_by_role("button", name=f"{MODEL}: margin below −1.5")).to_be_visible()
    expect(page).to_have_url(re.compile("margin="))


def test_pages_of_rows_turn(serve, page, run_id):
    page.goto(serve().url("/compare", run=run_id))
    page.get_by_role("button", name=re.compile(r"\b10$")).first.click()
    expect(page.get_by_text("480 pairs, 451 to 480 shown.")).to_be_visible()
    row_of(page, "450").click()
    shows_row(page, 450)
    page.go_back()
    expect(page.get_by_text("480 pairs, 451 to 480 shown.")).to_be_visible()


def test_a_head_sorts_all_rows_as_numbers(serve, page, run_id):
    results = open_results(run_id)
    most, least = (
        matching_rows(
            listing(results), Filter(LANGUAGE, sort=Sort(by="margin", of=MODEL, descending=way))
        )[0]
        for way in (True, False)
    )
    page.goto(serve().url("/compare", run=run_id))
    sort_by(page, "minilm-harmless")
    expect(first_of(page)).to_have_text(str(most))
    expect(page).to_have_url(re.compile("sort=margin~1~ivan"))
    sort_by(page, "minilm-harmless")
    expect(first_of(page)).to_have_text(str(least))


def test_keys_move_and_back_returns_one_step(serve, page, run_id):
    sharpest = open_results(run_id).sharpest[0]
    page.goto(serve().url("/pairs", run=run_id, row=0))
    shows_row(page, 0)
    expect(page.get_by_role("button", name="Next")).to_be_enabled()
    page.keyboard.press("j")
    shows_row(page, 1)
    page.keyboard.press("j")
    shows_row(page, 2)
    page.keyboard.press("k")
    shows_row(page, 1)
    page.keyboard.press("d")
    shows_row(page, sharpest)
    page.go_back()
    shows_row(page, 1)
    page.go_forward()
    shows_row(page, sharpest)


def test_a_finding_on_home_leads_to_its_pair(serve, page, run_id):
    page.goto(serve().url())
    page.get_by_role("link", name="Read the 5 sharpest").click()
    shows_row(page, open_results(run_id).sharpest[0])
    page.go_back()
    expect(page.get_by_role("heading", name="What do 480 pairs of sample show?")).to_be_visible()


def test_a_link_to_the_page_one_is_on_changes_the_address(serve, page, run_id, tmp_path):
    page.goto(serve().url("/compare", run=run_id))
    expect(page.get_by_text("sides with the author's choice in").first).to_be_visible()
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", name="What do 480 pairs of sample show?")).to_be_visible()
    page.get_by_role("link", name="New study").click()
    expect(page).to_have_url(re.compile("study=new$"))
    field = page.locator("input[type=file]")
    expect(field).to_be_attached()
    ready(page)
    field.set_input_files(write_pairs(tmp_path / "mine.jsonl", 40))
    expect(page.get_by_role("button", name="Judge 40 pairs with 2 models")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="What do 480 pairs of sample show?")).to_be_visible()
    page.go_forward()
    expect(page.get_by_text("Or bring your own pairs")).to_be_visible()


def test_the_csv_files_come_down_as_they_are(serve, page, run_id, data_dir):
    page.goto(serve().url("/compare", run=run_id))
    details = page.get_by_text("Files, command and settings")
    expect(details).to_have_count(1)
    ready(page)
    details.click()
    names = sorted(path.name for path in (data_dir / "compare").iterdir())
    assert len(names) == 3
    for name in names:
        ready(page)
        with page.expect_download() as coming:
            page.get_by_role("button", name=name).click()
        assert coming.value.suggested_filename == name
        assert coming.value.path().read_bytes() == (data_dir / "compare" / name).read_bytes()


def test_a_run_that_does_not_exist_is_said_and_the_way_out_works(serve, page, run_id):
    page.goto(serve().url("/compare", run="no-such-run"))
    expect(page.get_by_text("There is no run 'no-such-run' here.")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("button", name="Judge 480 pairs with 2 models")).to_be_visible()


def test_runs_leads_to_a_run_and_navigation_keeps_it(serve, page, run_id):
    page.goto(serve().url("/runs"))
    click_first_row(page, run_id)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_text("sides with the author's choice in").first).to_be_visible()
    page.get_by_role("link", name="Pairs").click()
    expect(page.get_by_text("pair 0 of 480 · sample")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/pairs.*run={run_id}"))


_WORDS = "minilm-harmless disagrees; subset: harmless"


def is_read(page: Page, row: int, place: int, of: int) -> None:
    expect(page.get_by_text(f"{place} of {of} pairs: {_WORDS}")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"/pairs.*row={row}$"))
    ready(page)


def test_a_mark_is_read_pair_by_pair_and_left_again(serve, page, run_id):
    results = open_results(run_id)
    asked = (VerdictIs(model=MODEL, verdict="disagree"), SubsetIs(label="harmless"))
    rows = matching_rows(listing(results), Filter(LANGUAGE, asked))
    among = [row for row in results.sharpest if row in rows]
    here = among.index(rows[1]) if rows[1] in among else -1
    sharpest = among[(here + 1) % len(among)]
    page.goto(serve().url("/compare", run=run_id))
    page.locator(f"{CHART} path{DISAGREES}").first.click()
    strip = page.locator(".st-key-strip")
    expect(strip.get_by_text(f"{len(rows)} pairs: {_WORDS}")).to_be_in_viewport()
    strip.get_by_role("link", name="See the table").click()
    expect(row_of(page, str(rows[0]))).to_be_in_viewport()
    strip.get_by_role("link", name="Read them one by one").click()
    is_read(page, rows[0], 1, len(rows))
    page.keyboard.press("j")
    is_read(page, rows[1], 2, len(rows))
    page.keyboard.press("d")
    is_read(page, sharpest, rows.index(sharpest) + 1, len(rows))
    page.go_back()
    is_read(page, rows[1], 2, len(rows))
    page.reload()
    is_read(page, rows[1], 2, len(rows))
    page.get_by_role("button", name="Back to the table").click()
    expect(row_of(page, str(rows[0]))).to_be_in_viewport()
    page.go_back()
    is_read(page, rows[1], 2, len(rows))
    page.get_by_role("button", name="Back to the table").click()
    expect(row_of(page, str(rows[0]))).to_be_in_viewport()
    expect(strip.get_by_text(f"{len(rows)} pairs: {_WORDS}")).to_be_visible()
    strip.get_by_role("button", name="✕").click()
    expect(strip).to_have_count(0)
    expect(page.get_by_text("480 pairs, 1 to 50 shown.")).to_be_visible()
    expect(page.locator(LIST)).to_have_count(1)
    assert "verdict=" not in page.url
