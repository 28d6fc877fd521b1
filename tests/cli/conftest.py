"""What tests of commands share: a demo server, with workers in their process."""

from __future__ import annotations

from given.taxonomy_runs import server

__all__ = ["server"]
