"""What the page Taxonomy tells before and after a labelling: who can label, who answers, files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from ivan_core import catalog
from ivan_core.backends.openai.client import KEY, account_for, is_demo
from ivan_core.backends.openai.models import default_model, model_family, shutdown, suggested_models
from ivan_core.domain.errors import BackendUnavailable, IvanError
from ivan_core.domain.estimates import Estimate
from ivan_core.domain.label_specs import LEXICON, LabelSpec
from ivan_core.domain.runs import Run
from ivan_core.domain.specs import RowsSpec
from ivan_core.engine import handling as runs
from ivan_core.experiments.batches import handling as taxonomy
from ivan_core.experiments.batches.estimates import CAP, over_cap
from ivan_core.experiments.labels import plan as labels
from ivan_core.experiments.labels.results import KINDS
from ivan_core.ledger.records import PlanChanged
from ivan_core.settings import preset_name, setting

Way = Literal["rules", "ollama", "batch"]
"""How a labeler works: by rules here, text by text on Ollama, or as batches of a provider."""
_Number = TypeVar("_Number", int, float)
_TAGGED = re.compile(r"[\w./-]+:[\w.-]+")
"""A name with a tag, as Ollama's models have it."""
_FREE = "ivan/lexicon (rule-based, here, free)"


@dataclass(frozen=True, slots=True)
class Provider:
    """Who answers at a base URL. `ready` tells whether a batch could be sent there.

    `problem` and `hint` say what is missing; a key is only ever told to be there or not.
    """

    host: str
    demo: bool
    ready: bool
    problem: str = ""
    hint: str = ""


def provider(base_url: str = "") -> Provider:
    """Who would be asked for batches; answers within half a second.

    Raises:
        BadInput: it is no address of a server.
    """
    try:
        account = account_for(base_url)
    except BackendUnavailable as error:
        return Provider("OpenAI", False, False, error.message, error.hint)
    return Provider(account.host, is_demo(account.base_url), True)


def ollama_is_demo() -> bool:
    """Whether the demo server answers in place of Ollama."""
    address = ollama_address()
    return is_demo(address if "//" in address else f"http://{address}")


def has_key() -> bool:
    """Whether a key of OpenAI is set; never which."""
    return bool(setting(KEY).strip())


@dataclass(frozen=True, slots=True)
class OllamaModels:
    """The models of the Ollama server; `problem` and `hint` say why there are none."""

    names: tuple[str, ...]
    problem: str = ""
    hint: str = ""


def ollama_models() -> OllamaModels:
    """What the Ollama server has, if it answers."""
    try:
        return OllamaModels(labels.installed())
    except IvanError as error:
        return OllamaModels((), error.message, error.hint)


def ollama_address() -> str:
    """Where the Ollama server is looked for."""
    return setting("OLLAMA_API_HOST", "http://localhost:11434")


def labelers(installed: tuple[str, ...], demo: bool = False) -> dict[str, str]:
    """The labelers to offer and how each is named: rules first, then Ollama's, then batches.

    `demo` says that the demo server answers in place of OpenAI.
    """
    offered = {LEXICON: _FREE}
    for name in (*installed, *_wanted(installed)):
        there = "on Ollama, free" if name in installed else "on Ollama, to be pulled first"
        offered[name] = f"{name} ({there})"
    for name in suggested_models():
        last = shutdown(name)
        ends = f", shuts down on {last.isoformat()}" if last else ""
        paid = "batch, the demo server answers" if demo else "OpenAI batch, paid"
        offered[name] = f"{name} ({paid}{ends})"
    return offered


def _wanted(installed: tuple[str, ...]) -> tuple[str, ...]:
    """Models that would label well and are not there; the preset's own one first."""
    second = catalog.preset(preset_name()).second_labeler
    named = (second, *labels.SUGGESTED[:2]) if second != LEXICON else labels.SUGGESTED[:1]
    return tuple(name for name in dict.fromkeys(named) if name not in installed)


def preset_labeler() -> str:
    """The labeler of the preset in force: the paid one where a key is set, else the second."""
    preset = catalog.preset(preset_name())
    if has_key():
        return preset.labeler or default_model()
    return preset.second_labeler


