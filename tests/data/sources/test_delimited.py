"""The csv source, on real awkward files and on small ones that show one thing each."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcli.data.sources.delimited import Csv
from dlcli.problems import DataError, Problem
from dlcli.samples import MISSING, Found

AUTO_MPG = (
    "mpg", "cylinders", "displacement", "horsepower", "weight", "acceleration", "model year", "origin", "car name"
)  # fmt: skip


def read(path: Path, **fields: Any) -> Found:
    return Csv(path=(str(path),), **fields).read()


def write(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(found: Found) -> list[tuple[str, ...]]:
    """The cells row by row; a missing cell is "-"."""
    return list(zip(*(found.samples[name].texts("-") for name in found.samples), strict=True))


def problem_of(path: Path, **fields: Any) -> Problem:
    with pytest.raises(DataError) as raised:
        read(path, **fields)
    (problem,) = raised.value.problems
    assert problem.suggestion
    return problem


# Real files


def test_auto_mpg_is_divided_by_runs_of_blanks_around_its_quoted_names(shared_data: Path) -> None:
    found = read(shared_data / "awkward" / "auto-mpg.data", names=AUTO_MPG, missing=("?",))
    assert found.samples.rows == 398
    assert found.notes == ("delimiter: blanks",)
    assert found.samples["car name"].texts()[0] == "chevrolet chevelle malibu"
    assert found.samples["weight"].texts()[0] == "3504."
    assert (found.samples["horsepower"].codes == MISSING).sum() == 6


def test_adult_has_a_test_file_of_its_own_with_a_comment_above_it(shared_data: Path) -> None:
    folder = shared_data / "awkward"
    found = read(
        folder / "adult.data.gz", test=(str(folder / "adult.test.gz"),), header=False, comment="|", missing=("?",)
    )
    assert found.subsets is not None
    assert {name: len(numbers) for name, numbers in found.subsets.items()} == {"train": 32561, "test": 16281}
    assert found.samples["column_15"].vocabulary == ("<=50K", "<=50K.", ">50K", ">50K.")
    assert (found.samples["column_2"].codes == MISSING).sum() == 1836 + 963


def test_the_comment_above_the_adult_test_file_can_also_be_skipped(shared_data: Path) -> None:
    found = read(shared_data / "awkward" / "adult.test.gz", header=False, skip_rows=1)
    assert found.samples.rows == 16281


def test_quotes_that_are_only_text_are_left_alone_with_quote_none(shared_data: Path) -> None:
    found = read(shared_data / "text" / "SMSSpamCollection", names=("label", "text"), quote="none")
    assert found.samples.rows == 5574
    assert found.samples["label"].vocabulary == ("ham", "spam")
    assert sum('"' in text for text in found.samples["text"].texts()) == 145


def test_a_quote_that_never_closes_is_a_problem_that_names_quote_none(shared_data: Path) -> None:
    problem = problem_of(shared_data / "text" / "SMSSpamCollection", names=("label", "text"))
    assert problem.code == "stray-quote"
    assert "line 283" in problem.message
    assert "quote: none" in problem.suggestion


def test_a_next_line_sign_within_a_text_does_not_break_the_line(shared_data: Path) -> None:
    found = read(shared_data / "text" / "imdb_labelled.txt", header=False, quote="none")
    assert found.samples.rows == 1000
    assert sum("\x85" in text for text in found.samples["column_1"].texts()) == 2


@pytest.mark.parametrize(
    ("name", "rows", "columns", "delimiter"),
    [
        ("churn/Churn_Modelling.csv", 10_000, 14, "comma"),
        ("tabular/titanic.csv", 891, 12, "comma"),
        ("tabular/winequality-red.csv", 1_599, 12, "semicolon"),
        ("tabular/bank-additional.csv.gz", 4_119, 21, "semicolon"),
        ("tabular/heart.csv", 303, 14, "comma"),
        ("tabular/scene.csv.gz", 2_407, 301, "comma"),
        ("series/daily-min-temperatures.csv", 3_650, 2, "comma"),
        ("series/ETTh1.csv.gz", 17_420, 8, "comma"),
        ("text/yelp_labelled.txt", 999, 2, "tab"),
    ],
)
def test_a_real_file_reads_without_a_setting(
    shared_data: Path, name: str, rows: int, columns: int, delimiter: str
) -> None:
    found = read(shared_data / name)
    assert (found.samples.rows, len(found.samples)) == (rows, columns)
    assert found.settings["delimiter"] == delimiter


def test_a_byte_order_mark_is_no_part_of_the_first_name(shared_data: Path) -> None:
    assert next(iter(read(shared_data / "tabular" / "heart.csv").samples)) == "age"


def test_names_in_quotes_hold_commas_and_quotes(shared_data: Path) -> None:
    names = read(shared_data / "tabular" / "titanic.csv").samples["Name"].texts()
    assert names[0] == "Braund, Mr. Owen Harris"
    assert "Holverson, Mrs. Alexander Oskar (Mary Aline Towner)" in names
    assert 'McGowan, Miss. Anna "Annie"' in names


# The fields


@pytest.mark.parametrize("sign", ["comma", "semicolon", "tab", "pipe", "blanks", ":"])
def test_a_delimiter_can_be_named_or_written(tmp_path: Path, sign: str) -> None:
    character = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "blanks": " \t "}.get(sign, sign)
    path = write(tmp_path, character.join("ab") + "\n" + character.join("12"))
    assert rows(read(path, delimiter=sign)) == [("1", "2")]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", "comma"),
        ("a;b\n1,5;2,5\n", "semicolon"),
        ("text\tlabel\nwell, well, well\t1\noh, no\t0\n", "tab"),
        ("2016-01-01 00:00\t5\n2016-01-01 01:00\t6\n", "tab"),
        ("one\n1\n2\n", "comma"),
        ("1   2.0\n10  3.0\n", "blanks"),
        ("a|b\n1|2\n", "pipe"),
    ],
)
def test_the_delimiter_is_found_and_said(tmp_path: Path, text: str, delimiter: str) -> None:
    found = read(write(tmp_path, text))
    assert found.notes[0] == f"delimiter: {delimiter}"
    assert found.settings["delimiter"] == delimiter


def test_names_imply_that_there_is_no_header(tmp_path: Path) -> None:
    found = read(write(tmp_path, "1,2\n3,4\n"), names=("x", "y"))
    assert list(found.samples) == ["x", "y"]
    assert rows(found) == [("1", "2"), ("3", "4")]
    assert found.settings["header"] is False


def test_names_beside_a_header_replace_it(tmp_path: Path) -> None:
    found = read(write(tmp_path, "a,b\n3,4\n"), names=("x", "y"), header=True)
    assert (list(found.samples), rows(found)) == (["x", "y"], [("3", "4")])


def test_without_header_and_names_columns_are_numbered(tmp_path: Path) -> None:
    assert list(read(write(tmp_path, "1,2\n"), header=False).samples) == ["column_1", "column_2"]


def test_an_empty_name_in_the_header_becomes_a_number(tmp_path: Path) -> None:
    assert list(read(write(tmp_path, ",b\n1,2\n")).samples) == ["column_1", "b"]


def test_missing_tokens_hold_for_all_columns_or_by_column(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\nNA,NA\n,x\n")
    assert rows(read(path, missing=("NA",))) == [("-", "-"), ("-", "x")]
    assert rows(read(path, missing={"a": ("NA",)})) == [("-", "NA"), ("-", "x")]


def test_missing_tokens_for_a_column_that_is_not_there_are_a_problem(tmp_path: Path) -> None:
    problem = problem_of(write(tmp_path, "a,b\n1,2\n"), missing={"c": ("NA",)})
    assert (problem.code, "c" in problem.message) == ("missing-column", True)


def test_blanks_around_a_cell_are_dropped_unless_strip_is_off(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n x , "y, z" \n', "blank.csv")
    assert rows(read(path)) == [("x", "y, z")]
    path = write(tmp_path, "a,b\n x ,y\n")
    assert rows(read(path, strip=False)) == [(" x ", "y")]


def test_a_decimal_comma_becomes_a_point_in_numbers_only(tmp_path: Path) -> None:
    found = read(write(tmp_path, "a;b\n3,5;x, y\n-1,25e3;1,2,3\n"), decimal=",")
    assert rows(found) == [("3.5", "x, y"), ("-1.25e3", "1,2,3")]


def test_another_quote_character_quotes(tmp_path: Path) -> None:
    assert rows(read(write(tmp_path, "a,b\n'x, y','it''s'\n"), quote="'")) == [("x, y", "it's")]


def test_quotes_within_a_cell_that_is_not_quoted_are_text(tmp_path: Path) -> None:
    path = write(tmp_path, 'size,name\n5",disk\n3.5" and 8","big, ""old"""\n')
    assert rows(read(path)) == [('5"', "disk"), ('3.5" and 8"', 'big, "old"')]


