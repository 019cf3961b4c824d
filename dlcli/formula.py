"""Formulas over columns, as a config writes them: an own small grammar, of which nothing is ever run as code.

    formula = or;  or = and {"or" and};  and = not {"and" not};  not = "not" not | comparison
    comparison = sum {("==" | "!=" | "<" | "<=" | ">" | ">=") sum}        1 < x < 3 is 1 < x and x < 3
    sum = product {("+" | "-") product};  product = sign {("*" | "/") sign}
    sign = ("-" | "+") sign | power;  power = atom ["**" sign]
    atom = number | 'text' | nan | column | `odd column` | function "(" or {"," or} ")" | "(" or ")"

A gap (a missing or infinite number, a missing text) makes what is computed of it a gap. It differs from every value,
so that `!=` holds and every other comparison does not; `x == nan` asks for it. Texts can only be compared: with
`==` and `!=`, and, where they are ISO dates, with `<` and its kin. A comparison counts as 1 or 0 among numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Any, Literal, Protocol

Use = Literal["number", "text", "time", "gap"]
"""What a formula wants of a column: numbers, texts, an order in time, or only whether there is a value."""

MOST_TOKENS = 500
DEEPEST = 40
"""How far brackets and signs may be nested."""

_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "true_divide", "**": "power"}
_COMPARISONS = {
    "==": "equal", "!=": "not_equal", "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal",
}  # fmt: skip
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_FUNCTIONS = {"log": 1, "exp": 1, "sqrt": 1, "abs": 1, "min": 2, "max": 2, "where": 3}
"""Functions and how many arguments they take; `min` and `max` take more as well."""
_WORDS = ("and", "or", "not", "nan")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)|`(?P<odd>[^`]+)`"
    r"|'(?P<text>(?:[^']|'')*)'|(?P<sign>\*\*|==|!=|<=|>=|[-+*/(),<>]))"
)
_HINTS = {
    "=": "write == to compare", "&": "write and", "|": "write or", "!": "write not, or != to compare",
    '"': "write texts in single quotes", "^": "write ** for powers", "%": "there is no remainder",
    "'": "a text in single quotes has no end", "`": "a name in backquotes has no end", ".": "",
    "[": "write names as they are, odd ones in `backquotes`",
}  # fmt: skip


class FormulaError(ValueError):
    """A formula that cannot be read; the message says where and why."""


class Columns(Protocol):
    """The columns of some rows, as a formula reads them; all arrays have the same shape."""

    def number(self, name: str) -> Any:
        """Float64, NaN for a gap; a time in seconds since 1970, UTC."""

    def text(self, name: str) -> Any:
        """Texts, "" for a gap."""

    def time(self, name: str) -> Any:
        """Float64: seconds since 1970, UTC, NaN for a gap."""

    def gap(self, name: str) -> Any:
        """Whether there is no value."""

    def is_time(self, name: str) -> bool:
        """Whether the column holds times."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of a formula. `sort`: what it gives."""

    sort: Literal["number", "condition", "text"]
    what: str
    parts: tuple[_Node, ...] = ()
    value: Any = None


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that has been read.

    Attributes:
        text: as written.
        uses: what it wants of each column, in the order in which the columns are named.
        is_condition: whether it gives true or false rather than a number.
        texts: for each column, the texts that it is compared with.
    """

    text: str
    uses: dict[str, frozenset[Use]]
    is_condition: bool
    texts: dict[str, tuple[str, ...]]
    _tree: _Node

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return tuple(self.uses)

    def evaluate(self, columns: Columns, operations: Any) -> Any:
        """The formula on some rows.

        Args:
            columns: of these rows.
            operations: `numpy`, or `keras.ops` for tensors, also symbolic ones.

        Returns:
            bool if it is a condition, else float64, NaN for a gap and for what is not finite.
        """
        result = _value(self._tree, columns, operations)
        return result if self.is_condition else _finite(result, operations)


def parse(text: str) -> Formula:
    """Reads a formula.

    Raises:
        FormulaError: it cannot be read.
    """
    tree = _Reader(text).read()
    if tree.sort == "text":
        message = "a formula must give a number, or true or false; a text can only be compared"
        raise FormulaError(message)
    uses: dict[str, set[Use]] = {}
    texts: dict[str, list[str]] = {}
    for name, use, compared in _uses(tree):
        uses.setdefault(name, set()).add(use)
        texts.setdefault(name, []).extend(compared)
    return Formula(
        text,
        {name: frozenset(found) for name, found in uses.items()},
        tree.sort == "condition",
        {name: tuple(found) for name, found in texts.items()},
        tree,
    )


def seconds(text: str) -> float | None:
    """An ISO date, with a time of day if any, as seconds since 1970, UTC; None if it is none."""
    try:
        moment = datetime.fromisoformat(f"{text}-01" if re.fullmatch(r"\d{4}-\d{2}", text) else text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


class _Reader:
    """Descends from the loosest operator to the tightest one; each method reads one line of the grammar."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens, self._next, self._depth = text, list(_tokens(text)), 0, 0

    def read(self) -> _Node:
        """The whole formula."""
        if not self._tokens:
            message = "a formula must not be empty"
            raise FormulaError(message)
        if len(self._tokens) > MOST_TOKENS:
            message = f"a formula may have {MOST_TOKENS} words and signs, this one has {len(self._tokens):,}"
            raise FormulaError(message)
        tree = self._or()
        if self._next < len(self._tokens):
            raise self._unexpected("an operator")
        return tree

    def _or(self) -> _Node:
        return self._joined("or", self._and)

    def _and(self) -> _Node:
        return self._joined("and", self._not)

    def _joined(self, word: str, operand: Callable[[], _Node]) -> _Node:
        left = operand()
        while self._take("name", word):
            left = _Node("condition", word, (self._condition(left, word), self._condition(operand(), word)))
        return left

    def _not(self) -> _Node:
        if not self._take("name", "not"):
            return self._comparison()
        with _Nested(self):
            return _Node("condition", "not", (self._condition(self._not(), "not"),))

    def _comparison(self) -> _Node:
        left, found = self._sum(), list[_Node]()
        while sign := self._take("sign", *_COMPARISONS):
            right = self._sum()
            found.append(_compared(sign, left, right))
            left = right
        return reduce(lambda one, other: _Node("condition", "and", (one, other)), found) if found else left

    def _sum(self) -> _Node:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> _Node:
        return self._chain(("*", "/"), self._sign)

    def _chain(self, signs: tuple[str, ...], operand: Callable[[], _Node]) -> _Node:
        left = operand()
        while sign := self._take("sign", *signs):
            left = _Node("number", _ARITHMETIC[sign], (_number(left, sign), _number(operand(), sign)))
        return left

    def _sign(self) -> _Node:
        sign = self._take("sign", "-", "+")
        if not sign:
            return self._power()
        with _Nested(self):
            part = _number(self._sign(), sign)
        return _Node("number", "negative", (part,)) if sign == "-" else part

    def _power(self) -> _Node:
        left = self._atom()
        if not self._take("sign", "**"):
            return left
        with _Nested(self):
            return _Node("number", "power", (_number(left, "**"), _number(self._sign(), "**")))

    def _atom(self) -> _Node:
        if self._next >= len(self._tokens):
            raise self._unexpected("a number or a column")
        token = self._tokens[self._next]
        self._next += 1
        if token.kind == "number":
            return _Node("number", "constant", value=float(token.text))
        if token.kind == "text":
            return _Node("text", "constant", value=token.text.replace("''", "'"))
        if token.kind == "odd":
            return _Node("number", "column", value=token.text)
        if token.text == "(":
            with _Nested(self):
                inside = self._or()
                self._close()
            return inside
        if token.kind == "name" and token.text == "nan":
            return _Node("number", "nan")
        if token.kind == "name" and token.text not in _WORDS:
            return self._call(token) if self._take("sign", "(") else _Node("number", "column", value=token.text)
        self._next -= 1
        raise self._unexpected("a number or a column")

    def _call(self, name: _Token) -> _Node:
        if name.text not in _FUNCTIONS:
            message = f"there is no function {name.text}; there are {', '.join(_FUNCTIONS)}"
            raise FormulaError(message)
        with _Nested(self):
            arguments = [self._or()]
            while self._take("sign", ","):
                arguments.append(self._or())
            self._close()
        wanted, more = _FUNCTIONS[name.text], name.text in ("min", "max")
        if len(arguments) != wanted and not (more and len(arguments) > wanted):
            least = "at least " if more else ""
            message = f"{name.text} takes {least}{wanted} argument{'s' * (wanted > 1)}, got {len(arguments)}"
            raise FormulaError(message)
        if name.text == "where":
            first = self._condition(arguments[0], "where")
            return _Node("number", "where", (first, *(_number(part, "where") for part in arguments[1:])))
        return _Node("number", name.text, tuple(_number(part, name.text) for part in arguments))

    def _condition(self, node: _Node, word: str) -> _Node:
        if node.sort != "condition":
            message = f"{word} takes comparisons, such as Age > 30 or Survived == 1"
            raise FormulaError(message)
        return node

    def _take(self, kind: str, *texts: str) -> str:
        """The next token if it is one of these; else an empty text."""
        if self._next < len(self._tokens):
            token = self._tokens[self._next]
            if token.kind == kind and token.text in texts:
                self._next += 1
                return token.text
        return ""

    def _close(self) -> None:
        if not self._take("sign", ")"):
            raise self._unexpected("a closing bracket")

    def _unexpected(self, wanted: str) -> FormulaError:
        if self._next >= len(self._tokens):
            return FormulaError(f"{wanted} must follow at the end of the formula")
        token = self._tokens[self._next]
        return FormulaError(f"{wanted} must stand at character {token.place + 1} of the formula, not {token.text}")

    def nest(self, change: int) -> None:
        """Goes one bracket in or out."""
        self._depth += change
        if self._depth > DEEPEST:
            message = f"a formula may nest {DEEPEST} brackets and signs at most"
            raise FormulaError(message)


