"""A reward model behind a server: texts are tokenised here, and what comes back is checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ivan_core.backends.openai.client import Redirected
from ivan_core.backends.reward_models.loading import (
    ENDLESS,
    check_options,
    choose_format,
    template_hash,
)
from ivan_core.backends.reward_models.tokens import NoInput, TokenRow, TokenRules, token_rows
from ivan_core.backends.served import checks, local_pass, tokenizer
from ivan_core.backends.served.address import address_of
from ivan_core.backends.served.client import Away, Busy, Server
from ivan_core.backends.served.engine import Engine, odd
from ivan_core.backends.served.probing import engine_at
from ivan_core.backends.served.rows import Row
from ivan_core.backends.served.sending import Sender
from ivan_core.backends.served.texts import text_rows
from ivan_core.domain.errors import ODD_DATA, BackendUnavailable, BadInput
from ivan_core.domain.models import InputFormat, ModelCard, Reward, ServerFacts, SystemTurns
from ivan_core.domain.transcripts import Dialogue

Read = list[Row | NoInput]
"""Texts as they go to the server."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a person wants dialogues to be put to the model."""

    input_format: InputFormat | None = None
    max_tokens: int | None = None
    system: SystemTurns = "keep"


class ServedRewardModel:
    """A model on a server that was found, and whose scores were shown to be raw."""

    def __init__(
        self, server: Server, engine: Engine, found: tokenizer.Found, rules: TokenRules
    ) -> None:
        self.card = ModelCard(id=engine.told.model)
        self._server, self._engine, self._found, self._rules = server, engine, found, rules
        self._most = engine.told.batch
        self._sender = Sender(self._ask, engine.told.at_once)
        self._logits, self._rewarded = 1, 0
        self._is_shown_raw = False
        # Read once: later ones may be read in a thread while the fixed texts are asked again.
        self._fixed = self.read(checks.PROBES)

    @property
    def _host(self) -> str:
        return self._server.host

    def read(self, dialogues: Sequence[Dialogue]) -> Read:
        """The texts as token ids, or cut to fit; may run while others are scored."""
        if self._engine.takes_text:
            return [*text_rows(dialogues, self._found.tokenizer, self._rules)]
        return [*token_rows(dialogues, self._found.tokenizer, self._rules)]

    def score_read(self, read: Read, progress: Callable[[int], None] | None = None) -> list[Reward]:
        """One reward a text that was read, same order.

        Raises:
            BackendUnavailable: the server stays away, or does not do what was asked.
        """
        report = progress or (lambda finished: None)
        rewards = {
            place: Reward(None, failure=row.reason)
            for place, row in enumerate(read)
            if isinstance(row, NoInput)
        }
        if rewards:
            report(len(rewards))
        sent = [(place, row) for place, row in enumerate(read) if not isinstance(row, NoInput)]
        came = self._sender.send([row for _, row in sent], self._most, report)
        rewards |= zip((place for place, _ in sent), came, strict=True)
        return [rewards[place] for place in range(len(read))]

    def score(
        self, dialogues: Sequence[Dialogue], progress: Callable[[int], None] | None = None
    ) -> list[Reward]:
        """One reward a dialogue, same order; a text that cannot be scored gets a failure."""
        return self.score_read(self.read(dialogues), progress)

    def tune(self, dialogues: Sequence[Dialogue], known: int | None = None) -> int:
        """The most texts of a request; 0 asks for one at a time. The server makes batches."""
        self._most = self._engine.told.batch if known is None else max(1, known)
        return self._most

    @property
    def has_copy_here(self) -> bool:
        return not isinstance(local_pass.copy_of(self._found.source, self.card), str)

    def compare(self, dialogues: Sequence[Dialogue]) -> None:
        """Look at the scores of these texts, and at those of a pass on this machine."""
        served = self.score(dialogues)
        checks.check_apart([one.value for one in served if one.value is not None], self._host)
        own = local_pass.rewards(self._found.source, self.card, dialogues)
        if isinstance(own, str):
            self._check_shown_raw(own)
            self._compared(f"not compared with a local pass: {own}")
            return
        ours, theirs = checks.in_rated_pairs(own, served)
        if not ours:
            raise BackendUnavailable(
                f"{self._host} gave no pair of texts a score where this machine does.",
                "See the server's log for what it refused.",
            )
        found = checks.agreement(ours, theirs)
        if why := checks.disagreement(found, self.card.dtype):
            raise BackendUnavailable(
                f"{self._host} gives other scores than {self._found.source} gives here "
                f"({found.words}): {why}.",
                "See how the server was started, and whether it serves this model.",
            )
        self._compared(found.words, agrees=True)

    def check_unchanged(self) -> None:
        """Ask whether server and weights are what they were when the model was loaded."""
        told = self._engine.told
        now = self._sender.patiently(lambda: engine_at(self._server)).told
        facts = self.card.server
        probes = self._probe_rewards(self._engine) if now == told else []
        if not (facts and checks.same_weights(facts.probes, probes, self.card.dtype)):
            raise _changed(self._host)

    def load(self, kept: ModelCard | None, revision: str) -> None:
        """Find out how to ask, prove that scores are raw, and complete the card.

        Raises:
            BackendUnavailable: no way of asking gives raw scores, or server or weights have changed
                since a run began that keeps `kept`, or whose card has `revision`.
        """
        self._choose_way()
        told = self._engine.told
        probes = self._probe_rewards(self._engine)
        own = told.revision or checks.measured_revision(probes)
        was = kept.server if kept else None
        if was and not checks.same_weights(was.probes, probes, told.dtype):
            raise _changed(self._host)
        if kept and was and not kept.lasts:
            own = kept.revision
        elif revision and revision != own:
            raise _changed(self._host)
        facts = ServerFacts(
            engine=told.engine,
            version=told.version,
            model=told.model,
            settings=dict(told.settings),
            probes=tuple(probes),
        )
        if was:
            facts = facts.model_copy(update={"compared": was.compared, "agrees": was.agrees})
        self.card = self.card.model_copy(
            update={
                "revision": own,
                "dtype": told.dtype,
                "device": f"{told.engine} {told.version}".strip(),
                "server": facts,
            }
        )
        if kept and was and kept.cache_identity != self.card.cache_identity:
            raise _changed(self._host)

    def _choose_way(self) -> None:
        problem: BackendUnavailable | None = None
        for engine in (self._engine, *self._engine.others):
            try:
                self._prove_raw(engine)
            except (Away, Busy, Redirected):
                raise
            except BackendUnavailable as error:
                problem = problem or error
            else:
                self._engine = engine
                return
        if problem:
            raise problem

    def _prove_raw(self, engine: Engine) -> None:
        raw = self._probe_logits(engine, activated=False)
        told, host = engine.told, self._host
        self._logits = len(raw[0])
        self._rewarded = self._found.rewarded(self._logits, told.labels)
        checks.check_apart([self._reward(one) for one in raw], host)
        if not engine.activates:
            self._is_shown_raw = checks.beyond_activation(raw)
            return
        squashed = self._probe_logits(engine, activated=True)
        if len(squashed[0]) != self._logits:
            raise odd(told)
        if not checks.is_raw(raw, squashed):
            raise BackendUnavailable(
                f"{host} puts an activation behind its scores though it was asked for none, which "
                "makes rewards of 10 or more equal.",
                "Start a newer version, or switch the activation off for the whole server.",
            )
        self._is_shown_raw = True

    def _check_shown_raw(self, why: str) -> None:
        pairs = self._rules.input_format != "chat"
        if self._is_shown_raw and not (pairs and not self._engine.activates):
            return
        raise BackendUnavailable(
            f"Whether {self._engine.told.engine} puts an activation behind this model's scores "
            f"cannot be asked, and they cannot be compared with a pass on this machine: {why}.",
            "Serve it with vLLM or text-embeddings-inference, or put the model on this machine.",
        )

    def _probe_logits(self, engine: Engine, *, activated: bool) -> list[list[float]]:
        """Of the fixed texts, each in a request of its own."""
        logits: list[list[float]] = []
        for row in self._fixed:
            if isinstance(row, NoInput):
                raise BadInput(f"A plain text cannot be put to the model: {row.reason}.")
            if isinstance(row, TokenRow) and row.types and any(row.types):
                raise BackendUnavailable(
                    f"{self._found.source} tells question and answer apart by marks that "
                    f"{engine.told.engine} takes no ids for.",
                    "Serve it with text-embeddings-inference.",
                )
            logits += self._sender.patiently(partial(self._asked, engine, [row], activated))
        if not all(math.isfinite(sum(map(abs, one))) for one in logits):
            raise BackendUnavailable(
                f"{self._host} gives no finite score for a plain text.",
                "See the server's log: weights or precision are broken.",
            )
        if len(set(map(len, logits))) > 1:
            raise odd(engine.told)
        return logits

    def _probe_rewards(self, engine: Engine) -> list[float]:
        return [self._reward(one) for one in self._probe_logits(engine, activated=False)]

    def _asked(self, engine: Engine, rows: Sequence[Row], activated: bool) -> list[list[float]]:
        path, question = engine.question(rows, activated=activated)
        answer = self._server.ask(path, question)
        try:
            return engine.logits(answer, rows)
        except ODD_DATA:
            raise odd(engine.told) from None

    def _ask(self, rows: Sequence[Row]) -> list[Reward]:
        logits = self._asked(self._engine, rows, activated=False)
        if any(len(one) != self._logits for one in logits):
            raise odd(self._engine.told)
        return [
            Reward.measured(self._reward(one), row.truncated)
            for one, row in zip(logits, rows, strict=True)
        ]

    def _reward(self, logits: list[float]) -> float:
        """The reward of one text: the only logit, or the one of two less the other."""
        if len(logits) == 1:
            return logits[0]
        return logits[self._rewarded] - logits[1 - self._rewarded]

    def _compared(self, words: str, agrees: bool = False) -> None:
        if self.card.server:
            facts = self.card.server.model_copy(update={"compared": words, "agrees": agrees})
            self.card = self.card.model_copy(update={"server": facts})


