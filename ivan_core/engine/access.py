"""Who may do what: the local user all, listed owners all, everyone else reads and reviews.

In a demo for strangers (`ivan app --public`) nobody is an owner, and everyone only reads; what they
say of a pair is kept for themselves alone. Checked here, where things are done, and not by pages
that hide their buttons.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ivan_core.annotations import apart
from ivan_core.backends.served.address import is_address
from ivan_core.domain.errors import IvanError
from ivan_core.runs import storage
from ivan_core.settings import data_dir, is_on, setting

OWNERS = "IVAN_OWNERS"
PATHS = "IVAN_DATA_PATHS"
TOKEN = "IVAN_TOKEN"
QUESTIONS = "IVAN_PUBLIC_QUESTIONS"
MOST_TEXTS = 80
MOST_CHARACTERS = 60_000
"""Of one question that a stranger puts to a model: a few seconds of a small one."""
_HINT = (
    "Come in through an SSH tunnel to the machine IVAN runs on, or log in; the handbook tells how."
)


_LINK = "Open the link that this server printed in its terminal, in this browser."
_AT_HOME = "Install IVAN on a machine of your own, and do it there: the handbook tells how."
ONLY_READ = (
    "Here things are only read. To do this yourself, get IVAN from github.com/harvard-lil/IVAN and "
    "type “make app”."
)
"""What stands in a demo in place of a button."""


def token_asked_for() -> bool:
    """Whether only those are owners who show the token that the server made (`IVAN_TOKEN`)."""
    return is_on(TOKEN)


def keep_private() -> None:
    """From now on what this process writes is for its user alone, the data folder too."""
    storage.keep_private(data_dir())


class Action(StrEnum):
    """What costs, destroys or reaches out, as the beginning of the sentence that refuses it."""

    READ = "Reading a dataset"
    START = "Starting a run"
    RESUME = "Resuming a run"
    CANCEL = "Cancelling a run"
    RENAME = "Renaming a run"
    STAR = "Starring a run"
    DELETE = "Deleting a run"
    IMPORT = "Importing a run"
    CLEAR = "Clearing the cache"
    PULL = "Pulling a model"
    SPEND = "Deciding on a cost"
    ADDRESS = "Naming the address of a server"
    QUEUE = "Making or closing a queue of reviews"
    SETTLE = "Settling a difference between reviewers"
    SHEET = "Importing a sheet of reviews"
    BACKUP = "Taking a copy of all reviews"
    RESTORE = "Restoring reviews"
    SEARCH = "Searching all texts"
    ASK = "Asking a model"
    WORDS = "Scoring a list of words"
    PUBLISH = "Publishing to the hub"


class NotAllowed(IvanError):
    """The visitor may read and review, but not do this."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: a person at this machine, or one from elsewhere with or without a login.

    `login` is an e-mail address that a login has verified; None where there is none. `unproven` is
    a person at this machine who has not shown the token that the server asks for. `stranger` tells
    visitors of a demo apart, this machine's user too; empty elsewhere.
    """

    local: bool
    login: str | None = None
    unproven: bool = False
    stranger: str = ""

    @property
    def trusted(self) -> bool:
        """Whether they may do all."""
        if self.stranger:
            return False
        return self.local or (self.login is not None and _folded(self.login) in _owners())


LOCAL = Visitor(local=True)
NAMELESS = "Visitor"
"""What everyone is called in a demo, where no names are asked for."""


def _local() -> Visitor:
    return LOCAL


_provider: Callable[[], Visitor] = _local


def set_provider(provider: Callable[[], Visitor]) -> None:
    """Say how to find out who asks; called at the time of each action.

    Without one it is the local user: the command line, the worker.
    """
    global _provider
    _provider = provider


def asking() -> Visitor:
    """Who asks now."""
    return _provider()


apart.set_asking(lambda: _provider().stranger)


def require(action: Action) -> None:
    """Refuse an action to those who may only read and review.

    Raises:
        NotAllowed: the visitor is neither local nor a listed owner.
    """
    visitor = _provider()
    if visitor.trusted:
        return
    if visitor.stranger:
        raise NotAllowed(f"{action} is not part of this demo, which is only to be read.", _AT_HOME)
    if visitor.unproven:
        raise NotAllowed(f"{action} is for the owner of this server.", _LINK)
    raise NotAllowed(
        f"{action} from another machine needs a login that is listed in {OWNERS}.", _HINT
    )


def require_no_stranger(action: Action) -> None:
    """Refuse in a demo what all who reach a server may do elsewhere.

    Raises:
        NotAllowed: a stranger asks.
    """
    if _provider().stranger:
        require(action)


def strangers_may_ask() -> bool:
    """Whether those who look at a demo may put small questions to its models."""
    return is_on(QUESTIONS)


def require_bounded(texts: int, characters: int) -> None:
    """Refuse a question to a model that strangers may not put: all of them, unless it is allowed.

    With `IVAN_PUBLIC_QUESTIONS` they may put small ones to the models of a demo's runs.

    Raises:
        NotAllowed: a stranger asks, and it is not allowed or not small.
    """
    if not _provider().stranger:
        return
    if not strangers_may_ask():
        require(Action.ASK)
    if texts > MOST_TEXTS or characters > MOST_CHARACTERS:
        raise NotAllowed(
            f"This demo puts at most {MOST_TEXTS} texts of {MOST_CHARACTERS:,} characters in all "
            "to a model.",
            "Try it on something shorter.",
        )


def check_path(path: Path) -> None:
    """Refuse a path that leads outside of the data folder and the listed directories.

    It is followed through links and `..` first; whether there is such a file is not told.

    Raises:
        NotAllowed: it leads outside, and the visitor is neither local nor a listed owner; or it is
            named in a demo.
    """
    visitor = _provider()
    if visitor.stranger:
        raise NotAllowed("This demo reads only what it was started with.", _AT_HOME)
    if not visitor.trusted and not _is_inside(path):
        whence = "Without the link of this server" if visitor.unproven else "From another machine"
        raise NotAllowed(
            f"{whence} only the datasets and models that IVAN knows here can be named, "
            f"and files in the data folder or in directories that {PATHS} lists.",
            _LINK if visitor.unproven else _HINT,
        )


def check_name(name: str, known: Callable[[], Iterable[str]]) -> None:
    """Refuse a typed dataset or model that is neither known here nor a file that may be read.

    The address of a server is an owner's to name.

    To those who may only read, every other name is a path, so that nothing tells them which files
    there are.

    Raises:
        NotAllowed: as `check_path`.
    """
    if is_address(name):
        check_address(name)
    elif not _provider().trusted and name not in known():
        check_path(Path(name))


def check_address(address: str) -> None:
    """Refuse a typed base URL; an empty one stands for the environment's own.

    Raises:
        NotAllowed: the visitor is neither local nor a listed owner.
    """
    if address.strip():
        require(Action.ADDRESS)


def _is_inside(path: Path) -> bool:
    try:
        whole = path.expanduser().resolve()
        folders = [folder.expanduser().resolve() for folder in (data_dir(), *_listed())]
    except (OSError, RuntimeError, ValueError):  # a loop of links, nobody's home, a null byte
        return False
    return any(whole.is_relative_to(folder) for folder in folders)


def _listed() -> list[Path]:
    """The directories of `IVAN_DATA_PATHS`; those that are not whole paths count for nothing."""
    named = [name.strip() for name in setting(PATHS).split(os.pathsep)]
    return [Path(name) for name in named if name.startswith(("/", "~"))]


def _owners() -> set[str]:
    return {_folded(name) for name in setting(OWNERS).split(",")} - {""}


def _folded(login: str) -> str:
    return login.strip().casefold()
