"""Clean real data of four kinds, and every kind of leak planted into them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.config.document import load
from dlcli.data.leakage.findings import Finding
from dlcli.data.leakage.normal_text import normal
from dlcli.data.sources.delimited import Csv
from dlcli.events import silent
from dlcli.samples import Coded
from dlcli.workflows.preparation import prepare

Columns = dict[str, NDArray[Any]]
PLANTED = 6
"""So many rows are copied, moved or changed."""


@dataclass(frozen=True)
class Original:
    """Rows as a person keeps them, with a column `part` that says where each belongs.

    Attributes:
        kind: table, images, text, series, or windows over a series.
        columns: arrays with the same rows.
        target: the column that is predicted.
        ignored: columns that are no inputs.
        settings: further lines under `data`.
        split: the split.
    """

    kind: str
    columns: Columns
    target: str
    ignored: tuple[str, ...] = ()
    settings: str = ""
    split: str = "{predefined: {column: part, values: {train: ['0'], validation: ['1'], test: ['2']}}}"
    training: str = "{}"

    def rows(self, part: int) -> NDArray[np.int64]:
        return np.flatnonzero(self.columns["part"] == part)

    def with_columns(self, **columns: NDArray[Any]) -> Original:
        return replace(self, columns=self.columns | columns)

    def copied(self, source: NDArray[np.int64], place: NDArray[np.int64], *, but: Iterable[str] = ()) -> Original:
        """Rows written over others; they stay in their part."""
        columns = {name: column.copy() for name, column in self.columns.items()}
        for name, column in columns.items():
            if name not in {"part", *but}:
                column[place] = column[source]
        return replace(self, columns=columns)


def found_in(original: Original, folder: Path) -> tuple[Finding, ...]:
    """What the leak guard says of them, through a config and files."""
    if original.kind == "images":
        columns: dict[str, Any] = {**original.columns}
        np.savez(folder / "data.npz", **columns)
        source = f"{{npz: {{path: data.npz, target: {original.target}}}}}"
    else:
        with (folder / "data.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(original.columns)
            writer.writerows(zip(*original.columns.values(), strict=True))
        source = "{csv: data.csv}"
    config = folder / "config.yaml"
    config.write_text(
        f"data: {{source: {source}, target: {original.target}, ignore: [{', '.join(original.ignored)}]"
        f"{original.settings}, duplicates: keep}}\nsplit: {original.split}\n"
        f"preprocessing: {'auto' if original.kind != 'text' else '[drop: message, standardize]'}\n"
        f"architecture: [flatten, dense: 4]\ntraining: {original.training}\n"
    )
    return prepare(load(config, (), trusted=False, command="check"), "check", silent)[1].findings


# Originals


def originals(data: Path) -> Iterator[Original]:
    """One of each kind, in which nothing is wrong."""
    for make in (table, images, text, series, windows):
        yield make(data)


def table(data: Path) -> Original:
    """4,000 customers of a bank."""
    with (data / "churn" / "Churn_Modelling.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:4000]
    columns = {name: np.array([row[name] for row in rows], dtype=object) for name in rows[0]}
    return Original("table", columns | _parts(len(rows)), "Exited", ("RowNumber", "CustomerId", "Surname"))


def images(data: Path) -> Original:
    """1,797 handwritten digits of scikit-learn."""
    from sklearn.datasets import load_digits

    del data
    found = load_digits()
    columns = {"image": found.images.astype(np.uint8) * 15, "label": found.target}
    return Original("images", columns | _parts(1797), "label")


def signs(data: Path) -> Original:
    """400 photographs of hands that show digits."""
    from PIL import Image

    files = sorted((data / "images" / "sign-digits").glob("*/*.jpg"), key=lambda file: (file.name, file.parent.name))
    pictures = np.stack([np.asarray(Image.open(file)) for file in files])
    labels = np.array([int(file.parent.name) for file in files])
    return Original("images", {"image": pictures, "label": labels} | _parts(len(files)), "label")


def text(data: Path) -> Original:
    """2,900 sentences of reviews, each once."""
    seen: set[str] = set()
    rows: list[tuple[str, str]] = []
    for name in ("imdb", "yelp", "amazon_cells"):
        lines = (data / "text" / f"{name}_labelled.txt").read_text(encoding="utf-8").split("\n")
        for words, _, label in (line.rpartition("\t") for line in lines if line):
            if normal(words) not in seen:
                seen.add(normal(words))
                rows.append((words.strip(), label))
    columns = {
        "message": np.array([words for words, _ in rows], dtype=object),
        "marks": np.array([sum(not sign.isalnum() for sign in words) + len(words) / 1000 for words, _ in rows]),
        "label": np.array([label for _, label in rows], dtype=object),
    }
    return Original("text", columns | _parts(len(rows)), "label", settings=", text: [message]")


def series(data: Path) -> Original:
    """4,000 hours of a transformer's loads and oil temperature."""
    found = Csv(path=(str(data / "series" / "ETTh1.csv.gz"),)).read().samples
    columns = {name: (column.texts() if isinstance(column, Coded) else column)[:4000] for name, column in found.items()}
    part = np.repeat([0, 1, 2], [2800, 800, 400])
    return Original("series", columns | {"part": part}, "OT", settings=", time: date")


