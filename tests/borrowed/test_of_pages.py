"""What pages and charts use from inside Streamlit and Altair."""

from __future__ import annotations

import inspect
import re
from io import BytesIO
from pathlib import Path

import pytest
from given.borrowed import PROGRAM, ROOT, borrowed


@borrowed("streamlit", "get_script_run_ctx", by="pages/components/kit/visitor.py")
def test_a_thread_without_a_page_has_no_context(caplog: pytest.LogCaptureFixture) -> None:
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    assert get_script_run_ctx(suppress_warning=True) is None
    assert not caplog.records


@borrowed("streamlit", "StreamlitHeaders", "get_all", by="pages/components/kit/visitor.py")
def test_headers_are_found_in_any_case_and_all_of_a_name() -> None:
    from streamlit.runtime.context import StreamlitHeaders

    headers = StreamlitHeaders([("Host", "one"), ("host", "two"), ("Via", "three")])
    assert headers.get_all("HOST") == ["one", "two"] and {name.lower() for name in headers} == {
        "host",
        "via",
    }


SETTINGS = re.compile(r'config\.get_option\([\n ]*"([\w.]+)"')
USERS = "pages/components/kit/visitor.py pages/components/kit/frame.py pages/components/serve.py"


@borrowed("streamlit", "config.get_option", by=USERS)
def test_each_setting_that_pages_ask_for_exists() -> None:
    from streamlit import config

    asked = {name for path in PROGRAM for name in SETTINGS.findall(path.read_text("utf-8"))}
    assert {"global.appTest", "server.port"} <= asked
    for name in asked:
        config.get_option(name)
    with pytest.raises(RuntimeError):
        config.get_option("server.nothing")


@borrowed("streamlit", "runtime.exists", "streamlit.web.cli", by="pages/components/serve.py")
def test_a_server_is_started_by_a_command_and_tells_that_it_runs() -> None:
    from streamlit import runtime
    from streamlit.web.cli import main

    assert runtime.exists() is False
    assert "run" in main.commands and "prog_name" in inspect.signature(main.main).parameters


@borrowed("streamlit", "DeltaGenerator", by="pages/components/kit/list.py")
def test_a_place_on_a_page_has_a_type() -> None:
    import streamlit as st
    from streamlit.delta_generator import DeltaGenerator

    assert isinstance(st.empty(), DeltaGenerator)


@borrowed("streamlit", "UploadedFile", by="pages/components/words/question.py")
def test_a_file_that_was_dropped_is_read_as_bytes() -> None:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    assert issubclass(UploadedFile, BytesIO)


STYLES = "pages/components/kit/page.css pages/components/kit/frame.py pages/components/kit/keys.py"


@borrowed("streamlit", "stMainBlockContainer", "stPageLink", "stDataFrame", by=STYLES)
def test_each_part_of_a_page_that_styles_name_is_in_streamlits_own_script() -> None:
    import streamlit

    files = [
        path for path in (ROOT / "pages").rglob("*.*") if path.suffix in (".py", ".css", ".js")
    ]
    texts = (path.read_text("utf-8") for path in files)
    named = {name for text in texts for name in re.findall(r"data-testid=(st\w+)", text)}
    assert len(named) >= 10
    static = Path(streamlit.__file__).parent / "static"
    scripts = "".join(path.read_text("utf-8") for path in static.rglob("*.js"))
    assert sorted(name for name in named if name not in scripts) == []


def _drawn_from_arrow() -> None:
    import streamlit as st

    spec = {"data": {"name": "one"}, "datasets": {"one": b"ARROW1"}, "mark": "bar"}
    st.vega_lite_chart(spec)


@borrowed("streamlit", '"datasets"', by="pages/components/kit/results.py")
def test_a_charts_rows_may_be_in_arrows_form_already() -> None:
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_function(_drawn_from_arrow, default_timeout=60).run()
    (chart,) = app.get("vega_lite_chart")
    (rows,) = chart.proto.datasets
    assert (rows.name, rows.data.data) == ("one", b"ARROW1")


CHECKS = "ivan_core/charts/palette.py pages/components/kit/frame.py"


@borrowed("altair", "schemapi", "disable_debug_mode", by=CHECKS)
def test_charts_can_be_checked_when_they_are_drawn_only() -> None:
    from altair.utils import schemapi

    schemapi.disable_debug_mode()
    assert schemapi.DEBUG_MODE is False


@borrowed("altair", "_kwds", "NamedData", "copy(deep=False)", by="pages/components/kit/results.py")
def test_a_chart_keeps_its_parts_in_one_place() -> None:
    import altair as alt
    import pandas as pd

    one = alt.Chart(pd.DataFrame({"x": [1]})).mark_bar()
    layered = alt.layer(one, one)
    assert "layer" in layered._kwds and "layer" not in one._kwds
    copied = layered.copy(deep=False)
    copied["layer"] = [one]
    copied.data = alt.NamedData("rows")
    assert len(layered.layer) == 2 and layered.data is not copied.data
