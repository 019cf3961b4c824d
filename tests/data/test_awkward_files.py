"""Files of awkward shape, made here in that shape, from the config to predictions of the raw file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dlcli import train
from dlcli.workflows.check import check
from tests.commands.test_predict_parity import require_same

NETWORK = "architecture: [dense: 4]\ntraining: {epochs: 1, batch_size: 16}\n"
SPLIT = "split: {random: {validation: 0.3, test: 0}}\n"


@dataclass(frozen=True)
class Awkward:
    """A file, the config that reads it, and what it holds.

    Attributes:
        files: content by name.
        data: what stands under `data`.
        rows: how many rows there are in all.
        columns: what `check --data` says of columns, as far as it matters.
        classes: of the target; none for numbers.
        notes: parts of what is said on the way.
        split: how rows are divided.
        raw: what is predicted; by default the first file.
    """

    files: dict[str, bytes]
    data: str
    rows: int
    columns: dict[str, dict[str, Any]]
    classes: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    split: str = SPLIT
    raw: str = ""

    def write(self, folder: Path) -> Path:
        """Writes the files; the config is what is returned."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        config = folder / "awkward.yaml"
        config.write_text(f"data:\n{self.data}{self.split}{NETWORK}")
        return config


def lines(*cells: str, end: str = "\n") -> bytes:
    return "".join(cell + end for cell in cells).encode()


def census() -> Awkward:
    """As adult: ", " between cells, "?", no header, an empty last line; the test file with a comment and dots."""

    def row(number: int, dot: str = "") -> str:
        work = "?" if number % 8 == 3 else ("Private", "Self-emp-not-inc")[number % 2]
        return f"{20 + number}, {work}, {number * 997 % 5000}, {'<=50K' if number % 3 else '>50K'}{dot}"

    train_file = lines(*map(row, range(40)), "")
    test_file = lines("|1x3 Cross validator", *(row(number, ".") for number in range(40, 60)))
    source = (
        '  source: {csv: {path: a.data, test: a.test, names: [age, work, gain, pay], comment: "|", missing: ["?"]}}\n'
        '  target: {column: pay, aliases: {"<=50K.": "<=50K", ">50K.": ">50K"}}\n'
    )
    columns = {
        "age": {"kind": "numeric", "missing": 0, "low": 20, "high": 59},
        "work": {"kind": "categorical", "missing": 8, "values": {"Private": 20, "Self-emp-not-inc": 15}},
        "gain": {"kind": "numeric", "missing": 0},
    }
    split = "split: {predefined: {validation: 0.3}}\n"
    return Awkward({"a.data": train_file, "a.test": test_file}, source, 60, columns, ["<=50K", ">50K"], split=split)


def cars() -> Awkward:
    """As auto-mpg: runs of blanks, "3504." for a number, a TAB before a quoted name with blanks in it."""
    makers = ("ford pinto", "chevrolet chevelle malibu", "vw 1131 deluxe sedan")
    rows = [
        f'{15 + n % 20}.0   {4 + n % 5}   {"?" if n == 5 else f"{100 + n}.0"}      {3000 + n}.\t"{makers[n % 3]}"'
        for n in range(40)
    ]
    source = (
        '  source: {csv: {path: cars.data, names: [mpg, cylinders, power, weight, name], missing: {power: ["?"]}}}\n'
        "  target: mpg\n"
    )
    columns = {
        "cylinders": {"kind": "numeric", "missing": 0, "low": 4, "high": 8},
        "power": {"kind": "numeric", "missing": 1, "low": 100, "high": 139},
        "weight": {"kind": "numeric", "missing": 0, "low": 3000, "high": 3039},
        "name": {"kind": "categorical", "missing": 0, "values": dict(zip(makers, (14, 13, 13), strict=True))},
    }
    return Awkward({"cars.data": lines(*rows)}, source, 40, columns, notes=("delimiter: blanks",))


def byte_order_marks() -> Awkward:
    """As spreadsheets save: the mark before a quoted first name, CRLF; in each of two files."""
    files = {
        f"{part}.csv": b"\xef\xbb\xbf" + lines('"Größe";y', *(f"{n};{n % 2}" for n in numbers), end="\r\n")
        for part, numbers in {"part": range(40), "qart": range(40, 45)}.items()
    }
    source = "  source: {csv: ['part.csv', 'qart.csv']}\n  target: 'y'\n  numeric: [Größe]\n"
    columns = {"Größe": {"kind": "numeric", "missing": 0, "low": 0, "high": 44}}
    return Awkward(files, source, 45, columns, ["0", "1"], ("delimiter: semicolon",), raw="?art.csv")


def blank_cells() -> Awkward:
    """A numeric column in which nothing, blanks, a TAB and an empty pair of quotes all mean missing."""
    gaps = ("", "   ", "\t", '""', '"  "')
    rows = [f"{n % 3},{gaps[n // 8] if n % 8 == 3 else f' {n}.5 '},{n / 2}" for n in range(40)]
    columns = {"b": {"kind": "numeric", "missing": 5, "low": 0.5, "high": 39.5}, "a": {"kind": "numeric", "missing": 0}}
    file = {"t.csv": lines("a,b,y", *rows)}
    return Awkward(file, "  source: {csv: t.csv}\n  target: 'y'\n", 40, columns)


