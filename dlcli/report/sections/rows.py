"""Single rows and columns: where the model is most wrong, and what it looks at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlcli.numbers import number
from dlcli.report.elements import NONE, Column, Section, folded, interval, pairs, paragraph, shown, table
from dlcli.report.figures import Estimate, dot_plot
from dlcli.report.markup import Child, Html, join, tag
from dlcli.report.run_files import SUBSETS, Run

_PICTURE = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+")
_PICTURE_BYTES = 800_000
"""Most bytes of all thumbnails together."""
_CELLS = 4
"""Cells of a row that stand in the table; all of them unfold."""
_FEATURES = 30
"""Most columns drawn by importance; all stand in the table."""


def worst(run: Run) -> Section | None:
    """The rows with the largest losses."""
    if run.worst is None or not run.worst["rows"]:
        return None
    rows = _with_pictures(run.worst["rows"])
    words = paragraph(
        f"The {SUBSETS[run.worst['subset']]} rows with the largest losses, numbered as in the source from 0. "
        "Look for wrong labels, unreadable inputs, and what they share."
    )
    drawn = [_card(each) for each in rows if each.get("image")]
    gallery = tag("div", drawn, class_="gallery") if drawn else None
    return Section("worst", "Worst errors", join(words, gallery, _table(rows)))


def _with_pictures(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each with its thumbnail if it is one and there is room for it."""
    found, room = [], _PICTURE_BYTES
    for row in rows:
        image = row.get("image") or ""
        fits = _PICTURE.fullmatch(image) is not None and len(image) <= room
        room -= len(image) if fits else 0
        found.append({**row, "image": image if fits else None})
    return found


def _card(row: Mapping[str, Any]) -> Html:
    said = f"row {row['row']}: actual {_value(row['actual'])}, predicted {_value(row['predicted'])}"
    picture = tag("img", src=row["image"], alt=f"Input of {said}")
    actual, predicted = _value(row["actual"]), _value(row["predicted"])
    taken = " taken for " if actual != predicted else ", rightly, but unsure of "
    words = (tag("strong", actual), taken, tag("strong", predicted))
    return tag("figure", picture, tag("figcaption", words, tag("br"), f"row {row['row']}, loss {number(row['loss'])}"))


def _table(rows: Sequence[Mapping[str, Any]]) -> Html:
    sure = any(row["probability"] is not None for row in rows)
    first = list(rows[0]["cells"] or ())[:_CELLS]
    columns = [
        Column("row", numeric=True),
        Column("actual"),
        Column("predicted"),
        Column("loss", numeric=True),
        *([Column("probability of the truth", numeric=True)] if sure else []),
        *(Column(name) for name in first),
        *([Column("all cells")] if len(rows[0]["cells"] or ()) > _CELLS else []),
    ]
    return table("The worst rows.", columns, [_row(row, first, sure=sure) for row in rows])


def _row(row: Mapping[str, Any], first: list[str], *, sure: bool) -> list[Child]:
    cells = row["cells"] or {}
    every = pairs((name, _cell(value)) for name, value in cells.items())
    return [
        shown(row["row"]),
        _cell(row["actual"]),
        _cell(row["predicted"]),
        shown(row["loss"]),
        *([shown(row["probability"])] if sure else []),
        *(_cell(cells.get(name)) for name in first),
        *([folded("all", every, printed=False)] if len(cells) > _CELLS else []),
    ]


def _cell(value: Any) -> Child:
    return shown(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else _value(value)


def _value(value: Any) -> str:
    if value is None:
        return NONE
    return number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def importance(run: Run) -> Section | None:
    """How much worse the score gets when one column is shuffled."""
    if run.importance is None or not run.importance["features"]:
        return None
    found = run.importance
    features = sorted(
        enumerate(found["features"]),
        key=lambda each: each[1]["drop"] if each[1]["drop"] is not None else 0.0,
        reverse=True,
    )
    words = paragraph(
        f"How much worse {found['metric']} gets on {found['rows']:,} {SUBSETS[found['subset']]} rows when one "
        f"column is shuffled, {found['repeats']} times each. A column can matter and yet show little here where "
        "another one tells the same."
    )
    estimates = [Estimate(each["name"], each["drop"], each["low"], each["high"]) for _, each in features[:_FEATURES]]
    more = f" The {_FEATURES} that matter most of {len(features)}." if len(features) > _FEATURES else ""
    drawn = dot_plot(
        "importance-plot",
        estimates,
        f"How much worse {found['metric']} gets, by column, with its {run.confidence} interval; at the dashed line "
        f"a column tells nothing.{more}",
        title="Permutation importance",
        axis=f"{found['metric']} worse by",
        reference=(0.0, "no importance"),
        class_="wide",
    )
    columns = [
        Column("column"),
        Column(f"{found['metric']} worse by", numeric=True),
        Column(f"{run.confidence} interval", numeric=True),
    ]
    rows = [[each["name"], shown(each["drop"]), interval(each["low"], each["high"])] for _, each in features]
    for reason in dict.fromkeys(each["reason"] for each in found["features"] if each.get("reason")):
        drawn = join(drawn, paragraph(f"No interval: {reason}."))
    numbers = folded("Numbers", table("Permutation importance of every column.", columns, rows))
    return Section("importance", "What the model looks at", join(words, drawn, numbers))
