"""What could come next in a study, and what it would take: told by each kind of run itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from given.made_labellings import Labellings
from given.made_runs import at_work, finished, spec_of_file, spec_of_sample

from ivan_core.backends.openai.chat import label_body
from ivan_core.backends.openai.models import TokenCounter
from ivan_core.datasets.chosen_rows import choose_rows
from ivan_core.domain.errors import BadInput
from ivan_core.domain.estimates import roughly, typical_tokens
from ivan_core.domain.labels import TextKey
from ivan_core.domain.specs import DatasetRequest, LabelSpec, RowsSpec, TaxonomySpec
from ivan_core.engine import datasets, handling as runs, studies
from ivan_core.engine.kind import experiments
from ivan_core.engine.proposals import left_in, proposals
from ivan_core.experiments.batches.estimates import prices_of
from ivan_core.experiments.labels.plan import propose_authored, propose_beside
from ivan_core.labels.prompt import build_prompt
from ivan_core.worker import work


def kinds_left(run_id: str) -> list[str]:
    about = studies.about_run(run_id)
    assert about is not None
    return [one.kind for one in left_in(about)]


def test_each_kind_proposes_a_run_on_the_rows_and_what_it_would_take(data_dir: Path) -> None:
    found = {one.kind: one for one in proposals(RowsSpec(row_ids=(0, 1, 2)))}
    assert list(found) == [kind.name for kind in experiments() if kind.name != "analysis"]
    assert {one.pairs for one in found.values()} == {3}
    assert all(one.spec.row_ids == (0, 1, 2) for one in found.values())
    assert [one.does for one in found.values()] == [
        "Judge the 3 pairs",
        "Label the 6 texts",
        "Label the 6 texts",
        "Reword the 3 pairs",
    ]
    assert found["labels"].terms.startswith("rules, free, ")
    assert found["taxonomy"].terms == "gpt-6-luna, less than $0.01"
    assert runs.every() == [], "nothing has happened"


def test_a_press_starts_what_is_free_and_never_what_a_provider_charges_for(data_dir: Path) -> None:
    starts = {one.kind: one.starts for one in proposals(RowsSpec(row_ids=(0, 1, 2)))}
    assert starts == {"compare": True, "labels": True, "taxonomy": False, "rewrite": True}


def test_models_that_would_be_downloaded_or_asked_of_a_server_wait_for_their_form(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVAN_PRESET", "seal")
    found = {one.kind: one for one in proposals(RowsSpec(row_ids=(0, 1, 2)))}
    assert [found[kind].starts for kind in ("compare", "labels", "rewrite")] == [False, True, False]
    assert found["compare"].terms == "4 models, free"


def test_the_rough_price_is_that_of_the_counted_requests_within_a_few_percent(
    data_dir: Path,
) -> None:
    rows = RowsSpec(sample=60)
    proposal = next(one for one in proposals(rows) if one.kind == "taxonomy")
    spec = TaxonomySpec(model="gpt-6-luna", sample=60)
    assert proposal.spec == spec
    dataset, prices = datasets.find(DatasetRequest()), prices_of(spec)
    assert dataset is not None and prices is not None and proposal.dollars is not None
    counter = TokenCounter(spec.model)
    read = [
        counter.request_tokens(
            label_body(build_prompt(TextKey(0, "chosen"), side.text, spec.keys), spec.model)
        )
        for pair in dataset.pairs(choose_rows(spec, dataset).row_ids)
        for side in (pair.chosen, pair.rejected)
    ]
    written = typical_tokens(len(spec.keys), spec.max_completion_tokens)
    counted = prices.batch.requests(read, written)
    assert proposal.dollars == pytest.approx(counted, rel=0.04)


def test_what_a_study_has_or_is_at_is_not_proposed_again(data_dir: Path, pairs_file: Path) -> None:
    run_id = finished(data_dir, spec_of_file(pairs_file))
    assert kinds_left(run_id) == ["labels", "taxonomy", "rewrite"]
    with at_work(data_dir, spec_of_sample()) as running:
        assert kinds_left(running) == ["labels", "taxonomy", "rewrite"]


def test_a_second_labeler_is_proposed_after_what_nobody_has_done(labellings: Labellings) -> None:
    labelled = labellings.by_rules()
    assert kinds_left(labelled) == ["compare", "rewrite", "taxonomy"]


def test_of_the_sample_what_was_written_with_it_is_proposed_beside_a_labeler(
    data_dir: Path,
) -> None:
    rows = RowsSpec(row_ids=(0, 1, 2))
    rules = LabelSpec(row_ids=rows.row_ids)
    written = propose_authored(rows)
    with pytest.raises(BadInput, match="for the bundled sample alone"):
        propose_authored(RowsSpec(dataset=DatasetRequest(source="p.jsonl")))
    for spec, by in ((written.spec, "rules"), (rules, None)):
        run_id, _ = runs.registry().add(spec.kind, spec.model_dump_json(), spec.fingerprint)
        work(runs.registry(), run_id)
        about = studies.about_run(run_id)
        assert about is not None
        beside = [one for one in left_in(about) if one.does.endswith("once more")]
        assert next((one.by for one in beside if one.kind == "labels"), None) == by
    assert written.terms.startswith("authored labels, free, ") and written.starts
    assert propose_beside(RowsSpec()).by == "authored labels", "not all rows have them"


def test_a_rough_price_is_told_with_as_many_digits_as_are_known() -> None:
    told = [roughly(dollars) for dollars in (0, 0.002, 0.0168, 4.3, 46.4, 1234)]
    assert told == [
        "free",
        "less than $0.01",
        "about $0.02",
        "about $4.30",
        "about $46",
        "about $1,200",
    ]