def arff_comments() -> Awkward:
    """As ARFF: a head that is no table, comments between and behind the rows, "?" for missing."""
    head = ["% made by hand, 2009", "@relation iris", "@attribute length real", "@attribute kind {a, b}", "@data"]
    rows = [f"{'?' if n == 7 else n / 4},{'ab'[n % 2]}" for n in range(40)]
    source = (
        "  source: {csv: {path: iris.arff, names: [length, kind], skip_rows: 5, comment: '%', missing: ['?']}}\n"
        "  target: kind\n"
    )
    file = lines(*head, "% first half, 'odd \"", *rows[:20], "%", "%, second, half", *rows[20:], "% end")
    columns = {"length": {"kind": "numeric", "missing": 1, "low": 0, "high": 9.75}}
    return Awkward({"iris.arff": file}, source, 40, columns, ["a", "b"])


def empty_rows_and_columns() -> Awkward:
    """As spreadsheets export: delimiters behind each line, rows of nothing but them, empty lines."""
    rows = [f"{n};{n % 7},5;;" for n in range(40)]
    file = lines("a;y;;", *rows[:10], ";;;", "", *rows[10:], "   ", " ; ;;", ";;;")
    columns = {"a": {"kind": "numeric", "missing": 0, "low": 0, "high": 39}}
    source = "  source: {csv: {path: t.csv, decimal: ','}}\n  target: 'y'\n"
    return Awkward({"t.csv": file}, source, 40, columns, notes=("3 rows without any value are left out",))


def next_line_signs() -> Awkward:
    """Signs at which Python's `splitlines` breaks a line, within texts, two blanks before the TAB."""
    signs = "\x85\x0b\x0c\x1c\x1d\x1e\u2028\u2029"
    rows = [f"so{signs[n % 8]}good it was {n}  \t{n % 2}" for n in range(40)]
    source = "  source: {csv: {path: t.txt, delimiter: tab, quote: none, names: [text, label]}}\n  target: label\n"
    columns = {"text": {"kind": "text", "missing": 0, "distinct": 40, "words": [5, 5, 5]}}
    return Awkward({"t.txt": lines(*rows)}, source, 40, columns, ["0", "1"])


def quotes_that_quote_nothing() -> Awkward:
    """As short messages: no header, and quotes that open, close or stand alone, also at the border of a cell."""
    says = ('"Hello', 'she said "no"', '5" or 6"', '"', 'end"', '"all of it"', "it's", 'a,"b",c')
    rows = [f"{('ham', 'spam')[n % 2]}\t{says[n % 8]} {n} {says[n % 7]}" for n in range(40)]
    source = "  source: {csv: {path: messages, delimiter: tab, quote: none, names: [label, text]}}\n  target: label\n"
    columns = {"text": {"kind": "text", "missing": 0, "example": '"Hello 0 "Hello'}}
    return Awkward({"messages": lines(*rows)}, source, 40, columns, ["ham", "spam"])


SHAPES = (
    census,
    cars,
    byte_order_marks,
    blank_cells,
    arff_comments,
    empty_rows_and_columns,
    next_line_signs,
    quotes_that_quote_nothing,
)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)


@every_shape
def test_rows_kinds_and_values_are_as_they_should_be(tmp_path: Path, shape: Any) -> None:
    awkward = shape()
    found = check(awkward.write(tmp_path), data=True)
    assert sum(found["rows"].values()) == awkward.rows
    assert found["classes"] == awkward.classes
    assert set(found["columns"]) == set(awkward.columns)
    for name, expected in awkward.columns.items():
        assert {key: found["columns"][name][key] for key in expected} == expected
    assert all(any(part in note for note in found["notes"]) for part in awkward.notes)


@every_shape
def test_the_raw_file_is_predicted_as_in_training(tmp_path: Path, shape: Any) -> None:
    awkward = shape()
    run = train(awkward.write(tmp_path), runs=tmp_path / "runs")
    require_same(run.path, tmp_path / (awkward.raw or next(iter(awkward.files))))


def test_rows_are_called_by_their_numbers_in_the_file_whatever_is_left_out(tmp_path: Path) -> None:
    rows = [f"{n},{n * 7 % 100},{n % 2}" for n in range(100)]
    (tmp_path / "t.csv").write_bytes(lines("a,b,y", ",,", *rows, "50,50,1", ",,"))
    source = "  source: {csv: t.csv}\n  target: 'y'\n  where: a >= 10\n"
    (tmp_path / "t.yaml").write_text(f"data:\n{source}split: {{random: {{validation: 0.2, test: 0}}}}\n{NETWORK}")
    found = {each["code"]: each["rows"] for each in check(tmp_path / "t.yaml", data=True)["findings"]}
    assert found["contradicting-rows"] == [52, 102]