class _Nested:
    def __init__(self, reader: _Reader) -> None:
        self._reader = reader

    def __enter__(self) -> None:
        self._reader.nest(1)

    def __exit__(self, *_: object) -> None:
        self._reader.nest(-1)


def _tokens(text: str) -> Iterator[_Token]:
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            hint = _HINTS.get(text[start], "")
            message = f"the formula has {text[start]} at character {start + 1}" + (f": {hint}" if hint else "")
            raise FormulaError(message)
        yield _Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup))
        place = found.end()


def _number(node: _Node, sign: str) -> _Node:
    """The node where a number is needed; a condition counts as 1 or 0."""
    if node.sort == "text":
        message = f"{sign} takes numbers, got the text '{node.value}'"
        raise FormulaError(message)
    return node


def _compared(sign: str, left: _Node, right: _Node) -> _Node:
    """A comparison, a text on its right side."""
    if left.sort == "text" or left.what == "nan":
        left, right, sign = right, left, _MIRRORED.get(sign, sign)
    if right.what == "nan":
        if sign not in ("==", "!="):
            message = f"nothing is {sign} nan; write x == nan for what is missing, x != nan for what is not"
            raise FormulaError(message)
        return _Node("condition", "is_gap" if sign == "==" else "is_value", (left,))
    if right.sort != "text":
        return _Node("condition", _COMPARISONS[sign], (left, right))
    if left.what != "column":
        message = f"only a column can be compared with a text, here '{right.value}'"
        raise FormulaError(message)
    if sign in _MIRRORED and seconds(right.value) is None:
        message = f"only ISO dates have an order among texts, '{right.value}' is none; numbers have no quotes"
        raise FormulaError(message)
    return _Node("condition", "text" if sign in ("==", "!=") else "time", (left,), (sign, right.value))


