"""What tests of batches share: a demo server, with workers in this process."""

from __future__ import annotations

from given.taxonomy_runs import server

__all__ = ["server"]
