"""What the image is made of, and what of a team's containers can be reached from elsewhere."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")


def let_in(path: str) -> bool:
    """Whether .dockerignore lets a file into the image: the last line that fits it decides."""
    taken = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        anywhere = "**/" in line
        parts = Path(path).parts
        tried = [Path(*parts[:end]).as_posix() for end in range(1, len(parts) + 1)]
        tried += list(parts) if anywhere else []
        if line and not line.startswith("#") and any(fnmatch(one, pattern) for one in tried):
            taken = line.startswith("!")
    return taken


def test_what_the_wheel_is_made_of_goes_into_the_image_and_nothing_else() -> None:
    for path in (
        "constraints.txt",
        "pyproject.toml",
        "setup.py",
        "README.md",
        "LICENSE",
        "NOTICE",
        "streamlit_app.py",
        ".streamlit/config.toml",
        "ivan_core/demo/finished_study.zip.xz",
        "ivan_core/catalog.toml",
        "pages/components/kit/page.css",
    ):
        assert (ROOT / path).exists(), path
        assert let_in(path), path
    for path in (
        ".env",
        ".env.local",
        ".git/config",
        ".streamlit/secrets.toml",
        "pages/.env",
        "ivan_core/secrets.toml",
        "data/ivan.sqlite",
        "tests/conftest.py",
        "ivan_core/__pycache__/settings.cpython-311.pyc",
        "notes.txt",
    ):
        assert not let_in(path), path


def test_the_image_serves_the_demo_as_a_user_without_rights() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    user = re.search(r"^USER (\S+)$", final, re.MULTILINE)
    assert user is not None
    assert f"useradd --uid 1000 --no-create-home --home-dir /data {user[1]}" in final
    assert not re.search(r"^(RUN|COPY|ADD)", final[user.end() :], re.MULTILINE)
    assert '\nCMD ["ivan", "app", "--public", ' in final
    assert "IVAN_BEHIND_PROXY=1" in final
    assert not re.search(r"(PASSWORD|TOKEN|KEY|SECRET)\w*=", DOCKERFILE)


def test_a_team_s_containers_are_reached_from_this_machine_alone_and_hold_no_secret() -> None:
    ports = re.findall(r"^ +ports:\n((?: +- .+\n)+)", COMPOSE, re.MULTILINE)
    assert ports == ["      - 127.0.0.1:8501:8501\n"]
    assert "network_mode" not in COMPOSE
    secrets = re.findall(
        r"^ +\w*(?:PASSWORD|SECRET|TOKEN|KEY|URL)\w*: (.+)$", COMPOSE, re.MULTILINE
    )
    assert secrets == ["/run/secrets/database_password"]
    assert re.findall(r"file: (.)", COMPOSE) == ["$", "$"]
