"""The report as one page: what stands in it, and that nothing in data becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dlcli.problems import DataError
from dlcli.report.run_files import read_run
from dlcli.task import Goal, Task
from tests.report import runs

_VOID = {"meta", "link", "img", "br", "input"}
_HOSTILE = (runs.HOSTILE, runs.BREAKING, "{{ 7 * 7 }}", "a\u2028b", "</title><script>alert(2)</script>", "<!--")

MAKERS: dict[str, Callable[[Path], Path]] = {
    "classification": runs.classification,
    "binary": lambda folder: runs.classification(folder, ("no", "yes")),
    "many classes": lambda folder: runs.classification(folder, [f"class {place}" for place in range(60)]),
    "multilabel": runs.multilabel,
    "regression": runs.regression,
    "time": lambda folder: runs.regression(folder, ordered=True),
    "k-fold": runs.kfold,
    "k-fold, final": lambda folder: runs.kfold(folder, final=True),
    "minimal": runs.minimal,
}


@dataclass
class Element:
    """An element of a page, with what is inside."""

    name: str
    attributes: dict[str, str | None]
    inside: list[Element | str] = field(default_factory=list)

    def all(self, name: str = "") -> Iterator[Element]:
        """This and every element below it, of a name."""
        if name in ("", self.name):
            yield self
        for each in self.inside:
            if isinstance(each, Element):
                yield from each.all(name)

    @property
    def text(self) -> str:
        """All text inside."""
        return "".join(each if isinstance(each, str) else each.text for each in self.inside)

    def __getitem__(self, attribute: str) -> str:
        return self.attributes[attribute] or ""


class Parser(HTMLParser):
    """Reads a page; whatever is not closed in order is a mistake."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of {tag} stands twice"
        made = Element(tag, dict(attrs))
        self._open[-1].inside.append(made)
        if tag not in _VOID:
            self._open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].inside.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag

    def handle_data(self, data: str) -> None:
        self._open[-1].inside.append(data)


def parsed(path: Path) -> Element:
    parser = Parser()
    parser.feed(runs.page_of(path).read_text(encoding="utf-8"))
    return parser.root


