"""Labels of original and reworded texts that a paid model gave before, in whichever run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ivan_core.domain.labels import Labeler, LabelPrompt
from ivan_core.domain.models import AnswererCard, ModelReply
from ivan_core.labels.reconcile import USABLE
from ivan_core.labels.request_files import body_bytes
from ivan_core.labels.validate import read_reply
from ivan_core.ledger.answers import Answer, Answers, body_key, owner_of

if TYPE_CHECKING:
    from ivan_core.backends.openai.client import Account


def answer_key(
    account: str, demo: bool, prompt: LabelPrompt, body: Mapping[str, object], again: bool
) -> bytes:
    """What the answer to a request is found by.

    Labels that are given a second time, to see how far a labeler agrees with itself, are apart from
    the first: one answer used twice would agree with itself always.
    """
    owner = owner_of(account, demo) + (" a second time" if again else "")
    return body_key(owner, hashlib.sha256(body_bytes(prompt.key, body)).digest())


def reused_words(runs: Mapping[str, int]) -> str:
    """How many answers other runs had paid for; empty if none. `runs` counts them by run."""
    count = sum(runs.values())
    if not count:
        return ""
    where = f"run {next(iter(runs))}" if len(runs) == 1 else f"{len(runs):,} earlier runs"
    verb = "answer is" if count == 1 else "answers are"
    return f"{count:,} {verb} from {where}, not asked for again."


class ReusingLabeler:
    """A paid labeler that asks for nothing it has an answer to, and keeps each that it gets.

    With `all_again` everything is asked; `again` is the round that labels a second time.
    """

    def __init__(
        self,
        labeler: Labeler,
        account: Account,
        answers: Answers,
        run_id: str,
        *,
        again: bool = False,
        all_again: bool = False,
    ) -> None:
        from ivan_core.backends.openai.client import is_demo

        self._labeler, self._answers, self._run = labeler, answers, run_id
        self._account, self._demo = account.fingerprint, is_demo(account.base_url)
        self._again, self._all = again, all_again

    @property
    def card(self) -> AnswererCard:
        return self._labeler.card

    def label(self, prompt: LabelPrompt) -> ModelReply:
        """The answer that is here, or a new one; raises as the labeler does."""
        from ivan_core.backends.openai.chat import label_body

        body = label_body(prompt, self.card.id)
        key = answer_key(self._account, self._demo, prompt, body, self._again)
        found = None if self._all else self._answers.find([key]).get(key)
        if found is not None:
            other = "" if found.run == self._run else found.run
            return ModelReply(found.said, finish=found.finish, demo=self._demo, reused=other)
        reply = self._labeler.label(prompt)
        if reply.demo is self._demo and read_reply(reply, prompt.keys).status in USABLE:
            text = prompt.key.custom_id
            kept = Answer(self._run, text, self.card.id, reply.text, reply.finish)
            self._answers.keep([(key, kept)])
        return reply
