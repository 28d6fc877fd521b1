"""One error family: what happened, and what to do about it."""

from __future__ import annotations


class IvanError(Exception):
    """Something a person can act on: a sentence that says what happened, a hint what to do.

    Raised where the cause is known, shown in one place: the page frame or the command line.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BadInput(IvanError):
    """What was asked for cannot be read or makes no sense: a file, an option, a row id."""


class BackendUnavailable(IvanError):
    """A model, hub or server that the work needs cannot be reached or cannot be used here."""


class StorageProblem(IvanError):
    """The data folder cannot be written: no space, no permission."""


ODD_DATA = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What code raises over data from outside that has not the shape it must have.

JSON that is none is a ValueError, as is a number of 5,000 digits; nested too deep, it is a
RecursionError.
"""
