"""Taxonomy: the requests for an attempt are written to files first; nothing is sent from here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from ivan_core.datasets.prepared import PreparedDataset
from ivan_core.domain.estimates import EstimatedFile, Reused
from ivan_core.domain.labels import LabelPrompt, TextKey
from ivan_core.domain.pairs import SIDES
from ivan_core.domain.specs import TaxonomySpec
from ivan_core.experiments.batches.kept_answers import Asked, Reuse
from ivan_core.labels.prompt import build_prompt
from ivan_core.labels.request_files import (
    Limits,
    Request,
    RequestFile,
    body_bytes,
    check_request_file,
    write_request_files,
)
from ivan_core.runs.context import RunContext

FOLDER = "taxonomy-input"
Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Requests:
    """How a prompt becomes the body of a request, and how many input tokens that has."""

    body: Callable[[LabelPrompt], Body]
    tokens: Callable[[Body], int]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The files of one attempt, and how many of its requests have so many input tokens."""

    files: tuple[EstimatedFile, ...]
    lengths: Mapping[int, int]
    rows: int
    reused: Reused | None = None


def all_texts(row_ids: Sequence[int]) -> list[TextKey]:
    """Both sides of every row."""
    return [TextKey(row_id, side) for row_id in row_ids for side in SIDES]


def prepare_requests(
    context: RunContext,
    spec: TaxonomySpec,
    dataset: PreparedDataset,
    wanted: Sequence[TextKey],
    requests: Requests,
    attempt: int,
    first_part: int,
    reuse: Reuse | None = None,
) -> Prepared:
    """Write and check the request files of an attempt; their parts are numbered on from a number.

    What `reuse` has an answer for is not asked; where it has all, there are no files.

    Raises:
        BadInput: a text makes no request that a provider would take.
        StorageProblem: the data folder cannot be written.
    """
    context.doing("Preparing the requests")
    context.plan(total=len(wanted), done=0)
    context.start_clock()
    slug = context.id if attempt == 1 else f"{context.id}-attempt-{attempt}"
    lengths: Counter[int] = Counter()
    # Both sides of the longest texts may not fit into a short queue: files hold what fits.
    limits = Limits(tokens=spec.queue_tokens)
    asked = _bodies(spec, dataset, wanted, requests)
    done = reuse.keys if reuse else set[TextKey]()
    with reuse.written() if reuse else nullcontext():
        made = write_request_files(
            _counted(reuse.left(asked) if reuse else asked, requests, lengths),
            context.data_dir / FOLDER,
            slug,
            limits,
            lambda n: context.working(n + len(done)),
        )
    context.doing("Checking the request files")
    files = tuple(
        _checked(file, number, context.data_dir) for number, file in enumerate(made, first_part)
    )
    told = reuse.told if reuse else None
    left = [key for key in wanted if key not in done] if done else wanted
    _keep_keys(context, left, files, attempt)
    return Prepared(files, lengths, len({key.row_id for key in left}), told)


def _bodies(
    spec: TaxonomySpec, dataset: PreparedDataset, wanted: Sequence[TextKey], requests: Requests
) -> Iterator[Asked]:
    for key, text in texts(dataset, wanted):
        body = requests.body(build_prompt(key, text, spec.keys, spec.prompt))
        yield key, body, body_bytes(key, body)


def texts(dataset: PreparedDataset, wanted: Collection[TextKey]) -> Iterator[tuple[TextKey, str]]:
    """The texts of some keys, row by row."""
    sides: dict[int, list[TextKey]] = {}
    for key in wanted:
        sides.setdefault(key.row_id, []).append(key)
    for pair in dataset.pairs(list(sides)):
        for key in sides[pair.row_id]:
            yield key, pair.chosen.text if key.preference == "chosen" else pair.rejected.text


def _counted(
    asked: Iterable[Asked], requests: Requests, lengths: Counter[int]
) -> Iterator[Request]:
    for key, body, raw in asked:
        tokens = requests.tokens(body)
        lengths[tokens] += 1
        yield key, raw, tokens


def _checked(file: RequestFile, part: int, data_dir: Path) -> EstimatedFile:
    found = check_request_file(file.path)
    path = str(file.path.relative_to(data_dir))
    return EstimatedFile(part, path, found.sha256, found.requests, found.bytes, file.tokens)


def _keep_keys(
    context: RunContext, wanted: Sequence[TextKey], files: Sequence[EstimatedFile], attempt: int
) -> None:
    """Keep which texts each file asks for: the files may be gone when results come."""
    start = 0
    for file in files:
        ids = [key.custom_id for key in wanted[start : start + file.requests]]
        context.parts.append(asked_key(attempt, file.part), ids)
        start += file.requests


def asked_key(attempt: int, part: int) -> str:
    """The key of the unit that holds which texts a part asks for."""
    return f"asked|{attempt}|{part}"


def asked_texts(context: RunContext, attempt: int, part: int) -> list[TextKey]:
    """The texts that a part asks for."""
    found = (TextKey.from_custom_id(one) for one in context.parts.rows(asked_key(attempt, part)))
    return [key for key in found if key is not None]