def way_of(labeler: str, installed: tuple[str, ...] = ()) -> Way | None:
    """How a labeler works by its name; None where the name does not tell."""
    if labeler == LEXICON:
        return "rules"
    if labeler in installed or labeler in labels.SUGGESTED:
        return "ollama"
    if model_family(labeler) is not None or labeler.startswith("ft:"):
        return "batch"
    return "ollama" if _TAGGED.fullmatch(labeler) else None


def shutdown_sentence(model: str) -> str:
    """When the provider takes a model away; empty if no date is known."""
    last = shutdown(model)
    return f"{model} shuts down on {last.isoformat()}." if last else ""


def labellings() -> list[Run]:
    """All labellings, newest first."""
    return runs.registry().some(KINDS)


def choice_words(spec: RowsSpec) -> str:
    """What was chosen in a labelling, in a few words."""
    if spec.limit:
        rows = f"the first {spec.limit:,} rows"
    elif spec.sample:
        rows = f"a random draw of {spec.sample:,} rows"
    elif spec.row_ids is not None:
        rows = f"{len(spec.row_ids):,} rows by id"
    else:
        rows = "all rows"
    who = spec.labeler if isinstance(spec, LabelSpec) else getattr(spec, "model", "")
    rules = " (rule-based)" if who == LEXICON else ""
    return f"{spec.dataset.label}, {rows}, {who}{rules}"


def cap(run_id: str) -> float | None:
    """The most that the run may cost, in dollars; None where nobody set a cap.

    Raises:
        BadInput: the setting is no number.
    """
    asked, text = taxonomy.job(run_id).spec.max_usd, setting(CAP).strip()
    over_cap(asked, None)
    return min([*([float(text)] if text else []), *([asked] if asked else [])], default=None)


def refusal(run_id: str, estimate: Estimate) -> str:
    """Why an estimate cannot be accepted as it is; empty if it can."""
    if estimate.dollars is None:
        return "Without a price nothing is sent."
    return over_cap(taxonomy.job(run_id).spec.max_usd, estimate.dollars)


def files_changed(run_id: str) -> bool:
    """Whether the request files of a run are not those that were confirmed: it cannot go on."""
    job = taxonomy.job(run_id)
    estimate = job.estimate()
    try:
        if estimate is not None:
            job.check_unchanged(estimate)
    except PlanChanged:
        return True
    return False


def confirmed_as(run_id: str, estimate: Estimate) -> str:
    """The other run that has a yes to exactly these requests, for the same account; or nothing."""
    job = taxonomy.job(run_id)
    try:
        account = account_for(job.spec.base_url).fingerprint
    except BackendUnavailable:
        return ""
    found = job.ledger.confirmed_run(estimate.plan_hash, account)
    return found if found and found != run_id else ""


@dataclass(frozen=True, slots=True)
class Used:
    """What an attempt really took; None where it is not known yet."""

    input_tokens: int | None
    output_tokens: int | None
    usd: float | None


def attempts(run_id: str) -> list[tuple[Estimate, Used]]:
    """Every confirmed attempt: its estimate beside what it took."""
    job = taxonomy.job(run_id)
    confirmed, parts = job.confirmed(), job.parts()
    found = []
    for estimate in job.estimates():
        if estimate.attempt not in confirmed:
            continue
        if estimate.mode == "now":
            found.append((estimate, _used_now(run_id, estimate.attempt)))
            continue
        own = [state for state in parts if state.key.attempt == estimate.attempt]
        tokens_in = _sum([state.input_tokens for state in own])
        tokens_out = _sum([state.output_tokens for state in own])
        found.append((estimate, Used(tokens_in, tokens_out, _sum([state.usd for state in own]))))
    return found


def _used_now(run_id: str, attempt: int) -> Used:
    """What a round at once took, as the manifest tells it."""
    for one in (runs.manifest(run_id) or {}).get("attempts", []):
        if one["attempt"] == attempt:
            return Used(one["input_tokens"], one["output_tokens"], one["usd"])
    return Used(None, None, None)


def _sum(numbers: Sequence[_Number | None]) -> _Number | None:
    """The sum of what is known; None if nothing is."""
    known = [number for number in numbers if number is not None]
    return sum(known[1:], known[0]) if known else None


def rounds_left(run_id: str) -> int:
    """How many more rounds of asking again there may be."""
    made = [one for one, _ in attempts(run_id) if one.reason == "repair"]
    return max(taxonomy.MOST_REPAIRS - len(made), 0)
