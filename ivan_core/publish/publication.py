"""What a repository is to hold: files that lie here, and the card that tells what they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ivan_core import __version__
from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.errors import BadInput
from ivan_core.engine import access
from ivan_core.engine.access import Action
from ivan_core.engine.exports.settled import Wanted, as_settled
from ivan_core.interchange.content import Content
from ivan_core.interchange.formats import FORMATS as WRITTEN
from ivan_core.interchange.write import Summary, write
from ivan_core.lists.download import place
from ivan_core.publish.card import NAME, Told, card
from ivan_core.publish.forms import FORMS, Part
from ivan_core.publish.markdown import block
from ivan_core.runs.storage import replace_text, storage_errors
from ivan_core.settings import data_dir, is_public

_PAIRS = "pairs"
_REPOSITORY = re.compile(
    r"(?=.{3,96}$)[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9_])?/\w(?:[\w.-]*\w)?", re.ASCII
)
_SPLIT = re.compile(r"[A-Za-z0-9_]{1,40}", re.ASCII)
_TEXTS = (
    "The texts of the pairs are in it. Whether their licence and the people in them allow that is "
    "for you to check."
)
_HASHES = (
    "No text of a pair is in it. By the hashes whoever has a text can tell that it is among these."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants: the name on the hub, for whom, and how pairs are written.

    Without a `form` it is the usual one. `texts` puts pairs beside the scores of a run. `settled`
    says what becomes of preferences against which people settled: see `as_settled`.
    """

    repository: str
    public: bool = False
    form: str = ""
    texts: bool = False
    settled: Wanted | None = None

    def check(self) -> None:
        """What can be refused before anything is read.

        Raises:
            BadInput: the name is none, or the form is not that of a table.
            NotAllowed: who asks only reads here.
        """
        if is_public():
            raise BadInput("A demo publishes nothing.", "Install IVAN on a machine of your own.")
        access.require(Action.PUBLISH)
        named = self.repository
        if not _REPOSITORY.fullmatch(named) or re.search(r"--|\.\.|\.git$", named):
            raise BadInput(
                f"{named[:100]!r} is no name on the hub.",
                "Give OWNER/NAME: letters, digits, dots, dashes and underscores.",
            )
        if self.form and self.form not in FORMS:
            raise BadInput(
                f"{self.form[:100]!r} is no form of pairs that the hub shows as a table.",
                f"Choose one of {', '.join(FORMS)}.",
            )

    def command(self, *source: str) -> tuple[str, ...]:
        """The words of the command that asks for the same, without sending it."""
        of_form = ("--format", self.form) if self.form else ()
        of_people = ("--settled", self.settled) if self.settled else ()
        flags = [f"--{name}" for name in ("texts", "public") if getattr(self, name)]
        first, *rest = source
        return ("ivan", "publish", first, self.repository, *rest, *of_form, *of_people, *flags)


@dataclass(frozen=True, slots=True)
class Publication:
    """Files that lie here, and their card at the path `readme`; `command` makes all of it again."""

    asked: Asked
    parts: tuple[Part, ...]
    card: str
    readme: Path
    texts: bool
    command: tuple[str, ...]

    @property
    def warning(self) -> str:
        """What a person has to know before it is sent."""
        return _TEXTS if self.texts else _HASHES

    @property
    def message(self) -> str:
        """Of the commit."""
        names = " and ".join(part.name for part in self.parts)
        return f"Publish {names} with IVAN {__version__}"

    @property
    def files(self) -> dict[str, Path]:
        """Where each file of the repository lies here, by its place there."""
        return {NAME: self.readme, **{part.place: part.path for part in self.parts}}


def publication(
    asked: Asked, parts: tuple[Part, ...], told: Told, *, texts: bool, command: tuple[str, ...]
) -> Publication:
    """The whole, once its files are written: its card is written beside them.

    Raises:
        StorageProblem: the data folder cannot be written.
    """
    page, readme = card(told, parts), place_of(asked, NAME)
    with storage_errors(data_dir()):
        replace_text(readme, page)
    return Publication(asked, parts, page, readme, texts, command)


def pairs_part(
    asked: Asked, dataset: PreparedDataset, content: Content, form: str, split: str
) -> tuple[Part, Summary]:
    """Pairs of a dataset as a file; one at a time is in memory.

    Raises:
        BadInput: the form has a place for none of them.
        StorageProblem: the data folder cannot be written, or the texts are damaged.
    """
    wanted = WRITTEN[form]
    if asked.settled:
        content = as_settled(content, dataset, asked.settled)
    with storage_errors(data_dir()):
        path = place_of(asked, f"{_PAIRS}{wanted.ending}")
        summary = write(path, wanted, content)
    if not summary.written:
        raise BadInput(
            f"No pair has a place in {form}: {', '.join(summary.left_out)}.",
            "Choose another --format; parquet holds most.",
        )
    rows = 2 * summary.written if form == "kto" else summary.written
    split = split if _SPLIT.fullmatch(split) else "train"
    features = FORMS[form].features(content)
    return Part(_PAIRS, split, path, f"data/{path.name}", rows, features), summary


def place_of(asked: Asked, name: str) -> Path:
    """Where a file lies until it is sent, and for an hour at least, to be looked at.

    Raises:
        OSError: the data folder cannot be written.
    """
    return place(f"publish|{asked.repository}", name)


def to_load(asked: Asked, *parts: Part) -> str:
    """How the tables are loaded, as Markdown."""
    lines = [
        f'{part.name} = load_dataset("{asked.repository}", "{part.name}", split="{part.split}")'
        for part in parts
    ]
    return block("\n".join(["from datasets import load_dataset", "", *lines]), "python")