def windows(data: Path) -> Original:
    """The same hours, a day of which predicts the next hour."""
    hours = series(data)
    return replace(hours, kind="windows", settings=hours.settings + ", window: {length: 24}")


def _parts(rows: int) -> Columns:
    return {"part": np.random.default_rng(0).choice([0, 1, 2], rows, p=[0.7, 0.2, 0.1])}


# Leaks. Each takes an original and gives it back with the leak, or None where its kind cannot have it.


def shared_rows(clean: Original) -> Original | None:
    """Training rows again in test."""
    if clean.kind == "windows":
        return None
    return clean.copied(clean.rows(0)[:PLANTED], clean.rows(2)[:PLANTED])


def shared_inputs(clean: Original) -> Original | None:
    """Training rows again in validation, as somebody else's: another number, target, or way to write a text."""
    if clean.kind == "windows":
        return None
    source, place = clean.rows(0)[:PLANTED], clean.rows(1)[:PLANTED]
    other = clean.copied(source, place, but=(*clean.ignored, clean.target, "date"))
    if clean.kind == "text":
        words = other.columns["message"].copy()
        words[place] = [f" {each.upper()}  " for each in words[place]]
        return other.with_columns(message=words)
    return other


def contradicting_rows(clean: Original) -> Original | None:
    """Training rows again in training, with another target."""
    if clean.kind == "windows":
        return None
    rows, target = clean.rows(0), clean.columns[clean.target]
    if clean.kind == "series":
        source, place = rows[:PLANTED], rows[-PLANTED:]
    else:
        place = rows[-PLANTED:]
        source = np.array([rows[target[rows] != target[row]][number] for number, row in enumerate(place)])
    return clean.copied(source, place, but=(clean.target, "date"))


def near_duplicates(clean: Original) -> Original | None:
    """Training images in test, brighter; training texts in test, with a word more."""
    source, place = clean.rows(0), clean.rows(2)[:PLANTED]
    if clean.kind == "images":
        pictures = clean.columns["image"].copy()
        pictures[place] = np.clip(pictures[source[:PLANTED]] * 0.9 + 5, 0, 255).astype(np.uint8)
        return clean.with_columns(image=pictures)
    if clean.kind == "text":
        words = clean.columns["message"].copy()
        long = [row for row in source if len(words[row].split()) > 12][:PLANTED]
        words[place] = [f"{each} Really" for each in words[long]]
        return clean.with_columns(message=words)
    return None


def shared_groups(clean: Original) -> Original:
    """Patients, senders, devices that have rows in two parts."""
    part = clean.columns["part"]
    if clean.kind == "windows":
        group = np.arange(len(part)) // 400
        group[-100:] = 0
        return replace(clean.with_columns(who=group), settings=clean.settings + ", group: who")
    group = part * 1000 + np.arange(len(part)) % 40
    group[clean.rows(2)[:PLANTED]] = group[clean.rows(0)[0]]
    return replace(clean.with_columns(who=group), settings=clean.settings + ", group: who")