def make(
    name: str,
    asked: Asked,
    about: Callable[[str], ModelCard],
    kept: ModelCard | None = None,
    revision: str = "",
) -> ServedRewardModel:
    """The reward model at an address, found, checked and ready to score.

    `about` tells what is known of a model by its name; `kept` is the card of a run that goes on,
    `revision` the one of a run that is asked about.

    Raises:
        IvanError: the server, the model or its tokenizer cannot be had or cannot be trusted.
    """
    check_options(asked.input_format, asked.max_tokens)
    server = Server(address_of(name))
    engine = engine_at(server)
    found = tokenizer.find(server.address, engine.told)
    known = about(found.source)
    wanted = asked.input_format or known.input_format
    if engine.takes_text and wanted in (None, "chat"):
        if asked.input_format == "chat":
            raise BadInput(
                f"{engine.told.engine} puts no chat template around a text.",
                "Choose the input format last-turn, or another engine.",
            )
        wanted = "last-turn"
    chosen = choose_format(found.source, found.tokenizer, wanted)
    limit = _limit(found.tokenizer, engine, asked.max_tokens)
    rules = TokenRules(
        input_format=chosen,
        max_tokens=None if chosen == "as-published" else limit,
        positions=limit,
        vocabulary=len(found.tokenizer),
        pad_id=_NO_PADDING,
        system=asked.system,
    )
    model = ServedRewardModel(server, engine, found, rules)
    model.card = known.model_copy(
        update={
            "id": engine.told.model,
            "input_format": chosen,
            "input_format_guessed": asked.input_format is None and known.input_format is None,
            "max_tokens": rules.max_tokens,
            "system": asked.system,
            "template_hash": template_hash(found.tokenizer, chosen),
        }
    )
    model.load(kept, revision)
    return model


_NO_PADDING = -1
"""A server pads by itself, or not at all."""


def _limit(tokenizer_: Any, engine: Engine, asked: int | None) -> int | None:
    said = tokenizer_.model_max_length
    limits = (said if said < ENDLESS else None, engine.told.limit, asked)
    return min((int(limit) for limit in limits if limit), default=None)


def _changed(host: str) -> BackendUnavailable:
    return BackendUnavailable(
        f"{host} no longer serves what it served when this run began: its version, model, settings "
        "or scores of four fixed texts are others.",
        "Start a new run: scores of both in one table would not be comparable.",
    )
