"""Every real data set with a config as a person would write it, and what the leak guard finds in it.

The counts are those of the folder's README, or were counted by hand; what they mean stands beside them.
"""

from __future__ import annotations

import csv
import gzip
import lzma
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dlcli.config.document import load
from dlcli.events import Event, Note
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.preparation import prepare

ADULT = (
    "names: [age, workclass, fnlwgt, education, education-num, marital-status, occupation, relationship, race, sex, "
    "capital-gain, capital-loss, hours-per-week, native-country, income], comment: '|', missing: ['?']"
)
AUTO_MPG = (
    "names: [mpg, cylinders, displacement, horsepower, weight, acceleration, model year, origin, car name], "
    "missing: ['?']"
)
SENTENCES = "delimiter: tab, quote: none, names: [text, label]"
MESSAGES = "delimiter: tab, quote: none, names: [label, text]"
PARTS = "split: {predefined: {column: part, values: {train: ['0'], test: ['1']}}}\n"


@dataclass(frozen=True)
class Real:
    """A data set.

    Attributes:
        name: of the test.
        data: lines under `data`; `{folder}` is that of the data sets.
        rest: further sections.
        repeated: rows that repeat an earlier one.
        found: the codes, each with the number that its message begins with or the column that it names.
        make: writes the file that the config reads, where the one in the folder cannot be read as it is.
        slow: whether it takes more than a few seconds.
    """

    name: str
    data: str
    rest: str = ""
    repeated: int = 0
    found: tuple[tuple[str, str], ...] = ()
    make: Callable[[Path, Path], None] | None = field(default=None, repr=False)
    slow: bool = False


def table(path: str, target: str, fields: str = "", more: str = "") -> str:
    source = f"{{csv: {{path: '{{folder}}/{path}'{', ' + fields if fields else ''}}}}}"
    return f"source: {source}, target: {target}{', ' + more if more else ''}"


def pictures(folder: Path, place: Path, name: str) -> None:
    """The idx files as arrays, those of test marked."""
    arrays: dict[str, list[np.ndarray]] = {"image": [], "label": [], "part": []}
    for part, start in enumerate(("train", "t10k")):
        labels = np.frombuffer(_idx(folder / name / f"{start}-labels-idx1-ubyte.gz"), np.uint8, offset=8)
        pixels = np.frombuffer(_idx(folder / name / f"{start}-images-idx3-ubyte.gz"), np.uint8, offset=16)
        arrays["label"].append(labels)
        arrays["image"].append(pixels.reshape(-1, 28, 28))
        arrays["part"].append(np.full(len(labels), part))
    joined: dict[str, Any] = {key: np.concatenate(each) for key, each in arrays.items()}
    np.savez(place / "data.npz", **joined)


def _idx(file: Path) -> bytes:
    with gzip.open(file) as stream:
        return stream.read()


def mnist(folder: Path, place: Path) -> None:
    pictures(folder, place, "mnist")


def fashion(folder: Path, place: Path) -> None:
    pictures(folder, place, "fashion-mnist")


def reviews(folder: Path, place: Path) -> None:
    """Text stands last and may hold tabs."""
    lines = lzma.decompress((folder / "imdb" / "reviews.tsv.xz").read_bytes()).decode().split("\n")
    with (place / "reviews.csv").open("w", newline="") as file:
        rows = (line.split("\t", 4) for line in lines if line)
        csv.writer(file).writerows((split, label, text) for split, label, _, _, text in rows)


