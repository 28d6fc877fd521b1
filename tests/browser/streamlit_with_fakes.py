"""`streamlit run …`, with workers that judge with the fakes that the environment describes."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.web.cli import main

from ivan_core.engine import handling as runs

runs.WORKER = (
    sys.executable,
    str(Path(__file__).resolve().parents[1] / "fakes" / "reward_models.py"),
)
main(sys.argv[1:], prog_name="streamlit")
