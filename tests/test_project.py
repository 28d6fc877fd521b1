"""The project's own promises: what the server loads, how it listens, what the lock may hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import pytest

from ivan_core import catalog
from ivan_core.demo.finished_study import FILE as STUDY
from ivan_core.docs import CHAPTERS, FOLDER, Picture, chapter
from ivan_core.engine.own_files import LARGEST_MB
from ivan_core.models import reward_models
from tests.bench.scale_tables import MACHINES, PAIRS, seconds, tables

ROOT = Path(__file__).parent.parent


def test_constraints_carry_no_local_version() -> None:
    pins = [
        line
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert len(pins) > 50
    assert all("==" in pin and "+" not in pin and "@" not in pin for pin in pins)


def test_the_server_listens_here_only_and_reports_to_nobody() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    server = config["server"]
    assert server["address"] == "127.0.0.1"
    assert server["enableXsrfProtection"] and server["enableCORS"] and server["headless"]
    # What a field says that it takes the server has to take too.
    assert server["maxUploadSize"] == LARGEST_MB
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "type"
    assert config["theme"]["light"].keys() == config["theme"]["dark"].keys()
    assert "base" not in config["theme"]["light"]


def test_streamlit_takes_every_setting(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "streamlit", "config", "show"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        env=os.environ | {"HOME": str(tmp_path)},
    )
    assert told.returncode == 0 and "baseRadius" in told.stdout
    assert "not a valid config option" not in told.stdout + told.stderr
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    # The browser alone refuses other weights, and tells nobody but its console.
    assert all(100 <= one <= 900 and one % 50 == 0 for one in theme["headingFontWeights"])


def test_pages_load_no_model_library(data_dir: Path) -> None:
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "for page in ('pages/compare.py', 'pages/pairs.py', 'pages/runs.py'):\n"
        "    app = AppTest.from_file('streamlit_app.py', default_timeout=300).run()\n"
        "    assert not app.switch_page(page).run().exception, page\n"
        "print(sorted({'torch', 'transformers', 'datasets', 'openai'} & sys.modules.keys()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=300
    )
    assert told.stdout.strip() == "[]", told.stderr


def test_every_catalog_model_says_what_a_person_asks() -> None:
    for name in reward_models.offered():
        card = reward_models.card(name)
        assert card.parameters and card.licence != "unknown" and card.note
        assert reward_models.fit(card).reason
    for preset in catalog.preset_names():
        assert set(catalog.preset(preset).models) <= set(reward_models.offered())


def test_the_readme_begins_with_the_two_commands() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert [line.split("  ")[0] for line in lines[2:5]] == ["```bash", "make app", "make test"]
    for target in ("app", "test"):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text("utf-8")
    assert len(lines) <= 110
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("folder", [ROOT, ROOT / "ivan_core" / "docs"], ids=["readme", "handbook"])
def test_every_link_of_what_is_written_leads_somewhere(folder: Path) -> None:
    for file in folder.glob("*.md"):
        text = file.read_text("utf-8")
        for target in re.findall(
            r"]\(([^)]+)\)", re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S)
        ):
            path, _, place = re.sub(r"(?<=\.py)\?.*", "", target).partition("#")
            assert (folder / path).exists(), f"{file.name}: {target}"
            if place:
                heads = re.findall(r"^#+ (.+)$", (folder / path).read_text("utf-8"), re.M)
                assert place in {anchor(head) for head in heads}, f"{file.name}: {target}"


def anchor(head: str) -> str:
    """The place of a heading in an address, as code hosts and Streamlit make it."""
    return re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-")


def test_each_file_of_the_handbook_is_a_chapter_and_the_readme_names_it() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {f"{file}.md" for file in CHAPTERS} == {path.name for path in FOLDER.glob("*.md")}
    for file in CHAPTERS:
        assert f"[{chapter(file).name}](ivan_core/docs/{file}.md)" in readme
        assert chapter(file).text.startswith(f"# {chapter(file).name}: ")


def test_the_tables_of_the_chapter_on_scale_follow_from_its_figures() -> None:
    text = chapter("scale").text
    for table in tables():
        assert f"\n\n{table}\n\n" in text
    speed = next(machine for machine in MACHINES if machine.name == "1 GPU")
    assert seconds(PAIRS[0], speed) == pytest.approx(160_800 * (0.000026 + 4 / 1_300))


def test_the_pictures_are_small_and_each_is_shown() -> None:
    pictures = set((FOLDER / "pictures").rglob("*.png"))
    assert sum(picture.stat().st_size for picture in pictures) < 500_000
    parts = (part for file in CHAPTERS for part in chapter(file).parts(""))
    shown = {path for part in parts if isinstance(part, Picture) for path in (part.path, part.dark)}
    assert shown == pictures


def test_what_the_handbook_and_the_finished_study_need_is_packed() -> None:
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    patterns = packed["package-data"]["ivan_core"]
    needed = [file for file in FOLDER.rglob("*") if file.suffix in (".md", ".png")]
    for path in (*needed, STUDY):
        inside = path.relative_to(ROOT / "ivan_core").as_posix()
        assert any(fnmatch(inside, pattern) for pattern in patterns), inside


MOST_FILES = 24
MOST_LINES = 450
MOST_LINES_OF_A_PAGE = 60


def test_no_folder_is_too_full_and_no_file_too_long() -> None:
    files = [path for top in ("ivan_core", "pages") for path in (ROOT / top).rglob("*.py")]
    assert len(files) > 200
    files += (ROOT / "tests").rglob("*.py")
    folders = Counter(path.parent.relative_to(ROOT).as_posix() for path in files)
    full = {name: n for name, n in folders.items() if n > MOST_FILES}
    assert not full, "One idea a folder: take a part of it into a folder of its own."
    long = [path for path in files if path.read_text("utf-8").count("\n") > MOST_LINES]
    assert not long, "One idea a file: take one of its ideas into a file of its own."


def test_the_formatter_lays_out_every_line() -> None:
    skips = re.compile(r"#\s*(?:fmt|yapf)\s*:")
    files = [path for top in ("ivan_core", "pages", "tests") for path in (ROOT / top).rglob("*.py")]
    assert not [path for path in files if skips.search(path.read_text("utf-8"))]


def test_a_page_file_only_says_which_panel_is_drawn_now() -> None:
    pages = [ROOT / "streamlit_app.py", *(ROOT / "pages").glob("*.py")]
    long = {path.name: len(path.read_text("utf-8").splitlines()) for path in pages}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES_OF_A_PAGE} == {}


def test_each_file_of_tests_has_a_name_of_its_own() -> None:
    """Of two with one name only the first would be read."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
