"""All pairs of a dataset for the hub, and what its card tells."""

from __future__ import annotations

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.options import field_options
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine.exports.contents import of_dataset
from ivan_core.figures.files import file_names
from ivan_core.interchange.formats import FORMATS as WRITTEN
from ivan_core.interchange.write import Summary
from ivan_core.publish import facts
from ivan_core.publish.card import Told
from ivan_core.publish.forms import Part
from ivan_core.publish.markdown import bullets, code, words
from ivan_core.publish.publication import Asked, Publication, pairs_part, publication, to_load

USUAL_FORM = "dpo"


def publish_dataset(dataset: PreparedDataset, asked: Asked) -> Publication:
    """Write all pairs of a dataset as files for the hub, and their card.

    Raises:
        BadInput, NotAllowed: as `Asked.check`; or the form has a place for no pair of it, or the
            name is that of the dataset itself.
        StorageProblem: the data folder cannot be written, or the texts are damaged.
    """
    asked.check()
    request = DatasetRequest(**dataset.about["request"])
    if request.source.lower() == asked.repository.lower():
        raise BadInput(
            f"{asked.repository} is the dataset itself: its own card would be replaced.",
            "Name another repository.",
        )
    names = file_names([request.source, request.label])
    content, form = of_dataset(dataset), asked.form or USUAL_FORM
    command = asked.command(request.source, *_words_of(request))
    part, summary = pairs_part(asked, dataset, content, form, request.split)
    lead = [
        f"{part.rows:,} rows, as {code(WRITTEN[form].title)} has them: "
        f"{words(WRITTEN[form].about)}",
        to_load(asked, part),
    ]
    agreement = facts.agreement(dataset)
    sections = {
        "Rows": rows_told(part, summary),
        **({"What reward models make of them": agreement} if agreement else {}),
        "Whose preferences": facts.whose_choice(dataset),
        "Known faults of the source": facts.faults(dataset, names),
        "Licence": facts.licence(dataset),
        "Where it is from": facts.source_facts(dataset, names),
        "The command": facts.commands([command], names),
    }
    title, licence = f"Preference pairs: {content.name}", str(dataset.about["licence"])
    told = Told(title, lead, sections, licence, ("preference-data", "ivan"))
    return publication(asked, (part,), told, texts=True, command=command)


def rows_told(part: Part, summary: Summary) -> list[str]:
    """How many pairs are in a file, why others are not, and its columns, as Markdown."""
    named = ", ".join(code(one["name"], 100) for one in part.features)
    return [bullets(words(one) for one in summary.sentences), f"Columns: {named}."]


def _words_of(request: DatasetRequest) -> list[str]:
    """The options of a dataset, but for its name."""
    return [
        word
        for one in field_options(DatasetRequest)
        if one.name != "source" and (value := one.value(request)) != one.field.default
        for word in one.words(value)
    ]
