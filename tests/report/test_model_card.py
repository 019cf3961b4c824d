"""The model card: facts of the run under the headings that readers know, names from data as names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dlcli.report.markdown import plain
from dlcli.report.model_card import model_card, write_model_card
from dlcli.report.run_files import read_run
from dlcli.samples import ColumnSchema, Schema
from tests.report import runs

HEADINGS = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Training procedure",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
    "How to use it",
    "Versions",
]
NASTY = ("a|b", runs.HOSTILE, "*bold* _it_ `code` [x](y) $m$")


def card(folder: Path, *, has_model: bool = True) -> str:
    return model_card(read_run(folder), has_model=has_model)


def tokens(text: str) -> list[Any]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def tables(text: str) -> list[list[list[str]]]:
    """Rows of cells of each table."""
    found: list[list[list[str]]] = []
    parsed = tokens(text)
    for place, token in enumerate(parsed):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("th_open", "td_open"):
            found[-1][-1].append(shown(parsed[place + 1]))
    return found


def shown(inline: Any) -> str:
    """What a reader sees of a line."""
    return "".join(child.content for child in inline.children)


def test_it_has_the_headings_of_model_cards(tmp_path: Path) -> None:
    parsed = tokens(card(runs.classification(tmp_path)))
    found = [
        parsed[place + 1].content for place, token in enumerate(parsed) if token.tag == "h2" and token.nesting == 1
    ]
    assert found == HEADINGS


def test_what_only_a_person_knows_is_left_open_and_marked(tmp_path: Path) -> None:
    text = card(runs.classification(tmp_path))
    blanks = re.findall(r"\*\*\[to be written: (.+)\]\*\*", text)
    assert len(blanks) == 8
    assert "what the model is for" in blanks


def test_scores_stand_with_interval_baseline_and_star(tmp_path: Path) -> None:
    scores = tables(card(runs.classification(tmp_path)))[0]
    assert scores[0] == ["rows of", "rows", "score", "value", "95 % interval", "baseline"]
    assert scores[1] == ["test", "90", "accuracy", "0.84", "0.8 to 0.872", "0.42"]
    assert ["validation", "120", "accuracy", "0.87*", "0.83 to 0.902", "0.435"] in scores


def test_classes_and_slices_have_their_scores(tmp_path: Path) -> None:
    _, _, classes, slices = tables(card(runs.classification(tmp_path)))
    assert classes[0] == ["", "rows", "precision", "recall", "f1", "roc_auc"]
    assert [row[0] for row in classes[1:]] == ["low", "medium", "high"]
    assert slices[1] == ["city = Oslo", "40", "0.8 (0.76 to 0.832)"]


def test_a_k_fold_tells_mean_deviation_and_interval(tmp_path: Path) -> None:
    folder = runs.kfold(tmp_path)
    text = card(folder, has_model=False)
    mae = read_run(folder).scores["folds"][0]
    row = next(row for table in tables(text) for row in table if row[0] == "mae")
    assert row[1].startswith(f"{mae['mean']:.4g}"[:4])
    assert "This run has no model of its own." in text
    assert "The folds score the recipe, not one model" in text


@pytest.mark.parametrize(
    ("sentence", "more"),
    [
        ("The test set was opened 3 times: the best of as many equal models looks too good, by up to 0.0234.", {}),
        (r"Scores with \* are of rows that chose something", {}),
        ("Intervals that rest on few rows: f1 on test rows on 24", {}),
        ("Lowest recall of a class: 0.75, of low (30 test rows).", {}),
        ("Worst accuracy of a slice: 0.8, where city = Oslo (40 test rows).", {}),
        ("Warning of the run: validation rows are few", {}),
        ("The run has not come to its end (interrupted)", {"status": "interrupted"}),
        ("The model was trained on validation rows too", {"trained_on": ("train", "validation")}),
    ],
)
def test_caveats_follow_from_facts(tmp_path: Path, sentence: str, more: dict[str, Any]) -> None:
    assert f"- {sentence}" in card(runs.classification(tmp_path, **more))


def test_a_model_without_power_is_said_to_have_none(tmp_path: Path) -> None:
    folder = runs.regression(tmp_path)
    text, verdict = card(folder), read_run(folder).scores["verdicts"]["validation"]
    assert verdict["power"] is False
    assert f"On validation rows: {verdict['sentence']}" in text.partition("## Caveats")[2]
    assert "The test set was not opened" in text


def test_a_split_without_test_rows_is_said_to_have_none(tmp_path: Path) -> None:
    text = card(runs.regression(tmp_path, rows={"train": 300, "validation": 80, "test": 0}))
    assert "There are no test rows: no score here is of rows that took part in nothing." in text
    assert "not opened" not in text
    assert "test `" not in text


def test_a_description_is_told_as_it_is(tmp_path: Path) -> None:
    folder = runs.classification(tmp_path)
    (folder / "resolved.yaml").write_text("description: small, nonetheless good\n")
    assert "\n\nsmall, nonetheless good\n\n" in card(folder)


def test_settings_of_the_command_line_stand_beside_the_config(tmp_path: Path) -> None:
    text = card(runs.classification(tmp_path, options={"overrides": ["training.epochs=3"]}))
    assert "Changed on the command line: training.epochs=3" in text


def test_caveats_that_do_not_apply_are_not_there(tmp_path: Path) -> None:
    text = card(runs.minimal(tmp_path))
    for words in ("flatter", "few rows", "statistical power", "opened 1", "Lowest", "Warning"):
        assert words not in text


def test_names_from_data_stay_names(tmp_path: Path) -> None:
    folder = runs.classification(tmp_path, NASTY, columns=NASTY, warnings=(runs.HOSTILE,))
    text = card(folder)
    assert not [token for token in tokens(text) if token.type in ("html_block", "html_inline")]
    assert not [c for t in tokens(text) for c in t.children or () if c.type in ("html_inline", "link_open", "em_open")]
    classes = next(table for table in tables(text) if table[0][0] == "" and "recall" in table[0])
    assert [row[0] for row in classes[1:]] == list(NASTY)
    assert {len(row) for row in classes} == {6}


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_text_reads_as_it_is_in_a_table(name: str) -> None:
    ((_, (cell, after)),) = tables(f"| a | b |\n| --- | --- |\n| x {plain(name)} | y |\n")
    visible = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", name)
    assert (" ".join(cell.split()), after) == (" ".join(f"x {visible}".split()), "y")


def test_code_shows_how_to_call_the_model(tmp_path: Path) -> None:
    columns = {
        'the "age"': ColumnSchema(kind="numeric"),
        "city\n```": ColumnSchema(kind="categorical", dtype="string"),
        "photo": ColumnSchema(kind="image", shape=(28, 28, 1), dtype="uint8"),
    }
    text = card(runs.classification(tmp_path, data_schema=Schema(columns=columns)))
    (code,) = [token.content for token in tokens(text) if token.type == "fence" and token.info == "python"]
    compile(code, "card", "exec")
    assert "'the \"age\"': tf.constant([[0]], tf.float64)," in code
    assert "'city\\n```': tf.constant([[\"text\"]])," in code
    assert "'photo': tf.zeros([1, 28, 28, 1], tf.uint8)," in code


def test_many_columns_are_written_together(tmp_path: Path) -> None:
    columns = {f"x{number}": ColumnSchema(kind="numeric") for number in range(300)}
    text = card(runs.classification(tmp_path, data_schema=Schema(columns=columns)))
    assert "**dict.fromkeys(['x0', 'x1'," in text
    assert "x29 and 270 more" in text


def test_a_failed_run_has_a_card_too(tmp_path: Path) -> None:
    folder = runs.classification(tmp_path, status="failed", failure="the loss is | no number")
    (folder / "scores.json").unlink()
    path = write_model_card(read_run(folder), folder)
    text = path.read_text(encoding="utf-8")
    assert r"failed (the loss is \| no number)" in text
    assert "Nothing was scored." in text
    assert "This run has no model of its own." in text
