"""Specifications of charts that are kept: drawn as often as wanted, with the rows of the chart."""

from __future__ import annotations

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

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
