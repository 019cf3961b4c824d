"""Classes, labels and slices: what is taken for what, and where the scores differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dlcli.numbers import number
from dlcli.report.drawing import WIDTH, Picture, fitted, label
from dlcli.report.elements import (
    Column,
    Section,
    first_open,
    heading,
    interval,
    paragraph,
    percent,
    scrolling,
    shown,
    star,
    table,
)
from dlcli.report.figures import figure
from dlcli.report.markup import Child, Html, join, tag
from dlcli.report.run_files import SUBSETS, Run

_MOST_CELLS = 20
"""Classes up to which a confusion matrix shows its numbers."""
_SHADES = 10
_PAIRS = 12
"""Most pairs listed that are taken for each other."""
_MOST_LABELS = 30

Counts = Sequence[Sequence[float]]


def confusion(run: Run) -> Section | None:
    """The confusion matrices."""
    parts = [
        (SUBSETS[name].capitalize() + " rows", _confusion(name, found)) for name, found in run.details("confusion")
    ]
    parts += [
        (SUBSETS[name].capitalize() + " rows", _label_confusions(name, found))
        for name, found in run.details("label_confusions")
    ]
    return Section("confusion", "What is taken for what", first_open(parts)) if parts else None


def _confusion(subset: str, found: Mapping[str, Any]) -> Html:
    labels, counts = found["labels"], found["counts"]
    if len(labels) > _MOST_CELLS:
        return tag("div", _heat_map(subset, labels, counts), _pairs(labels, counts), class_="figures")
    matrix = _matrix(f"confusion-{subset}", labels, counts)
    return tag("div", matrix, _pairs(labels, counts), class_="figures") if 2 < len(labels) < 7 else matrix


def _matrix(key: str, labels: Sequence[str], counts: Counts) -> Html:
    """Counts with their share of the actual class, darker where it is larger; right answers are framed."""
    right, total = sum(row[place] for place, row in enumerate(counts)), sum(map(sum, counts))
    heads = [tag("th", name, scope="col") for name in labels]
    rows = [
        tag(
            "tr",
            tag("th", labels[place], scope="row"),
            [_cell(count, sum(row), right=place == other) for other, count in enumerate(row)],
        )
        for place, row in enumerate(counts)
    ]
    inside = (
        tag(
            "caption",
            f"Rows: what they are; columns: what they are taken for. {number(right)} of {number(total)} right.",
        ),
        tag("thead", tag("tr", tag("th", "actual ↓ predicted →", scope="col"), heads)),
        tag("tbody", rows),
    )
    caption = "Counts, with their share of the actual class. Framed: right answers; darker: a larger share."
    return tag("figure", scrolling(tag("table", inside, class_="matrix")), tag("figcaption", caption), id=key)


def _cell(count: float, total: float, *, right: bool) -> Html:
    share = count / total if total else 0.0
    shade = round(_SHADES * share) or (1 if count else 0)
    said = f"{100 * share:.0f} %" if count else None
    inside = (shown(count), tag("small", said) if said else None)
    return tag("td", inside, class_=f"{'right' if right else 'wrong'} shade-{shade}")


def _heat_map(subset: str, labels: Sequence[str], counts: Counts) -> Html:
    """Many classes as squares without numbers."""
    left = 96.0
    side = (WIDTH - left - 10) / len(labels)
    height = left + side * len(labels) + 10
    paths: dict[tuple[int, bool], list[str]] = {}
    for place, row in enumerate(counts):
        total = sum(row)
        for other, count in enumerate(row):
            if count:
                shade = max(1, round(_SHADES * count / total))
                square = f"M{left + other * side:.1f} {left + place * side:.1f}h{side:.2f}v{side:.2f}h-{side:.2f}z"
                paths.setdefault((shade, place == other), []).append(square)
    squares = [
        tag("path", d="".join(path), class_=f"{'right' if right else 'wrong'} shade-{shade}")
        for (shade, right), path in sorted(paths.items())
    ]
    frame = tag("rect", x=left, y=left, width=WIDTH - left - 10, height=WIDTH - left - 10, class_="frame")
    every = -(-len(labels) * 9 // int(WIDTH - left))
    names = [
        join(
            label(left - 4, left + (place + 0.5) * side + 3, labels[place], class_="end small", room=left - 8),
            tag(
                "text",
                fitted(labels[place], left - 12),
                class_="small",
                transform=f"translate({left + (place + 0.5) * side + 3:.1f} {left - 4:g}) rotate(-90)",
            ),
        )
        for place in range(0, len(labels), every)
    ]
    right, total = sum(row[place] for place, row in enumerate(counts)), sum(map(sum, counts))
    worst = ", ".join(
        f"{actual} for {taken} ({number(count)})" for count, _, actual, taken in _mistakes(labels, counts)[:3]
    )
    return figure(
        f"confusion-{subset}",
        Picture(
            [squares, frame, names],
            height,
            f"Confusion matrix of {len(labels)} classes",
            f"{number(right)} of {number(total)} right. Most frequent mistakes: {worst or 'none'}.",
        ),
        "Share of each actual class (rows) that is taken for each class (columns): the darker, the larger. "
        "Right answers lie on the falling diagonal.",
        class_="wide",
    )


def _mistakes(labels: Sequence[str], counts: Counts) -> list[tuple[float, float, str, str]]:
    """Count, share of the actual class, actual and predicted class of each kind of mistake, the most frequent first."""
    found = [
        (count, count / sum(row), labels[place], labels[other])
        for place, row in enumerate(counts)
        for other, count in enumerate(row)
        if count and place != other
    ]
    return sorted(found, key=lambda each: (-each[0], -each[1]))


def _pairs(labels: Sequence[str], counts: Counts) -> Html | None:
    found = _mistakes(labels, counts)
    if not found:
        return None
    columns = [
        Column("actual"),
        Column("taken for"),
        Column("rows", numeric=True),
        Column("share of the actual class", numeric=True),
    ]
    rows = [[actual, taken, shown(count), percent(share)] for count, share, actual, taken in found[:_PAIRS]]
    more = f", {_PAIRS} of {len(found)} kinds" if len(found) > _PAIRS else ""
    return table(f"The most frequent mistakes{more}.", columns, rows)


def _label_confusions(subset: str, found: Sequence[Mapping[str, Any]]) -> Html:
    """A small matrix for each label."""
    small = [
        tag(
            "div",
            tag("h4", each["label"]),
            _matrix(f"confusion-{subset}-{place}", [f"not {each['label']}", each["label"]], each["counts"]),
        )
        for place, each in enumerate(found[:_MOST_LABELS])
    ]
    more = f"{len(found) - _MOST_LABELS} more labels are left out here." if len(found) > _MOST_LABELS else None
    return join(tag("div", small, class_="small-multiples"), paragraph(more) if more else None)


def classes(run: Run) -> Section | None:
    """Scores class by class, and slice by slice."""
    parts = [
        (f"{SUBSETS[name].capitalize()} rows, by class", _by_class(run, name, found))
        for name, found in run.details("classes")
    ]
    parts += [
        (f"{SUBSETS[name].capitalize()} rows, by slice", _by_slice(run, name, found))
        for name, found in run.details("slices")
    ]
    shown_first = [part for part in parts if part[0].startswith(SUBSETS[run.primary or "test"].capitalize())]
    folded_last = [part for part in parts if part not in shown_first]
    if not parts:
        return None
    opened = [join(heading(title), body) for title, body in shown_first[:-1]]
    return Section("classes", "Classes and slices", join(opened, first_open([*shown_first[-1:], *folded_last])))


def _by_class(run: Run, subset: str, found: Sequence[Mapping[str, Any]]) -> Html:
    metrics = [score["name"] for score in found[0]["scores"]]
    columns = [Column("class"), Column("rows", numeric=True), *_score_columns(run, metrics)]
    rows = [
        [each["name"], shown(each["rows"]), *_score_cells(each["scores"], f"{subset}.classes.{place}")]
        for place, each in enumerate(found)
    ]
    left_out = run.scores[subset].get("classes_left_out")
    more = f" {left_out} more classes, which score better, are left out." if left_out else ""
    return table(f"Each class against all others.{more}", columns, rows)


def _by_slice(run: Run, subset: str, found: Sequence[Mapping[str, Any]]) -> Html:
    metrics = [score["name"] for score in found[0]["scores"]]
    columns = [Column("column"), Column("value"), Column("rows", numeric=True), *_score_columns(run, metrics)]
    rows = [
        [
            each["column"],
            str(each["value"]),
            shown(each["rows"]),
            *_score_cells(each["scores"], f"{subset}.slices.{place}"),
        ]
        for place, each in enumerate(found)
    ]
    return table("The same scores on parts of the rows. Of many slices some look worse by chance.", columns, rows)


def _score_columns(run: Run, metrics: Sequence[str]) -> Iterator[Column]:
    for metric in metrics:
        yield Column(metric, numeric=True)
        yield Column(f"{run.confidence} interval", numeric=True, hint=f"of {metric}")


def _score_cells(scores: Sequence[Mapping[str, Any]], path: str) -> Iterator[Child]:
    for place, score in enumerate(scores):
        at = f"{path}.scores.{place}"
        yield join(shown(score["value"], f"{at}.value"), star(score))
        yield interval(score["low"], score["high"], at)