def test_a_quoted_cell_may_hold_line_ends(tmp_path: Path) -> None:
    assert rows(read(write(tmp_path, 'a,b\n"x\n\ny",1\n'))) == [("x\n\ny", "1")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_and_empty_lines_are_understood(tmp_path: Path, end: str) -> None:
    path = write(tmp_path, end.join(["", "a,b", "1,2", "", "  ", "3,4", ""]))
    assert rows(read(path)) == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize(("name", "pack"), [("t.csv.gz", gzip.compress), ("t.csv.xz", lzma.compress)])
def test_packed_files_are_unpacked(tmp_path: Path, name: str, pack: Any) -> None:
    assert rows(read(write(tmp_path, pack(b"a,b\n1,2\n"), name))) == [("1", "2")]


def test_another_encoding_is_read_when_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\nÄpfel,1\n".encode("utf-16"))
    assert problem_of(path).suggestion.startswith("write `encoding: utf-16`")
    assert rows(read(path, encoding="utf-16")) == [("Äpfel", "1")]


def test_files_of_a_list_or_a_glob_follow_each_other_whatever_their_column_order(tmp_path: Path) -> None:
    first, second = write(tmp_path, "a,b\n1,2\n", "1.csv"), write(tmp_path, "b,a\n4,3\n", "2.csv")
    expected = [("1", "2"), ("3", "4")]
    assert rows(Csv(path=(str(first), str(second))).read()) == expected
    assert rows(read(tmp_path / "*.csv")) == expected


def test_files_with_different_columns_are_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "a,b\n1,2\n", "1.csv")
    write(tmp_path, "a,c\n4,3\n", "2.csv")
    problem = problem_of(tmp_path / "*.csv")
    assert problem.code == "different-columns"
    assert "2.csv lacks b and also has c" in problem.message