def _uses(node: _Node) -> Iterator[tuple[str, Use, tuple[str, ...]]]:
    """Each mention of a column, how it is used, and the text that it is compared with, if any."""
    (first, *_) = node.parts or (None,)
    if node.what == "column":
        yield node.value, "number", ()
    elif node.what in ("text", "time") and first is not None:
        yield first.value, "text" if node.what == "text" else "time", (node.value[1],)
    elif node.what in ("is_gap", "is_value") and first is not None and first.what == "column":
        yield first.value, "gap", ()
    else:
        for part in node.parts:
            yield from _uses(part)


def _value(node: _Node, columns: Columns, operations: Any) -> Any:
    """What a node gives: bool for a condition, else float64."""
    import numpy as np

    if node.what in ("constant", "nan"):
        return np.array([np.nan if node.what == "nan" else node.value])
    if node.what == "column":
        return columns.number(node.value)
    if node.what in ("text", "time"):
        return _text_comparison(node, columns, operations)
    if node.what in ("is_gap", "is_value"):
        (part,) = node.parts
        gaps = (
            columns.gap(part.value)
            if part.what == "column"
            else operations.isnan(_finite(_numbers(part, columns, operations), operations))
        )
        return gaps if node.what == "is_gap" else operations.logical_not(gaps)
    if node.what in ("and", "or", "not"):
        return getattr(operations, f"logical_{node.what}")(*(_value(part, columns, operations) for part in node.parts))
    return _computed(node, columns, operations)