SETS = (
    Real(
        "churn, every column",
        table("churn/Churn_Modelling.csv", "Exited"),
        found=(("id-like-column", "RowNumber"), ("id-like-column", "CustomerId")),
    ),
    Real("churn", table("churn/Churn_Modelling.csv", "Exited", more="ignore: [RowNumber, CustomerId, Surname]")),
    Real(
        "titanic, every column",
        table("tabular/titanic.csv", "Survived"),
        found=(("id-like-column", "PassengerId"),),
    ),
    # 127 rows then look like an earlier one, but they are other passengers in the same class.
    Real("titanic", table("tabular/titanic.csv", "Survived", more="ignore: [PassengerId, Name, Ticket, Cabin]")),
    Real("penguins", table("tabular/penguins.csv", "species")),
    # 345 rows repeat the measures of an earlier stone, 198 sets of them with another price.
    Real(
        "diamonds",
        table("tabular/diamonds.csv.gz", "price"),
        repeated=146,
        found=(("shared-inputs", "57"), ("shared-inputs", "35"), ("contradicting-rows", "163")),
    ),
    Real(
        "diamonds, cut",
        table("tabular/diamonds.csv.gz", "cut"),
        repeated=146,
        found=(("contradicting-rows", "5"),),
    ),
    Real("red wine", table("tabular/winequality-red.csv", "quality"), "task: regression\n", repeated=240),
    Real("white wine", table("tabular/winequality-white.csv", "quality"), "task: regression\n", repeated=937),
    Real("white wine, classes", table("tabular/winequality-white.csv", "quality"), "task: multiclass\n", repeated=937),
    Real("housing", table("tabular/housing.csv.gz", "median_house_value")),
    Real("energy", table("tabular/ENB2012_data.csv", "[Y1, Y2]")),
    # Its own split has five pictures on both sides, and one with other labels.
    Real(
        "scene",
        table("tabular/scene.csv.gz", "[Beach, Sunset, FallFoliage, Field, Mountain, Urban]"),
        "split: {predefined: split}\n",
        repeated=7,
        found=(("shared-rows", "3"), ("shared-rows", "2"), ("shared-inputs", "1")),
    ),
    Real("heart", table("tabular/heart.csv", "target"), repeated=1),
    Real("pima", table("tabular/pima-indians-diabetes.csv", "column_9", "header: false")),
    Real("bank", table("tabular/bank-additional.csv.gz", "y")),
    Real("cars", table("awkward/auto-mpg.data", "mpg", AUTO_MPG)),
    # 24 and 5 rows repeat within the files. 23 rows of the test file are in the other too (their labels end in a
    # point), and 3 with the other label.
    Real(
        "adult",
        table(
            "awkward/adult.data.gz",
            "{column: income, aliases: {'<=50K.': '<=50K', '>50K.': '>50K'}}",
            ADULT + ", test: ['{folder}/awkward/adult.test.gz']",
        ),
        repeated=29,
        found=(("shared-inputs", "26"), ("contradicting-rows", "1")),
    ),
    Real(
        "adult without its test file",
        table("awkward/adult.data.gz", "income", ADULT),
        repeated=24,
        found=(("contradicting-rows", "1"),),
    ),
    # 403 lines are the same byte for byte; 11 more differ in the blanks at the end of the text.
    Real(
        "messages",
        table("text/SMSSpamCollection", "label", MESSAGES),
        repeated=414,
        found=(("shared-inputs", "1"), ("near-duplicates", "38"), ("near-duplicates", "13")),
    ),
    Real(
        "messages, blanks kept",
        table("text/SMSSpamCollection", "label", MESSAGES + ", strip: false"),
        repeated=403,
        found=(("shared-inputs", "8"), ("near-duplicates", "36"), ("near-duplicates", "20")),
    ),
    # `Great Phone.` and `Great phone.` are one text.
    Real(
        "sentences on telephones",
        table("text/amazon_cells_labelled.txt", "label", SENTENCES),
        repeated=10,
        found=(("shared-inputs", "1"), ("shared-inputs", "2")),
    ),
    Real("sentences on films", table("text/imdb_labelled.txt", "label", SENTENCES), repeated=3),
    Real("sentences on restaurants", table("text/yelp_labelled.txt", "label", SENTENCES), repeated=4),
    # 418 texts repeat, 123 of them across train and test.
    Real(
        "reviews",
        "source: {csv: reviews.csv}, target: label, text: [text]",
        "split: {predefined: split}\n",
        repeated=418,
        found=(("shared-rows", "94"), ("shared-rows", "29"), ("near-duplicates", "4"), ("near-duplicates", "6")),
        make=reviews,
        slow=True,
    ),
    Real("signs", "source: {images: {path: '{folder}/images/sign-digits'}}"),
    Real("mnist", "source: {npz: {path: data.npz, target: label}}", PARTS, make=mnist, slow=True),
    # Photographs of one article: brute force over all pairs finds the same.
    Real(
        "fashion-mnist",
        "source: {npz: {path: data.npz, target: label}}",
        PARTS,
        found=(("near-duplicates", "14"), ("near-duplicates", "12")),
        make=fashion,
        slow=True,
    ),
    Real("temperatures", table("series/daily-min-temperatures.csv", "Temp", more="time: Date, window: {length: 30}")),
    Real("passengers", table("series/airline-passengers.csv", "Passengers", more="time: Month, window: {length: 12}")),
    # The oil was colder later on, but its temperature had moved as far before.
    Real(
        "transformer",
        table("series/ETTh1.csv.gz", "OT", more="time: date, window: {length: 48, horizon: 24}"),
        "split: {chronological: {validation: 2880, test: 2880}}\n",
    ),
    # For 58 hours the meters of all loads stood still.
    Real(
        "transformer, hour by hour",
        table("series/ETTh1.csv.gz", "OT", more="time: date"),
        "split: {chronological: {validation: 2880, test: 2880}}\n",
        found=(("contradicting-rows", "2"),),
    ),
    Real(
        "transformer, hours dealt out",
        table("series/ETTh1.csv.gz", "OT"),
        found=(("training-after-test", "12,194"), ("training-after-test", "12,194")),
    ),
    *(
        Real(f"builtin {name}", f"source: {{builtin: {name}}}", repeated=repeated)
        for name, repeated in (("wine", 0), ("iris", 1), ("digits", 0), ("breast_cancer", 0), ("diabetes", 0))
    ),
)


def prepared(real: Real, folder: Path, place: Path) -> tuple[Dataset, list[str]]:
    """The data set as a training would see it, and what was said."""
    if real.make is not None:
        real.make(folder, place)
    config = place / "config.yaml"
    data = real.data.replace("{folder}", str(folder))
    config.write_text(f"data: {{{data}}}\n{real.rest}architecture: [flatten, dense: 4]\n")
    said: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)

    return prepare(load(config, (), trusted=False, command="check"), "check", listen)[1], said
