"""Specifications of charts that are kept: drawn as often as wanted, with the rows of the chart."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from pages.components.kit.results import spec_of

COLUMNS = {
    "numbers": [1.5, 2.0, None],
    "words": ["a", None, "<b>"],
    "words and numbers": ["a", 1, None],
}


def _page(values: list[object]) -> None:
    import altair as alt
    import pandas as pd

    from pages.components.kit.results import plain_chart, spec_of

    table = pd.DataFrame({"place": [0, 1, 2], "value": pd.Series(values, dtype="object")})
    spec = spec_of(alt.Chart(table).mark_bar().encode(x="place:Q", y="value:N"))
    for key in ("once", "again"):
        plain_chart(spec, key)


@pytest.mark.parametrize("values", COLUMNS.values(), ids=COLUMNS)
def test_a_kept_chart_is_drawn_twice_with_all_its_rows(values: list[object]) -> None:
    app = AppTest.from_function(_page, kwargs={"values": values}).run()
    assert not app.exception
    drawn = [chart.proto for chart in app.get("vega_lite_chart")]
    assert len(drawn) == 2
    for chart in drawn:
        (rows,) = (pa.ipc.open_stream(one.data.data).read_all() for one in chart.datasets)
        assert rows["place"].to_pylist() == [0, 1, 2]
        told = [None if value is None else str(value) for value in values]
        assert [None if one is None else str(one) for one in rows["value"].to_pylist()] == told


def test_layers_share_their_tables_and_the_chart_keeps_its_own() -> None:
    table = pd.DataFrame({"place": [0, 1], "kind": pd.Categorical(["a", "b"])})
    base = alt.Chart(table).encode(x="place:Q")
    line = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule().encode(x="zero:Q")
    chart = alt.vconcat(alt.layer(base.mark_bar(), line), base.mark_point())
    before = chart.to_dict(validate=False)

    spec = spec_of(chart)
    assert isinstance(spec, dict)
    rows = [pa.ipc.open_stream(one).read_all().to_pylist() for one in spec["datasets"].values()]
    assert rows == [table.to_dict("records"), [{"zero": 0.0}]]

    def places(part: dict[str, Any], names: list[str]) -> list[int]:
        own = [names.index(part["data"]["name"])] if "data" in part else []
        parts = [*part.get("vconcat", []), *part.get("layer", [])]
        return own + [place for one in parts for place in places(one, names)]

    assert places(spec, list(spec["datasets"])) == places(before, list(before["datasets"]))
    assert chart.to_dict(validate=False)["datasets"] == before["datasets"]