@pytest.fixture(scope="module", params=MAKERS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MAKERS[request.param](tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def page(run: Path) -> Element:
    return parsed(run)


def test_every_figure_has_its_caption_and_says_its_numbers_in_words(page):
    figures = list(page.all("figure"))
    assert figures
    by_id = {each["id"]: each for each in page.all() if "id" in each.attributes}
    for figure in figures:
        assert next(figure.all("figcaption")).text.strip()
        drawings = [each for each in figure.all("svg") if "aria-hidden" not in each.attributes]
        assert drawings or list(figure.all("table")) or list(figure.all("img"))
        for drawing in drawings:
            assert drawing["role"] == "img"
            assert by_id[drawing["aria-labelledby"]].text
            assert re.search(r"\d", by_id[drawing["aria-describedby"]].text)


def test_every_picture_has_words(page):
    for drawing in page.all("svg"):
        assert drawing.attributes.get("aria-hidden") == "true" or next(drawing.all("title")).text
    for image in page.all("img"):
        assert image["alt"]
        assert image["src"].startswith("data:image/png;base64,")


def test_nothing_is_asked_of_a_network(page):
    for each in page.all():
        for name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href"):
            if name in each.attributes:
                assert each[name].startswith(("#", "data:"))
        assert "style" not in each.attributes
        assert not [name for name in each.attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import", next(page.all("style")).text)


def test_the_page_allows_its_own_script_and_style_and_no_other(page):
    policy = next(each["content"] for each in page.all("meta") if "http-equiv" in each.attributes)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    running = [each for each in page.all("script") if each.attributes.get("type") != "application/json"]
    for kind, (only,) in (("script", running), ("style", list(page.all("style")))):
        digest = base64.b64encode(hashlib.sha256(only.text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_links_lead_somewhere_and_names_are_there_once(page):
    ids = [each["id"] for each in page.all() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for each in page.all():
        targets = [each[name] for name in ("aria-labelledby", "aria-describedby") if name in each.attributes]
        if (each.attributes.get("href") or "").startswith("#"):
            targets.append(each["href"][1:])
        assert set(targets) <= set(ids)


def test_headings_go_down_step_by_step_and_landmarks_are_there(page):
    levels = [int(each.name[1]) for each in page.all() if re.fullmatch("h[1-6]", each.name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for landmark in ("header", "nav", "main", "footer"):
        assert len(list(page.all(landmark))) == 1
    assert next(page.all("html"))["lang"] == "en"
    assert next(page.all("a")).text == "Skip to the contents"


def test_tables_say_what_they_show_and_name_rows_and_columns(page):
    for table in page.all("table"):
        assert next(table.all("caption")).text
        width = len(list(next(table.all("thead")).all("th")))
        for row in next(table.all("tbody")).all("tr"):
            cells = [each for each in row.inside if isinstance(each, Element)]
            assert len(cells) == width
            assert cells[0].name == "th"
            assert cells[0]["scope"] == "row"


def at(scores: Any, path: str) -> Any:
    for step in path.split("."):
        scores = scores[int(step) if isinstance(scores, list) else step]
    return scores


def test_numbers_are_those_of_the_scores(run, page):
    scores = json.loads((run / "scores.json").read_text())
    told = [each for each in page.all() if each.attributes.get("data-path")]
    for each in told:
        assert float(each["data-value"]) == at(scores, each["data-path"])
    paths = {each["data-path"] for each in told}
    for name in ("train", "validation", "test", "out_of_fold"):
        for place, score in enumerate(scores.get(name, {}).get("scores", ())):
            kinds = [kind for kind in ("value", "low", "high") if score[kind] is not None]
            assert {f"{name}.scores.{place}.{kind}" for kind in kinds} <= paths
    for place, fold in enumerate(scores.get("folds") or ()):
        assert {f"folds.{place}.{kind}" for kind in ("mean", "sd", "low", "high", "degrees")} <= paths
        assert fold["name"] in page.text


def test_the_same_run_gives_the_same_page(run):
    assert runs.page_of(run).read_bytes() == runs.page_of(run).read_bytes()


@pytest.mark.parametrize("make", [runs.classification, runs.multilabel])
def test_hostile_names_stay_text(tmp_path, make):
    harmless = parsed(
        make(tmp_path / "a", [f"word {place}" for place in range(len(_HOSTILE))], columns=("a", "b", "c"))
    )
    rows = [
        {
            "row": 1,
            "actual": word,
            "predicted": runs.HOSTILE,
            "loss": 1.0,
            "probability": None,
            "cells": {word: word},
            "image": runs.BREAKING,
        }
        for word in _HOSTILE
    ]
    features = [{"name": word, "drop": 0.1, "low": 0.0, "high": 0.2} for word in _HOSTILE]
    path = make(
        tmp_path / "b",
        _HOSTILE,
        columns=_HOSTILE,
        name=runs.HOSTILE,
        config="\n".join(_HOSTILE),
        warnings=_HOSTILE,
        arguments=("train", *_HOSTILE),
        failure=runs.HOSTILE,
        files={
            "worst.json": {"subset": "validation", "rows": rows},
            "importance.json": {
                "subset": "validation",
                "metric": runs.HOSTILE,
                "rows": 9,
                "repeats": 2,
                "features": features,
            },
        },
    )
    hostile = parsed(path)
    for name in ("script", "style", "title"):
        assert len(list(next(hostile.all("head")).all(name))) == len(list(next(harmless.all("head")).all(name)))
    assert {each.attributes.get("type") for each in hostile.all("script")} == {None, "application/json"}
    assert len([each for each in hostile.all("script") if "type" not in each.attributes]) == 1
    assert not list(hostile.all("img"))
    assert all(word in hostile.text for word in _HOSTILE)
    for data in hostile.all("script"):
        if "type" in data.attributes:
            assert json.loads(data.text)["places"]
            assert not re.search("[<>&\u2028\u2029]", data.text)


def test_text_that_no_page_may_hold_is_replaced(tmp_path):
    row = {"row": 1, "actual": "a\x00b\x1b[31m \ud800", "predicted": "c", "loss": 1.0, "probability": None, "cells": {}}
    path = runs.minimal(tmp_path, files={"worst.json": {"subset": "validation", "rows": [row]}})
    assert "a\ufffdb\ufffd[31m ?" in runs.page_of(path).read_text(encoding="utf-8")


def test_thumbnails_are_shown_and_anything_else_is_not(tmp_path):
    row = {"row": 3, "actual": "cat", "predicted": "dog", "loss": 2.0, "probability": 0.1, "cells": {}}
    images = (runs.PIXEL, "data:text/html;base64,PHNjcmlwdD4=", "https://example.com/a.png")
    rows = [row | {"image": each} for each in images]
    page = parsed(runs.minimal(tmp_path, files={"worst.json": {"subset": "validation", "rows": rows}}))
    (image,) = page.all("img")
    assert image["alt"] == "Input of row 3: actual cat, predicted dog"


def test_the_largest_page_is_small_enough_to_send(tmp_path):
    classes = [f"class number {place}" for place in range(100)]
    epochs = runs.history(200, ["accuracy", "f1"])
    cells = {f"column {place}": "x" * 300 for place in range(40)}
    row = {"row": 1, "actual": "a", "predicted": "b", "loss": 1.0, "probability": 0.5, "cells": cells}
    files = {"worst.json": {"subset": "test", "rows": [row | {"image": "data:image/png;base64," + "A" * 90_000}] * 12}}
    wide = runs.classification(
        tmp_path / "a",
        classes,
        epochs=epochs,
        columns=[f"column {place}" for place in range(2000)],
        config="- a line of a config\n" * 40_000,
        files=files,
    )
    long = runs.kfold(tmp_path / "b", folds=10, repeats=5, epochs=200)
    assert runs.page_of(wide).stat().st_size < 3_000_000
    assert runs.page_of(long).stat().st_size < 3_000_000


def test_many_epochs_are_thinned(tmp_path):
    page = runs.page_of(runs.minimal(tmp_path, epochs=runs.history(20_000, ["accuracy"])))
    assert page.stat().st_size < 500_000


def text_of(path: Path) -> str:
    return " ".join(parsed(path).text.split())


def test_it_says_how_often_the_test_rows_were_opened_and_what_that_costs(tmp_path):
    opened = text_of(runs.classification(tmp_path / "a"))
    assert "opened 3 times: the best of 3 equal models looks too good by up to 0.0234 (accuracy)" in opened
    assert "nobody has seen the targets of its 90 rows" in text_of(runs.regression(tmp_path / "b"))
    assert "opened once" in text_of(runs.kfold(tmp_path / "c", final=True))


def test_it_says_whether_the_model_has_statistical_power(tmp_path):
    assert "No statistical power: mae" in text_of(runs.regression(tmp_path / "a"))
    assert "Has statistical power: mae" in text_of(runs.kfold(tmp_path / "b"))


def test_it_says_what_the_interval_over_folds_covers(tmp_path):
    text = text_of(runs.kfold(tmp_path))
    assert "14 degrees of freedom" in text
    assert "The 95 % interval holds the expected score of this recipe trained on 4/5 of this many rows." in text


def test_it_says_why_there_is_no_interval_and_marks_rows_that_chose(tmp_path):
    assert "fewer than 50 rows in time order" in text_of(runs.regression(tmp_path / "a", ordered=True))
    page = parsed(runs.classification(tmp_path / "b"))
    cells = [each.text for each in next(s for s in page.all("section") if s["id"] == "scores").all("td")]
    assert "0.87*" in cells
    assert "0.84" in cells


def test_scores_on_other_files_stand_beside(tmp_path):
    path = runs.minimal(tmp_path)
    told = {"file": "/data/new.csv", "time": "2026-03-02T08:00:00+00:00", "looks": 2}
    (path / "evaluations").mkdir()
    (path / "evaluations" / "1.json").write_text(
        json.dumps(told | runs.sheet(data=runs.subset(50, [runs.score("accuracy", 0.75)])) | {"looks": 2})
    )
    text = text_of(path)
    assert "50 rows of /data/new.csv, 2026-03-02 08:00 UTC; looked at 2 times" in text
    assert "accuracy0.750.71 to 0.782" in text


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_run_that_did_not_end_has_a_page_too(tmp_path, status):
    path = runs.write(tmp_path, None, goal=Goal(Task.BINARY, ("y",), ("no", "yes")), status=status, failure="disk full")
    text = text_of(path)
    assert f"This run is {status}: disk full." in text
    assert "There are no scores yet." in text


@pytest.mark.parametrize("file", ["scores.json", "history.csv", "worst.json", "diagnosis.json", "record.json"])
def test_a_damaged_file_is_named(tmp_path, file):
    path = runs.classification(tmp_path)
    (path / file).write_bytes(b"{\xff,")
    with pytest.raises(DataError, match=file):
        runs.page_of(path)
    assert not (path / "report.html").exists()


def test_it_shows_what_mistakes_cost(tmp_path):
    folder = runs.classification(tmp_path)
    first, second = read_run(folder).record.goal.classes[:2]
    (folder / "resolved.yaml").write_text(f"evaluation: {{costs: {{{first!r}: {{{second!r}: 7.5}}}}}}\n")
    scores = json.loads((folder / "scores.json").read_text())
    scores["validation"]["scores"].append(runs.score("mean_cost", 1.5))
    (folder / "scores.json").write_text(json.dumps(scores))
    shown = runs.page_of(folder).read_text()
    assert "Costs, of which mean_cost is the mean over rows." in shown
    assert 'data-value="7.5"' in shown
