"""YAML text to nodes."""

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.config.document import load
from dlcli.config.nodes import Mapping, Scalar, Sequence, plain_data
from dlcli.config.reader import MAX_ALIASED_NODES, MAX_BYTES
from dlcli.config.resolver import resolve
from dlcli.problems import ConfigError
from tests.config.configs import SHORT, composed, problem, written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("NO", "NO"), ("true", True), ("False", False), ("", None), ("~", None),
        ("null", None), ("1", 1), ("-12", -12), ("+3", 3), ("0o17", 15), ("0x1F", 31), ("010", 10), ("1e-3", 0.001),
        ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), (".inf", math.inf), ("-.INF", -math.inf), ("1_000", "1_000"),
        ("2024-01-31", "2024-01-31"), ("1:30", "1:30"), ("0b1", "0b1"), (".", "."), ("-", "-"), ("1e", "1e"),
        ("9223372036854775807", 2**63 - 1), ("9223372036854775808", 2.0**63), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_quoted_scalars_are_text() -> None:
    node, _ = composed("a: '1'\nb: \"true\"\nc: 1")
    assert node is not None
    assert plain_data(node) == {"a": "1", "b": "true", "c": 1}


def test_a_scalar_keeps_what_is_written() -> None:
    node, _ = composed("a: 0x1F")
    assert isinstance(node, Mapping)
    scalar = node.get("a")
    assert isinstance(scalar, Scalar)
    assert (scalar.value, scalar.text) == (31, "0x1F")


def test_nodes_know_where_they_stand() -> None:
    node, _ = composed("# first\ndata:\n  数据: [one, 'two']\n")
    assert isinstance(node, Mapping)
    inner = node.get("data")
    assert isinstance(inner, Mapping)
    several = inner.get("数据")
    assert isinstance(several, Sequence)
    second = several.items[1].place
    assert (second.line, second.column, second.length, second.excerpt) == (3, 13, 5, "  数据: [one, 'two']")


def test_lines_end_as_yaml_ends_them() -> None:
    node, _ = composed("a: 1\r\nb: 2\rc: 3\u2028d: 4\n")
    assert isinstance(node, Mapping)
    assert [entry.key.place.line for entry in node.entries.values()] == [1, 2, 3, 4]


def test_aliases_repeat_a_value() -> None:
    node, problems = composed("a: &x {b: [1]}\nc: *x\n")
    assert node is not None
    assert plain_data(node) == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert problems == []


@pytest.mark.parametrize(
    ("text", "code", "underlined"),
    [
        ("a: 1\na: 2", "duplicate-key", "a"),
        ("a: &x {b: 1}\nc: {<<: *x}", "merge-key", "<<"),
        ("a: *x", "unknown-alias", "*x"),
        ("a: &x [*x]", "unknown-alias", "*x"),
        ("a: !x 1", "yaml-tag", "!x 1"),
        ("a: 1\n---\nb: 2", "several-documents", "---"),
        ("[a]: 1", "yaml-syntax", "[a]"),
        ("a: >50K", "yaml-syntax", ">50K"),
        ("a: |", "yaml-syntax", "|"),
        ("a: @x", "yaml-syntax", "@x"),
        ("a: %x", "yaml-syntax", "%x"),
        ("a: `x`", "yaml-syntax", "`x`"),
        ("a: \x07", "yaml-syntax", "\x07"),
    ],
)
def test_mistakes_are_underlined(text: str, code: str, underlined: str) -> None:
    _, (found,) = composed(text)
    place = found.place
    assert place is not None
    assert found.code == code
    assert place.excerpt[place.column - 1 :][: place.length] == underlined


@pytest.mark.parametrize("sign", [">50K", "*x", "!x", "|", "@x", "%x", "`x`", "?"])
def test_a_sign_that_wants_quotes_is_answered_with_quotes(sign: str) -> None:
    _, found = composed(f"positive: {sign}")
    assert f"'{sign}'" in found[0].suggestion


def test_several_mistakes_are_found_in_one_pass() -> None:
    _, found = composed("a: 1\na: 2\nb: *x\nc: !y 1\n")
    assert [problem.code for problem in found] == ["duplicate-key", "unknown-alias", "yaml-tag"]


def bomb(width: int) -> str:
    rows = ["a0: &a0 [x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, 12)]
    return "\n".join(rows)


@pytest.mark.parametrize(
    "text", [bomb(9), bomb(1000), "a: &a [x]\n" + "b: [*a]\n" + f"c: [{'*a, ' * MAX_ALIASED_NODES}]"]
)
def test_aliases_do_not_explode(text: str) -> None:
    _, found = composed(text)
    assert [problem.code for problem in found] == ["too-many-aliases"]


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "[{a: ", "{a: ["])
def test_a_mebibyte_of_brackets_is_refused(opening: str) -> None:
    _, found = composed((opening * MAX_BYTES)[:MAX_BYTES])
    assert found[0].code in ("too-deep", "yaml-syntax")


def test_too_many_values_are_refused() -> None:
    _, found = composed("a: [" + "a, " * 200_000 + "]")
    assert [problem.code for problem in found] == ["too-many-values"]


@given(st.text())
def test_any_text_gives_a_node_or_problems(text: str) -> None:
    node, found = composed(text)
    assert node is None or found == [] or found
    for each in found:
        assert each.place is not None
        assert each.place.line >= 1


def test_a_missing_file_is_answered_with_a_similar_name(tmp_path: Path) -> None:
    written(tmp_path, SHORT, "churn.yaml")
    with pytest.raises(ConfigError) as error:
        load(tmp_path / "chrun.yaml")
    assert error.value.problems[0].code == "config-not-found"
    assert str(tmp_path / "churn.yaml") in error.value.problems[0].suggestion


def test_a_directory_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path)
    assert error.value.problems[0].code == "config-is-directory"


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    assert problem(tmp_path, "#" * (MAX_BYTES + 1)).code == "config-too-large"


def test_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("a: 1\nb: caf\u00e9\n".encode("latin-1"))
    with pytest.raises(ConfigError) as error:
        load(tmp_path / "latin.yaml")
    assert error.value.problems[0].code == "config-not-utf8"
    assert "line 2" in error.value.problems[0].message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said(tmp_path: Path) -> None:
    written(tmp_path, SHORT).chmod(0)
    with pytest.raises(ConfigError) as error:
        load(tmp_path / "config.yaml")
    assert error.value.problems[0].code == "config-unreadable"


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    assert load(written(tmp_path, "\ufeff" + SHORT)).experiment.architecture


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null\n"])
def test_an_empty_config_says_how_to_begin(tmp_path: Path, text: str) -> None:
    found = problem(tmp_path, text)
    assert found.code == "empty-config"
    assert "dlcli init" in found.suggestion
