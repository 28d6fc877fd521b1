"""What a rewording shows at a glance, and that its link leads to the pairs it counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.rewriting import FakeRewriter, added, fake_tools, spec_of, work_here
from given.support import write_pairs

from ivan_core.experiments.rewrite.conditions import LANGUAGE, listing
from ivan_core.experiments.rewrite.findings import findings
from ivan_core.experiments.rewrite.numbers import numbers
from ivan_core.experiments.rewrite.results import Gate, RewriteResults, open_rewrite
from ivan_core.lists.conditions import matching_rows
from ivan_core.lists.url import read_filter


@pytest.fixture
def results(data_dir, tmp_path) -> RewriteResults:
    made = added(data_dir, spec_of(write_pairs(tmp_path / "pairs.jsonl", 40)))
    work_here(data_dir, made, fake_tools(FakeRewriter()))
    return replace(open_rewrite(made), gate=Gate(0, 0, 5))


def test_the_link_leads_to_as_many_pairs_as_the_sentence_counts(results):
    (finding,) = findings(results)
    moved = numbers(results, results.gate).of(results.models[0]).flips.either
    assert moved.count > 0
    assert finding.sentence.startswith(
        f"Of {moved.n} pairs reworded with the same meaning, {moved.count} changed fake/one's mind"
    )
    rows = listing(results, numbers(results, results.gate))
    wanted, ignored = read_filter(LANGUAGE, finding.query)
    found = matching_rows(rows, wanted)
    assert not ignored
    assert len(found) == moved.count and finding.row in found


def test_it_says_on_how_many_pairs_the_model_was_trained(results):
    model = results.models[0]
    (finding,) = findings(results)
    assert "trained" not in finding.sentence
    results.seen[model] = 7
    (finding,) = findings(results)
    assert finding.sentence.endswith(f" {model} was trained on 7 of 40 pairs.")
