"""The fields on Compare that say where models work."""

from __future__ import annotations

from given import made_runs

from ivan_core.backends.pools import ray_cluster
from ivan_core.domain.engine_choice import LOCAL, EngineChoice
from ivan_core.domain.runs import RunState
from ivan_core.engine import handling as runs
from ivan_core.runs.engine_choice import keep_choice

COMPARE = "pages/compare.py"


def on_cluster(page, **values) -> None:
    """Choose the cluster, whose fields are then there to be filled in."""
    page.app.session_state["form-engine"] = "ray"
    page.run()
    for name, value in values.items():
        page.app.session_state[f"form-{name}"] = value
    page.run()


def test_a_run_is_started_on_the_cluster_that_was_typed(data_dir, open_page, spawned):
    page = open_page(COMPARE)
    assert "Nothing is sent anywhere." in page.said
    on_cluster(page, cluster="10.0.0.1:6379", actors=8)
    assert "The texts go to the machines of the cluster, and nowhere else." in page.said
    page.press("judge")
    chosen = EngineChoice(engine="ray", address="10.0.0.1:6379", actors=8)
    assert runs.engine_of(spawned[0]) == chosen
    assert "--engine ray --address 10.0.0.1:6379 --actors 8" in runs.command(runs.get(spawned[0]))


def test_a_cluster_without_an_address_is_this_machine(data_dir, open_page, spawned):
    page = open_page(COMPARE)
    on_cluster(page)
    assert "Nothing is sent anywhere." in page.said
    page.press("judge")
    assert runs.engine_of(spawned[0]) == EngineChoice(engine="ray")


def test_what_is_no_address_is_said_without_an_option_of_the_command_line(data_dir, open_page):
    page = open_page(COMPARE)
    on_cluster(page, cluster="somewhere")
    assert "The address is 'somewhere', which is neither host:port nor auto." in page.said
    assert "--" not in page.said


def test_where_ray_is_not_installed_the_form_says_how_to_get_it(data_dir, open_page, monkeypatch):
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    page = open_page(COMPARE)
    keys = [field.key for field in page.app.selectbox]
    assert "form-engine" not in keys and "form-system" in keys
    assert "once Ray is installed beside IVAN: pip install 'ivan[cluster]'." in page.said


def test_a_run_that_stopped_on_a_cluster_may_go_on_here(data_dir, open_page, spawned):
    run_id = made_runs.stopped(data_dir, made_runs.spec_of_sample(limit=100), RunState.FAILED)
    folder = runs.registry().folder(run_id)
    assert "resume-here" not in open_page(COMPARE, run=run_id).buttons
    keep_choice(folder, EngineChoice(engine="ray", address="10.0.0.1:6379"))
    page = open_page(COMPARE, run=run_id)
    assert page.buttons["resume-here"] == "Resume on this machine"
    page.press("resume-here")
    assert (spawned, runs.engine_of(run_id)) == ([run_id], LOCAL)