def training_after_test(clean: Original) -> Original | None:
    """Rows in time, dealt out at random."""
    if clean.kind == "windows":
        return clean.with_columns(part=clean.columns["part"][::-1])
    if clean.kind == "series":
        return clean.with_columns(**_parts(len(clean.columns["part"])))
    days = np.datetime64("2001-01-01") + np.arange(len(clean.columns["part"]))
    return replace(clean.with_columns(day=days.astype(str)), settings=clean.settings + ", time: day")


def id_like_column(clean: Original) -> Original | None:
    """A number of the row among the inputs."""
    if clean.kind in ("images", "windows"):
        return None
    count = len(clean.columns["part"])
    return clean.with_columns(number=np.random.default_rng(1).permutation(3 * count)[:count] + 700)


def answer_in_column(clean: Original) -> Original | None:
    """The target in other words, with one row in a hundred wrong."""
    if clean.kind in ("images", "windows"):
        return None
    generator, target = np.random.default_rng(2), clean.columns[clean.target]
    answer = target.astype(np.float64)
    spread = 0.02 * answer.std() if clean.kind == "series" else 0.1
    answer = answer + generator.normal(0, spread, len(answer))
    wrong = generator.random(len(answer)) < 0.01
    answer[wrong] = generator.permutation(answer)[wrong]
    return clean.with_columns(told=answer.round(6))


def missing_class(clean: Original) -> Original | None:
    """A class that validation never sees."""
    if clean.kind in ("series", "windows"):
        return None
    part, target = clean.columns["part"].copy(), clean.columns[clean.target]
    part[(part == 1) & (target == target[0])] = 0
    return clean.with_columns(part=part)


def distribution_shift(clean: Original) -> Original:
    """Test rows from elsewhere: other customers, darker pictures, shorter texts, another transformer."""
    test = clean.rows(2)
    name = {"table": "Age", "images": "image", "text": "message", "series": "HUFL", "windows": "HUFL"}[clean.kind]
    column = clean.columns[name].copy()
    if clean.kind == "images":
        column[test] = column[test] // 2
    elif clean.kind == "text":
        column[test] = [" ".join(each.split()[:4]) + f" {number}" for number, each in enumerate(column[test])]
    else:
        numbers = column.astype(np.float64)
        column[test] = [str(value) for value in (numbers[test] + 4 * numbers.std()).round(3)]
    return clean.with_columns(**{name: column})


def missing_only_later(clean: Original) -> Original | None:
    """Cells that only test rows lack."""
    name = {"table": "Balance", "text": "marks", "series": "LULL", "windows": "LULL"}.get(clean.kind)
    if name is None:
        return None
    column = clean.columns[name].astype(object)
    column[clean.rows(2)[: 5 * PLANTED]] = ""
    return clean.with_columns(**{name: column})


def sorted_by_class(clean: Original) -> Original | None:
    """Rows class by class, trained on in that order."""
    if clean.kind in ("series", "windows"):
        return None
    order = np.argsort(clean.columns[clean.target], kind="stable")
    columns = {name: column[order] for name, column in clean.columns.items()}
    return replace(clean, columns=columns, training="{shuffle: false}")


LEAKS: dict[str, Callable[[Original], Original | None]] = {
    "shared-rows": shared_rows,
    "shared-inputs": shared_inputs,
    "contradicting-rows": contradicting_rows,
    "near-duplicates": near_duplicates,
    "shared-groups": shared_groups,
    "training-after-test": training_after_test,
    "id-like-column": id_like_column,
    "answer-in-column": answer_in_column,
    "missing-class": missing_class,
    "distribution-shift": distribution_shift,
    "missing-only-later": missing_only_later,
    "sorted-by-class": sorted_by_class,
}
"""By code, what plants it."""
CANNOT: dict[str, set[str]] = {
    "table": {"near-duplicates"},
    "images": {"id-like-column", "answer-in-column", "missing-only-later"},
    "text": set(),
    "series": {"near-duplicates", "missing-class", "sorted-by-class"},
    "windows": LEAKS.keys() - {"shared-groups", "training-after-test", "distribution-shift", "missing-only-later"},
}
"""Leaks that a kind cannot have: images stand alone, hours have no classes, rows under windows may be alike."""
