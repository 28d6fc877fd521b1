"""Small expressions over a text, such as `count(reply, "sorry") / words(reply)`.

Parsed by Python's own parser, then only what is listed here is turned into functions: nothing is
ever evaluated as code. Types are checked before anything runs.

Regular expressions are refused where they are dangerous, and given up where they take too long.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ivan_core.domain.errors import BadInput

_DEEPEST = 40
_HINT = (
    'Such as len(reply) > 200. It may hold numbers, "texts", + - * /, < <= > >= == !=, in, and, '
    'or, not; len(x), words(x), lower(x), count(x, "s"), has(x, "s"); x is reply, prompt or text.'
)


class Sides(NamedTuple):
    """What an expression may read of one side: its last reply, what comes before it, all of it.

    Reply and prompt are None where the side has no reply.
    """

    reply: str | None
    prompt: str | None
    text: str


Kind = Literal["number", "text", "truth"]
Value = Callable[[Sides], Any]


@dataclass(frozen=True, slots=True)
class _Typed:
    kind: Kind
    value: Value


class NoValue(Exception):
    """The expression has no value for this text: no reply, or a division by zero."""


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_OF_TEXT: dict[str, tuple[Kind, Callable[[str], Any]]] = {
    "len": ("number", lambda text: float(len(text))),
    "words": ("number", lambda text: float(len(text.split()))),
    "lower": ("text", str.lower),
}
_OF_TWO: dict[str, tuple[Kind, Callable[[str, str], Any]]] = {
    "count": ("number", lambda text, part: float(text.count(part))),
    "has": ("truth", lambda text, part: part in text),
}


def compile_expression(source: str) -> Callable[[Sides], float | None]:
    """The expression as a function from a side to a number (truth is 1 or 0); None is no value.

    Raises:
        BadInput: it is not an expression of the listed parts, or gives a text.
    """
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except SyntaxError as error:
        at = f" at character {error.offset}" if error.offset else ""
        raise BadInput(f"This is not an expression{at}: {error.msg}.", _HINT) from None
    except (ValueError, RecursionError, MemoryError):
        raise BadInput("This is not an expression.", _HINT) from None
    typed = _typed(tree.body, 0)
    if typed.kind == "text":
        raise BadInput(
            "The expression gives a text; a column holds numbers.",
            'Put it into len(…), words(…), count(…, "s") or has(…, "s").',
        )
    value = typed.value

    def evaluate(sides: Sides) -> float | None:
        try:
            number = float(value(sides))
        except (NoValue, ZeroDivisionError):
            return None
        return number if math.isfinite(number) else None

    return evaluate


def _typed(node: ast.expr, depth: int) -> _Typed:
    if depth > _DEEPEST:
        raise BadInput("The expression is nested too deeply.", "Make it shorter.")
    below = depth + 1
    match node:
        case ast.Constant():
            return _constant(node.value)
        case ast.Name():
            return _name(node.id)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign):
            operand = _of_kind(node.operand, "number", below)
            if isinstance(sign, ast.UAdd):
                return _Typed("number", operand)
            return _Typed("number", lambda sides: -operand(sides))
        case ast.UnaryOp(op=ast.Not()):
            operand = _of_kind(node.operand, "truth", below)
            return _Typed("truth", lambda sides: not operand(sides))
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
            compute = _ARITHMETIC[type(op)]
            left = _of_kind(node.left, "number", below)
            right = _of_kind(node.right, "number", below)
            return _Typed("number", lambda sides: compute(left(sides), right(sides)))
        case ast.BoolOp():
            return _logic(node, below)
        case ast.Compare():
            return _comparison(node, below)
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return _call(name, node.args, below)
    raise BadInput(f"“{_source(node)}” is not among what an expression may hold.", _HINT)


def _constant(value: object) -> _Typed:
    if isinstance(value, bool):
        return _Typed("truth", lambda _: value)
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isinf(number):
            raise BadInput("A number in the expression is too large.", _HINT)
        return _Typed("number", lambda _: number)
    if isinstance(value, str):
        return _Typed("text", lambda _: value)
    raise BadInput(f"{str(value)[:40]} is neither a number nor a text.", _HINT)


def _name(name: str) -> _Typed:
    if name not in Sides._fields:
        raise BadInput(f"There is nothing called {name[:40]}.", _HINT)
    place = Sides._fields.index(name)

    def value(sides: Sides) -> str:
        found = sides[place]
        if found is None:
            raise NoValue
        return found

    return _Typed("text", value)


def _logic(node: ast.BoolOp, depth: int) -> _Typed:
    parts = [_of_kind(part, "truth", depth) for part in node.values]
    if isinstance(node.op, ast.And):
        return _Typed("truth", lambda sides: all(part(sides) for part in parts))
    return _Typed("truth", lambda sides: any(part(sides) for part in parts))


def _comparison(node: ast.Compare, depth: int) -> _Typed:
    operands = [_typed(operand, depth) for operand in (node.left, *node.comparators)]
    steps: list[tuple[Value, Callable[[Any, Any], bool], Value]] = []
    compare: Callable[[Any, Any], bool]
    for left, op, right in zip(operands, node.ops, operands[1:], strict=False):
        if isinstance(op, ast.In | ast.NotIn):
            if (left.kind, right.kind) != ("text", "text"):
                raise BadInput("`in` stands between two texts.", 'Such as "sorry" in reply.')
            compare = _is_in if isinstance(op, ast.In) else _is_not_in
        elif type(op) not in _COMPARISONS:
            raise BadInput(f"“{_source(node)}” is not among what an expression may hold.", _HINT)
        elif left.kind != right.kind:
            raise BadInput(
                f"A {left.kind} cannot be compared with a {right.kind}: “{_source(node)}”.", _HINT
            )
        else:
            compare = _COMPARISONS[type(op)]
        steps.append((left.value, compare, right.value))
    return _Typed("truth", lambda sides: all(test(a(sides), b(sides)) for a, test, b in steps))


def _is_in(part: str, text: str) -> bool:
    return part in text


def _is_not_in(part: str, text: str) -> bool:
    return part not in text


def _call(name: str, arguments: list[ast.expr], depth: int) -> _Typed:
    if name in _OF_TEXT and len(arguments) == 1:
        kind, of_text = _OF_TEXT[name]
        text = _of_kind(arguments[0], "text", depth)
        return _Typed(kind, lambda sides: of_text(text(sides)))
    if name in _OF_TWO and len(arguments) == 2:
        kind, of_two = _OF_TWO[name]
        text, part = (_of_kind(argument, "text", depth) for argument in arguments)
        if isinstance(arguments[1], ast.Constant) and not arguments[1].value:
            raise BadInput(f"{name}() needs something to look for.", _HINT)
        return _Typed(kind, lambda sides: of_two(text(sides), part(sides)))
    if name in _OF_TEXT or name in _OF_TWO:
        needs = "one argument" if name in _OF_TEXT else "two arguments"
        raise BadInput(f"{name}() takes {needs}.", _HINT)
    raise BadInput(f"There is no function called {name[:40]}.", _HINT)


def _of_kind(node: ast.expr, kind: Kind, depth: int) -> Value:
    typed = _typed(node, depth)
    if typed.kind != kind:
        raise BadInput(f"“{_source(node)}” is a {typed.kind} where a {kind} is needed.", _HINT)
    return typed.value


def _source(node: ast.expr) -> str:
    """The part of the expression that a problem is about, cut short."""
    try:
        text = ast.unparse(node)
    except RecursionError:
        return "…"
    return f"{text[:40]}…" if len(text) > 40 else text


MOST_REPEATS = 10_000
"""Counted repeats multiply where they are nested, and the compiled expression grows with them."""
_COUNTED = re.compile(r"\{\s*(\d*)\s*(?:,\s*(\d*)\s*)?\}")
_RECURSIVE = re.compile(r"\(\?(?:R|[+-]?\d|&|P>)")


class TooSlow(Exception):
    """The regular expression did not come to an end on a text."""


def compile_pattern(pattern: str) -> Callable[[str, float], int]:
    """The regular expression as a function from a text and a time in seconds to its matches.

    The function raises TooSlow when the time is over.

    Raises:
        BadInput: it is not a regular expression, or one that needs endless memory.
    """
    import regex

    repeats = math.prod(
        max(1, *(int(number) for number in numbers if number))
        for numbers in _COUNTED.findall(pattern)
        if any(numbers)
    )
    if repeats > MOST_REPEATS:
        raise BadInput(
            f"The repeats in this regular expression multiply to more than {MOST_REPEATS:,}.",
            "Write smaller counts in braces, or use + and *.",
        )
    if _RECURSIVE.search(pattern):
        raise BadInput(
            "This regular expression calls itself, which may need endless memory.",
            "Write it without (?R), (?1) and (?&name).",
        )
    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        at = f" at character {error.pos + 1}" if error.pos is not None else ""
        raise BadInput(
            f"This is not a regular expression{at}: {error.msg}.",
            "To find characters such as ( [ . * + ? as they stand, put a backslash before them.",
        ) from None
    except (RecursionError, MemoryError, OverflowError):
        raise BadInput("This regular expression is too large.", "Make it shorter.") from None

    def matches(text: str, seconds: float) -> int:
        try:
            return sum(1 for _ in compiled.finditer(text, timeout=seconds))
        except TimeoutError:
            raise TooSlow from None

    return matches