def _computed(node: _Node, columns: Columns, operations: Any) -> Any:
    import numpy as np

    if node.what == "where":
        condition = _value(node.parts[0], columns, operations)
        return operations.where(condition, *(_numbers(part, columns, operations) for part in node.parts[1:]))
    arguments = [_numbers(part, columns, operations) for part in node.parts]
    if all(isinstance(argument, np.ndarray) for argument in arguments):
        with np.errstate(all="ignore"):  # what is not finite becomes a gap in the end
            return _applied(node, arguments, np)  # tensors would make float32 of constants among each other
    return _applied(node, arguments, operations)


def _applied(node: _Node, arguments: list[Any], operations: Any) -> Any:
    if node.what in ("min", "max"):
        smaller = operations.minimum if node.what == "min" else operations.maximum
        return reduce(lambda one, other: _or_gap(smaller(one, other), one, other, operations), arguments)
    return getattr(operations, "absolute" if node.what == "abs" else node.what)(*arguments)


def _or_gap(result: Any, one: Any, other: Any, operations: Any) -> Any:
    """The result, or a gap where one of two numbers is a gap: libraries differ in what `minimum` makes of it."""
    import numpy as np

    return operations.where(
        operations.logical_or(operations.isnan(one), operations.isnan(other)), np.array([np.nan]), result
    )


def _numbers(node: _Node, columns: Columns, operations: Any) -> Any:
    import numpy as np

    value = _value(node, columns, operations)
    return operations.where(value, np.array([1.0]), np.array([0.0])) if node.sort == "condition" else value


def _text_comparison(node: _Node, columns: Columns, operations: Any) -> Any:
    import numpy as np

    sign, text = node.value
    name = node.parts[0].value
    compare = getattr(operations, _COMPARISONS[sign])
    if node.what == "time" or columns.is_time(name):
        moment = seconds(text)
        return compare(columns.time(name), np.array([np.nan if moment is None else moment]))
    return compare(columns.text(name), text)


def _finite(numbers: Any, operations: Any) -> Any:
    """The numbers, NaN where they are infinite."""
    import numpy as np

    return operations.where(operations.isfinite(numbers), numbers, np.array([np.nan]))
