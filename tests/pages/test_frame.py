"""What the frame does for all pages."""

from __future__ import annotations

import gc
from collections.abc import Callable

from given.support import wait_for


def test_what_is_loaded_for_good_is_left_out_of_the_collection_after_each_rerun(
    open_page: Callable,
) -> None:
    gc.unfreeze()
    open_page("pages/runs.py")
    from pages.components.kit.frame import _settle, _warm_up

    assert _warm_up().name == "warm-up"
    wait_for(lambda: not _warm_up().is_alive())
    _settle()
    assert gc.get_freeze_count() > 100_000
    assert len(gc.get_objects()) < gc.get_freeze_count() / 5