def test_a_validation_file_is_a_subset_of_its_own(tmp_path: Path) -> None:
    train, other = write(tmp_path, "a\n1\n2\n", "1.csv"), write(tmp_path, "a\n3\n", "2.csv")
    found = read(train, validation=(str(other),))
    assert found.subsets is not None
    assert {name: list(numbers) for name, numbers in found.subsets.items()} == {"train": [0, 1], "validation": [2]}


def test_another_file_is_read_in_the_same_way(tmp_path: Path) -> None:
    train, new = write(tmp_path, "a:b\n1:2\n", "1.csv"), write(tmp_path, "a:b\n?:4\n", "2.csv")
    source = Csv(path=(str(train),), delimiter=":", missing=("?",)).other_file(str(new))
    assert rows(source.read()) == [("-", "4")]


# What cannot be read


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("", "empty-file", "is empty"),
        ("\n\n", "empty-file", "is empty"),
        ("a,b\n", "no-rows", "header but no rows"),
        ("a,b\n1,2\n1,2,3\n1\n", "ragged-line", "line 3: 3 cells, but line 1 has 2 (2 such lines up to line 4)"),
        ('a,b\n"x,1\n', "stray-quote", "line 2"),
        ('a,b\n"x"y,1\n', "stray-quote", "line 2"),
        ("a,a\n1,2\n", "duplicate-column", "more than one column is called a"),
        (b"a,b\n\xff\xfe\xfa,1\n", "wrong-encoding", "line 2: not utf-8"),
        (b"a,b\n\0,1\n", "not-text", "NUL"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: str | bytes, code: str, words: str) -> None:
    problem = problem_of(write(tmp_path, content))
    assert problem.code == code
    assert words in problem.message
    assert "table.csv" in problem.message


def test_lines_that_are_left_out_still_count_in_line_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "# made by hand\n\na,b\n# 'odd \"\n1,2\n1,2,3\n")
    assert "line 6: 3 cells, but line 3 has 2" in problem_of(path, comment="#").message


def test_a_missing_file_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, "a\n1\n", "penguins.csv")
    problem = problem_of(tmp_path / "pengins.csv")
    assert problem.code == "file-not-found"
    assert problem.suggestion == f"did you mean {tmp_path / 'penguins.csv'}?"
    assert problem.path == ("data", "source", "csv", "path")


