"""What a repository is to hold: files that lie here, and the card that tells what they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ivan_core import __version__
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.domain.options import field_options
from ivan_core.domain.specs import DatasetRequest
from ivan_core.engine import access
from ivan_core.engine.access import Action
from ivan_core.engine.exports.contents import of_dataset
from ivan_core.figures.files import file_names
from ivan_core.interchange.content import Content
from ivan_core.interchange.formats import FORMATS as WRITTEN
from ivan_core.interchange.write import Summary, write
from ivan_core.lists.download import place
from ivan_core.publish import facts
from ivan_core.publish.card import NAME, Told, card
from ivan_core.publish.forms import FORMS, Part
from ivan_core.publish.markdown import block, bullets, code, words
from ivan_core.runs.storage import replace_text, storage_errors
from ivan_core.settings import data_dir, is_public

PAIRS = "pairs"
_REPOSITORY = re.compile(
    r"(?=.{3,96}$)[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9_])?/\w(?:[\w.-]*\w)?", re.ASCII
)
_SPLIT = re.compile(r"[A-Za-z0-9_]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Publication:
    """Files by their places in a repository, its card, and whether texts of pairs are in it.

    `readme` is the path of the card. `asked` is the command that makes all of it again.
    """

    repository: str
    public: bool
    parts: tuple[Part, ...]
    card: str
    readme: Path
    texts: bool
    asked: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person has to know before it is sent."""
        if not self.texts:
            return ()
        return (
            "The texts of the pairs are in it. Whether their licence and the people in them allow "
            "that is for you to check.",
        )

    @property
    def message(self) -> str:
        """Of the commit."""
        return f"Publish {', '.join(part.name for part in self.parts)} with IVAN {__version__}"

    @property
    def files(self) -> dict[str, Path]:
        """Where each file of the repository lies here."""
        return {NAME: self.readme, **{part.place: part.path for part in self.parts}}


def check(repository: str, format_name: str) -> None:
    """What can be refused before anything is read.

    Raises:
        BadInput: the name is none, or the format is not of a table.
        NotAllowed: who asks only reads here.
    """
    if is_public():
        raise BadInput("A demo publishes nothing.", "Install IVAN on a machine of your own.")
    access.require(Action.PUBLISH)
    if not _REPOSITORY.fullmatch(repository) or re.search(r"--|\.\.|\.git$", repository):
        raise BadInput(
            f"{repository[:100]!r} is no name on the hub.",
            "Give OWNER/NAME: letters, digits, dots, dashes and underscores.",
        )
    if format_name not in FORMS:
        raise BadInput(
            f"{format_name} is for one tool, and no table that the hub shows.",
            f"Choose one of {', '.join(FORMS)}.",
        )


def publish_dataset(
    dataset: PreparedDataset, repository: str, *, public: bool, format_name: str = "dpo"
) -> Publication:
    """Write all pairs of a dataset as files for the hub, and their card.

    They stay in the data folder for an hour at least, to be looked at.

    Raises:
        BadInput, NotAllowed: as `check`; or the format has a place for no pair of it.
        StorageProblem: the data folder cannot be written, or the texts are damaged.
    """
    check(repository, format_name)
    request = DatasetRequest(**dataset.about["request"])
    names = file_names([request.source, request.label])
    content = of_dataset(dataset)
    asked = _asked([request.source, repository, *_words_of(request)], public, format_name)
    with storage_errors(data_dir()):
        part, summary = _pairs(content, format_name, request.split, repository)
    told = Told(
        f"Preference pairs: {content.name}",
        [
            words(f"{part.rows:,} preference pairs, as “{WRITTEN[format_name].title}” has them.")
            + " "
            + words(WRITTEN[format_name].about),
            _to_load(repository, part),
        ],
        {
            "Rows": [bullets(words(one) for one in summary.sentences), _columns(part)],
            "Whose preferences": facts.whose_choice(dataset),
            "Known faults of the source": facts.faults(dataset, names),
            "Licence": facts.licence(dataset),
            "Where it is from": facts.source_facts(dataset, names),
            "The command": facts.how(list(asked), names),
        },
        str(dataset.about["licence"]),
        ("preference-data", "ivan"),
    )
    return _whole(repository, public, (part,), told, texts=True, asked=asked)


def _asked(said: Sequence[str], public: bool, format_name: str) -> tuple[str, ...]:
    of_format = [] if format_name == "dpo" else ["--format", format_name]
    return ("ivan", "publish", *said, *of_format, *(["--public"] if public else []))


def _words_of(request: DatasetRequest) -> list[str]:
    """The options of a dataset, but for its name."""
    return [
        word
        for one in field_options(DatasetRequest)
        if one.name != "source" and (value := one.value(request)) != one.field.default
        for word in one.words(value)
    ]


def _pairs(content: Content, format_name: str, split: str, repository: str) -> tuple[Part, Summary]:
    """Pairs as a file; one at a time is in memory."""
    wanted = WRITTEN[format_name]
    path = _place(repository, f"{PAIRS}{wanted.ending}")
    summary = write(path, wanted, content)
    if not summary.written:
        raise BadInput(
            f"No pair has a place in {format_name}: {', '.join(summary.left_out)}.",
            "Choose another --format; parquet holds most.",
        )
    rows = 2 * summary.written if format_name == "kto" else summary.written
    split = split if _SPLIT.fullmatch(split) else "train"
    features = FORMS[format_name].features(content)
    return Part(PAIRS, split, path, f"data/{path.name}", rows, features), summary


def _place(repository: str, name: str) -> Path:
    return place(f"publish|{repository}", name)


def _to_load(repository: str, part: Part) -> str:
    return block(
        "from datasets import load_dataset\n\n"
        f'{part.name} = load_dataset("{repository}", "{part.name}", split="{part.split}")',
        "python",
    )


def _columns(part: Part) -> str:
    named = ", ".join(code(one["name"], 100) for one in part.features)
    return f"Columns: {named}."


def _whole(
    repository: str,
    public: bool,
    parts: tuple[Part, ...],
    told: Told,
    *,
    texts: bool,
    asked: tuple[str, ...],
) -> Publication:
    page, readme = card(told, parts), _place(repository, NAME)
    with storage_errors(data_dir()):
        replace_text(readme, page)
    return Publication(repository, public, parts, page, readme, texts, asked)
