"""Saying something of an item, settling, closing and backing up, by the rights of who asks.

Everyone may review. What binds others (settling, closing) or holds all of it (a backup) is for
those who are trusted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ivan_core.domain.words import number_of
from ivan_core.engine import access
from ivan_core.engine.access import Action
from ivan_core.settings import data_dir

if TYPE_CHECKING:
    from ivan_core.domain.reviews import Decision, Opinion


def verified_name() -> str:
    """The e-mail address that a login has verified; empty where names are typed.

    In a demo everyone has the same name, and each a database of their own.
    """
    visitor = access.asking()
    return access.NAMELESS if visitor.stranger else visitor.login or ""


def is_thrown_away() -> bool:
    """Whether what this visitor says is kept for themselves alone, and not for long."""
    return bool(access.asking().stranger)


def say(opinion: Opinion, reason: str = "") -> Opinion:
    """Save an opinion that was read as `opinion.version`; returns it as it stands now.

    Who is logged in says it under their verified name, whatever name it carries; a typed name is
    marked as not verified.

    Raises:
        OpinionConflict: it was saved in another window meanwhile; nothing is changed.
        BadInput: the queue is closed or for somebody else, the name is that of a verified person,
            or the answers are not to its questions.
    """
    from ivan_core.annotations.opinions import Opinions

    name = verified_name()
    verified = bool(name) and not is_thrown_away()
    mine = replace(opinion, reviewer=name or opinion.reviewer, verified=verified)
    return Opinions(data_dir()).save(mine, reason=reason)


def settle(decision: Decision) -> Decision:
    """Settle a question that was read as `decision.version`; returns the decision in force.

    Raises:
        NotAllowed: the visitor may only read and review.
        DecisionConflict: it was settled by somebody else meanwhile; nothing is changed.
        BadInput: there is no name, no such item or question, or the reason is too long.
    """
    from ivan_core.annotations.opinions import Decisions

    access.require(Action.SETTLE)
    return Decisions(data_dir()).settle(replace(decision, by=verified_name() or decision.by))


def close_queue(queue_id: int, closed: bool = True) -> None:
    """Let a queue take no more opinions, or take them again; what was said is kept.

    Raises:
        NotAllowed: the visitor may only read and review.
        BadInput: there is no such queue.
    """
    from ivan_core.annotations.queues import Queues

    access.require(Action.QUEUE)
    Queues(data_dir()).close(queue_id, closed)


def queue_lines() -> list[str]:
    """The queues with what their people have done, newest first, a line each."""
    from ivan_core.annotations.queues import Queues

    queues = Queues(data_dir())
    lines = []
    for queue in queues.all():
        items, enough, given = queues.progress(queue.id)
        facts = [
            f"{queue.task}, {queue.source}",
            f"{enough:,} of {items:,} have {queue.opinions}",
            number_of(given, "opinion"),
        ]
        facts += [f"for {queue.assigned}"] if queue.assigned else []
        facts += ["closed"] if queue.closed else []
        line = f"{queue.id:>4}  {' '.join(queue.title.split())} | {' | '.join(facts)}"
        lines.append("".join(char if char.isprintable() else "?" for char in line))
    return lines


def back_up(path: Path) -> str:
    """Write all reviews, notes and names to a new file; returns what it holds as a sentence.

    Raises:
        NotAllowed: the visitor may only read and review.
        BadInput: there is such a file already.
    """
    from ivan_core.annotations.backup import write_backup

    access.require(Action.BACKUP)
    return f"Wrote {write_backup(data_dir(), path.absolute()).words} to {path}."


def backup_bytes() -> bytes:
    """All reviews, notes and names as the content of a backup file. Raises NotAllowed."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "reviews.zip"
        back_up(path)
        return path.read_bytes()


def restore(path: Path) -> str:
    """Put what a backup holds into this data folder's or team's empty database.

    Raises:
        NotAllowed: the visitor may only read and review.
        BadInput: the file is no backup, is damaged or of a newer IVAN, or the database holds
            reviews already.
    """
    from ivan_core.annotations.backup import restore_backup
    from ivan_core.annotations.database import ReviewDatabase

    access.require(Action.RESTORE)
    found = restore_backup(data_dir(), path.absolute())
    return f"Restored {found.words} into {ReviewDatabase(data_dir()).where}."
