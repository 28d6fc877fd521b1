"""What tests of the page Taxonomy share: a demo server, with workers in their process."""

from __future__ import annotations

from given.taxonomy_runs import server

__all__ = ["server"]
