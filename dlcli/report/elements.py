"""What sections are made of: numbers with their full value, tables, remarks, folded parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dlcli.numbers import number
from dlcli.report.markup import Child, Html, join, tag

FEW = 30
"""Below this count an interval rests on few rows, and a reader is told so."""
NONE = "\u2013"
"""What stands where there is no number."""

Kind = Literal["good", "bad", "warning", "note"]
_SIGNS: dict[Kind, tuple[str, str]] = {
    "good": ("✓", " Good: "),
    "bad": ("✕", " Bad: "),
    "warning": ("!", " Warning: "),
    "note": ("i", " Note: "),
}
POWER: dict[bool | None, Kind] = {True: "good", False: "bad", None: "note"}
"""How a verdict is marked, by whether the model has statistical power."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under its own heading.

    Attributes:
        key: its id in the page, and its address.
        title: its heading.
        body: what stands in it.
    """

    key: str
    title: str
    body: Html


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `hint` explains its heading on hover."""

    title: str
    numeric: bool = False
    hint: str = ""


def shown(value: float | None, path: str = "") -> Html:
    """A number in four digits, its full value and where `scores.json` has it in attributes."""
    if value is None:
        return Html(NONE)
    return tag("span", number(value), class_="value", data_value=repr(value), data_path=path or None)


def percent(share: float) -> Html:
    """A share in percent, three digits, its full value in an attribute."""
    return tag("span", f"{100 * share:.3g} %", class_="value", data_value=repr(share))


def interval(low: float | None, high: float | None, path: str = "") -> Html:
    """Both ends, or a dash."""
    if low is None or high is None:
        return Html(NONE)
    ends = (shown(low, f"{path}.low" if path else ""), shown(high, f"{path}.high" if path else ""))
    return tag("span", ends[0], " to ", ends[1], class_="interval")


def star(score: Mapping[str, Any]) -> Html | None:
    """The mark of a score on rows that chose something."""
    if not score.get("starred"):
        return None
    return tag("abbr", "*", title="these rows chose something, so this score flatters")


def table(
    caption: Child,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Child]],
    *,
    strong: frozenset[int] = frozenset(),
    sortable: bool = True,
) -> Html:
    """A table in a box that scrolls by itself where the page is narrow.

    Args:
        caption: what it shows.
        columns: from left to right; the first names the row.
        rows: cells of each row.
        strong: indices of rows that matter most.
        sortable: whether a click on a heading sorts.
    """
    body = [
        tag(
            "tr",
            tag("th", cells[0], scope="row", class_="number" if columns[0].numeric else None),
            [
                tag("td", cell, class_="number" if column.numeric else None)
                for cell, column in zip(cells[1:], columns[1:], strict=True)
            ],
            class_="strong" if place in strong else None,
        )
        for place, cells in enumerate(rows)
    ]
    heads = [
        tag("th", column.title, scope="col", class_="number" if column.numeric else None, title=column.hint or None)
        for column in columns
    ]
    inside = (tag("caption", tag("span", caption)), tag("thead", tag("tr", heads)), tag("tbody", body))
    return scrolling(tag("table", inside, data_sortable=sortable))


def scrolling(wide: Html) -> Html:
    """Something wide in a box that scrolls by itself."""
    return tag("div", wide, class_="scroll", tabindex=0)


def folded(title: Child, *inside: Child, printed: bool = True) -> Html:
    """A part that opens when its title is clicked, and on paper unless it is too long for that."""
    return tag("details", tag("summary", title), inside, class_=None if printed else "unprinted")


def remark(kind: Kind, *words: Child) -> Html:
    """A remark that stands out; its kind is said by a sign and a word as well as by its colour."""
    sign, said = _SIGNS[kind]
    mark = tag("span", sign, tag("span", said, class_="unseen"), class_="sign")
    return tag("p", mark, tag("span", words), class_=f"remark {kind}")


def paragraph(*words: Child) -> Html:
    """A paragraph."""
    return tag("p", words)


def sentence(words: str) -> str:
    """Words as a sentence: with a capital and a full stop."""
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"


def heading(words: Child) -> Html:
    """A heading inside a section."""
    return tag("h3", words)


def pairs(entries: Iterable[tuple[Child, Child]]) -> Html:
    """Names with what they are."""
    return tag("dl", [tag("div", tag("dt", name), tag("dd", said)) for name, said in entries])


def code(written: str) -> Html:
    """Text to copy, as it is."""
    return tag("pre", tag("code", written), tabindex=0, data_copy=True)


def first_open(parts: Sequence[tuple[str, Html]]) -> Html:
    """Parts under their titles: the first as it is, the others folded."""
    opened = [join(heading(title), body) for title, body in parts[:1]]
    return join(opened, [folded(title, body) for title, body in parts[1:]])


def listed(words: Sequence[str]) -> str:
    """Words in a row: a, b and c."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
