"""Hostile names and texts are shown as they are, on every page, and nothing is asked for."""

from __future__ import annotations

from given import hostile, made_runs
from given.support import wait_for
from guarding import bare, shows
from keyboard import ready
from picking import choose, offer_new, pick
from playwright.sync_api import Page, expect
from tables import click_first_row

from ivan_core.domain.specs import CompareSpec


def draws(page: Page, text: str) -> None:
    """Wait until the charts of a page bear a text."""
    words = page.locator("svg text")
    wait_for(lambda: bare(text) in bare("".join(words.all_text_contents())))


def test_every_hostile_reply_is_read_as_it_is(serve, guarded, listener, data_dir, tmp_path):
    run_id, _ = hostile.made(data_dir, tmp_path, listener.address)
    guarded.goto(serve().url("/pairs", run=run_id, row=0))
    earlier = guarded.locator("details", has_text="2 earlier turns")
    for row, text in enumerate(hostile.texts(listener.address)):
        expect(guarded.get_by_text(f"pair {row} of 18")).to_be_visible()
        # The row's number stands before its texts do: those of the row before are still there, and
        # a press on their earlier turns would open nothing here.
        shows(guarded, text, 3)
        ready(guarded)
        # What was opened for the row before stays open: a press would fold it.
        if earlier.get_attribute("open") is None:
            earlier.locator("summary").click()
        expect(earlier).to_have_attribute("open", "")
        # The question once and two earlier turns; beside them a reply on either side.
        expect(guarded.locator(".ivan-turn")).to_have_count(3)
        shows(guarded, text, 5)
        if row < 17:
            guarded.get_by_role("button", name="Next").click()
    expect(guarded).to_have_title("Pairs · IVAN")
    assert listener.asked == []


def test_hostile_names_are_read_as_they_are(serve, guarded, listener, data_dir, tmp_path):
    run_id, spec = hostile.made(data_dir, tmp_path, listener.address)
    server = serve()
    guarded.goto(server.url())
    expect(guarded.get_by_text("Recent runs")).to_be_visible()
    # In the line of the study and in the title.
    shows(guarded, spec.dataset.label, 2)

    guarded.goto(server.url("/compare", run=run_id))
    expect(guarded.locator("svg text").get_by_text("org/<b>two</b>").first).to_be_visible()
    guarded.get_by_text("Files, command and settings").click()
    expect(guarded.get_by_text("The same from the command line:")).to_be_visible()
    shows(guarded, spec.dataset.source)
    for name in spec.models:
        # In the line under the title, the headline, the counts and the choice of a model.
        shows(guarded, name, 4)
        draws(guarded, name)
    draws(guarded, "</div></p></body>afterthe")
    pick(guarded.get_by_role("radio", name="How sure are they?"))
    pick(guarded.get_by_role("radio", name="Rewards"))
    choices = guarded.locator(".st-key-rewards-model").get_by_role("radio")
    expect(choices).to_have_count(len(spec.models))
    pick(choices.last)
    pick(guarded.get_by_role("radio", name="Is it just length?"))
    expect(guarded.get_by_text("too few lengths differ").first).to_be_visible()

    guarded.goto(server.url("/runs"))
    click_first_row(guarded, run_id)
    expect(guarded.get_by_text(f"{run_id}: done.")).to_be_visible()
    assert listener.asked == []


def add_model(page: Page, name: str) -> None:
    field = page.get_by_role("combobox", name="Reward models")
    offer_new(field, name)
    field.press("Enter")
    field.press("Escape")


def test_hostile_input_to_the_form_is_said_back_as_it_is(
    serve, guarded, listener, data_dir, tmp_path
):
    _, spec = hostile.made(data_dir, tmp_path, listener.address)
    server = serve()
    guarded.goto(server.url("/compare"))
    choose(guarded, "Dataset", spec.dataset.label)
    button = guarded.get_by_role("button", name="Judge 18 pairs with 2 models")
    expect(button).to_be_visible()

    add_model(guarded, spec.models[0])
    expect(guarded.get_by_role("button", name="Judge 18 pairs with 3 models")).to_be_visible()
    shows(guarded, spec.models[0])
    add_model(guarded, f"![x]({listener.address}/y) <img src=x>")
    expect(guarded.get_by_text("is neither in the catalog, nor a name on the hub")).to_be_visible()
    shows(guarded, f"![x]({listener.address}/y) <img src=x>")

    guarded.goto(server.url("/compare", run=f"<img src={listener.address}/run>"))
    expect(
        guarded.get_by_text(f"There is no run '<img src={listener.address}/run>'")
    ).to_be_visible()
    assert listener.asked == []


def test_hostile_names_are_read_as_they_are_while_a_run_is_at_work(
    serve, guarded, listener, data_dir, tmp_path
):
    _, spec = hostile.made(data_dir, tmp_path, listener.address)
    longer = CompareSpec.model_validate(spec.model_dump() | {"seed": 7})
    with made_runs.at_work(data_dir, longer) as run_id:
        guarded.goto(serve().url("/compare", run=run_id))
        expect(guarded.get_by_text("Judging")).to_be_visible()
        expect(guarded.locator("svg text").get_by_text("org/<b>two</b>").first).to_be_visible()
        for name in spec.models:
            shows(guarded, name, 2)
    assert listener.asked == []