def test_a_missing_folder_a_folder_and_an_empty_glob_are_told_apart(tmp_path: Path) -> None:
    assert "does not exist" in problem_of(tmp_path / "no" / "t.csv").suggestion
    assert problem_of(tmp_path).code == "not-a-file"
    assert "no file matches" in problem_of(tmp_path / "*.csv").message


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.xz"])
def test_a_damaged_packed_file_is_a_problem(tmp_path: Path, name: str) -> None:
    packed = (gzip.compress if name.endswith("gz") else lzma.compress)(b"a,b\n" + b"1,2\n" * 500)
    assert problem_of(write(tmp_path, packed[: len(packed) // 2], name)).code == "damaged-file"


def test_names_that_do_not_fit_the_file_are_a_problem(tmp_path: Path) -> None:
    problem = problem_of(write(tmp_path, "1,2\n"), names=("x",))
    assert (problem.code, problem.path[-1]) == ("wrong-names", "names")


# Any table

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=6)


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6)
    )
)
@settings(max_examples=60, deadline=None)
def test_what_is_written_quoted_is_read_back(tmp_path_factory: pytest.TempPathFactory, table: list[list[str]]) -> None:
    lines = [",".join(f"c{number}" for number in range(len(table[0])))]
    lines += [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table]
    path = write(tmp_path_factory.mktemp("t"), "\n".join(lines) + "\n")
    kept = [row for row in table if any(row) or len(row) == 1]
    if not kept:
        assert problem_of(path, delimiter="comma", strip=False).code == "no-rows"
        return
    found = read(path, delimiter="comma", strip=False)
    assert rows(found) == [tuple(cell or "-" for cell in row) for row in kept]


def test_a_first_line_of_numbers_is_questioned_as_a_header(tmp_path: Path) -> None:
    assert "looks like data" in read(write(tmp_path, "18.0,8,chevrolet\n15.0,6,ford\n")).notes[1]


def test_empty_lines_of_a_single_column_are_counted(tmp_path: Path) -> None:
    assert "1 empty lines of" in read(write(tmp_path, "length\n40\n\n50\n")).notes[-1]


class TestManyNumbers:
    """Columns of nothing but many different numbers are read without a code for each."""

    def written(self, path: Path, lines: list[str]) -> Path:
        path.write_text("\n".join(lines) + "\n")
        return path

    @given(st.lists(st.floats(-1e12, 1e12) | st.integers(-(10**14), 10**14), min_size=1, max_size=30))
    def test_they_are_what_python_reads(self, some: list[float]) -> None:
        with TemporaryDirectory() as folder:
            rows = [*map(repr, some), *(f"{number}.25" for number in range(1200))]
            found = read(self.written(Path(folder) / "t.csv", ["x,k", *(f"{row},a" for row in rows)]))
        assert found.samples["x"].tolist() == [float(row) for row in rows]
        assert found.samples["k"].vocabulary == ("a",)

    def test_gaps_tokens_and_decimal_commas_among_them(self, tmp_path: Path) -> None:
        rows = [f"{number},5;{number}" for number in range(1500)]
        path = self.written(tmp_path / "t.csv", ["x;y", ";0", "NA;1", *rows, ";"])
        found = read(path, missing=("NA",), decimal=",")
        x, y = found.samples["x"], found.samples["y"]
        assert np.isnan(x).nonzero()[0].tolist() == [0, 1]
        assert (x[2], y[1], found.samples.rows) == (0.5, 1, 1502)

    @pytest.mark.parametrize("odd", ["007", "x", "1_0", "inf", "nan", "+1", "1234567890123456"])
    def test_a_cell_that_may_be_a_name_keeps_all_of_them_as_text(self, odd: str, tmp_path: Path) -> None:
        rows = [f"{number},{number}" for number in range(1500)]
        found = read(self.written(tmp_path / "t.csv", ["x,y", *rows, f"{odd},3"]))
        assert found.samples["x"].texts().tolist()[-2:] == ["1499", odd]
        assert found.samples["y"].dtype == np.float64

    def test_files_whose_columns_stand_in_another_order(self, tmp_path: Path) -> None:
        one = self.written(tmp_path / "1.csv", ["x,k", *(f"{number},a" for number in range(1100))])
        two = self.written(tmp_path / "2.csv", ["k,x", *(f"b,{number}.5" for number in range(1100))])
        found = Csv(path=(str(one), str(two))).read()
        assert found.samples["x"][[0, 1100]].tolist() == [0, 0.5]
        assert found.samples["k"].texts()[[0, 1100]].tolist() == ["a", "b"]
