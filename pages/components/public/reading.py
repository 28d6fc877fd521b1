"""What a demo offers: to read. What would only be refused is not drawn, and a form that may be
looked at has a sentence in place of its button.
"""

from __future__ import annotations

from ivan_core.engine import access
from pages.components.kit.text import say


def only_reads() -> bool:
    """Whether who looks at this page is a stranger in a demo, for whom nothing is done."""
    return bool(access.asking().stranger)


def may_ask() -> bool:
    """Whether questions to a model are offered."""
    return not only_reads() or access.strangers_may_ask()


def told_instead() -> bool:
    """In a demo, say in place of a button how it is done at home; whether this was said."""
    if only_reads():
        say(access.ONLY_READ, quiet=True)
        return True
    return False
