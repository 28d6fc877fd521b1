"""What others read of the project: its facts, how to cite it, how it is tested elsewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8"))
CONTRIBUTING = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def test_the_citation_tells_what_the_project_tells() -> None:
    # cff-version, message, title and authors are what the format asks for.
    assert CITATION["cff-version"] == "1.2.0" and CITATION["message"] and CITATION["title"]
    assert str(CITATION["version"]) == PROJECT["version"]
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["repository-code"] == PROJECT["urls"]["Repository"]
    assert [one["name"] for one in CITATION["authors"]] == [
        one["name"] for one in PROJECT["authors"]
    ]
    assert CITATION["keywords"] == PROJECT["keywords"]


def test_the_paper_is_the_one_that_the_readme_cites() -> None:
    paper, readme = CITATION["preferred-citation"], (ROOT / "README.md").read_text("utf-8")
    names = [f"{one['family-names']}, {one['given-names']}" for one in paper["authors"]]
    assert f"{{{' and '.join(names)}}}" in readme
    assert paper["title"] in readme.replace("{", "").replace("}", "")
    assert f"{{{paper['year']}}}" in readme and paper["collection-title"] in readme
    assert paper["url"] == PROJECT["urls"]["Paper"]
    assert f"arXiv:{paper['url'].rpartition('/')[2]}" in readme


def _jobs() -> list[dict[str, Any]]:
    return list(WORKFLOW["jobs"].values())


def test_the_workflow_may_only_read_and_its_actions_are_of_one_version() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    steps = [step for job in _jobs() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", one) for one in used)
    assert all("permissions" not in job for job in _jobs())
    (checkout,) = [step for step in steps if step.get("uses", "").startswith("actions/checkout")]
    assert checkout["with"]["persist-credentials"] is False


def test_the_workflow_makes_what_there_is_to_make_on_each_python_that_is_named() -> None:
    (job,) = _jobs()
    runs = job["strategy"]["matrix"]["include"]
    targets = {target for run in runs for target in run["targets"].split()}
    assert targets == {"check", "unit", "lowest", "newest"}
    for target in targets:
        assert re.search(rf"^({target}:|.* {target}:|{target} .*:)", MAKEFILE, re.M), target
    named = [
        one.rpartition(":: ")[2] for one in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", one)
    ]
    assert {run["python"] for run in runs if run["targets"] != "lowest"} == set(named)
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert named[0] == oldest
    assert [run["python"] for run in runs if run["targets"] == "lowest"] == [oldest]
    assert any(run["system"].startswith("macos") for run in runs)


def test_each_place_that_contributors_are_sent_to_exists() -> None:
    for link in re.findall(r"]\(([^)#]+)", CONTRIBUTING):
        assert (ROOT / ".github" / link).is_file(), link
    inside = ROOT / "ivan_core"
    for path in re.findall(r"`([\w./]+/[\w.]*|[A-Z]+\.md|\w+\.(?:toml|txt))`", CONTRIBUTING):
        assert (ROOT / path).exists() or (inside / path).exists(), path
    for name, path in (
        ("LAYOUTS", "datasets/layouts/known.py"),
        ("class NotAPair", "datasets/layouts/messages.py"),
        ("no_labels", "datasets/layouts/shape.py"),
        ("ATTENTIVE = ", "backends/reward_models/sharing_rules.py"),
    ):
        assert name in (inside / path).read_text("utf-8")
    for target in re.findall(r"\bmake (\w+)", CONTRIBUTING):
        assert re.search(rf"^(\w+ )*{target}\b.*:", MAKEFILE, re.M), target
