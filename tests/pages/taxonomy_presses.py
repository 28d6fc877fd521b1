"""What presses in dialogs of the page Taxonomy do: the test runner cannot reach into those."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from streamlit.testing.v1 import AppTest

from ivan_core.experiments.batches import handling as taxonomy


def do(action: str, *given: Any) -> str:
    """Do what a press in a dialog does; what is kept to be told."""

    def script(action, given):  # type: ignore[no-untyped-def]
        from pages.components.kit import frame
        from pages.components.labels import new as label_import, send as label_send

        module = label_send if hasattr(label_send, action) else label_import
        with frame.problems_shown():
            getattr(module, action)(*given)
        frame.tell_news()

    arguments = {"action": action, "given": given}
    app = AppTest.from_function(script, default_timeout=300, kwargs=arguments).run()
    assert not app.exception, app.exception[0].value
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html.body)) for html in app.get("html"))


def shown(run_id: str) -> str:
    """The hash of the estimate that a page shows."""
    estimate = taxonomy.estimate(run_id)
    assert estimate is not None
    return estimate.plan_hash
