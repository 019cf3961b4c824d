"""The report in a real browser: nothing goes wrong, nothing is asked for, everything fits and can be used by keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlcli.numbers import number
from tests.conftest import REPOSITORY
from tests.report import runs
from tests.report.browser import Browser, Page

pytestmark = pytest.mark.slow

_WINDOWS = {"phone": (360, 800), "desktop": (1280, 900)}
_HOSTILE = (runs.HOSTILE, runs.BREAKING, "a very long name without a gap " + "x" * 200)
_MAKERS: dict[str, Callable[[Path], Path]] = {
    "classification": runs.classification,
    "many classes": lambda folder: runs.classification(folder, [f"class {place}" for place in range(40)]),
    "hostile names": lambda folder: runs.classification(
        folder, _HOSTILE, columns=_HOSTILE, name=_HOSTILE[2], warnings=_HOSTILE, config="x" * 500
    ),
    "multilabel": runs.multilabel,
    "regression": runs.regression,
    "time": lambda folder: runs.regression(folder, ordered=True),
    "k-fold": lambda folder: runs.kfold(folder, final=True),
    "minimal": runs.minimal,
}

_UNREADABLE = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (below, colour) => {
    canvas.globalCompositeOperation = "source-over";
    canvas.fillStyle = below; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
    return `rgb(${r}, ${g}, ${b})`;
  };
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9]+/g).map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const chain = [];
    for (let each = element; each; each = each.parentElement) chain.unshift(getComputedStyle(each).backgroundColor);
    return chain.reduce(over, "rgb(255, 255, 255)");
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || ["SCRIPT", "title", "desc"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    const colour = over(below, element.closest("svg") ? style.fill : style.color);
    const [dark, bright] = [light(below), light(colour)].sort((a, b) => a - b);
    const contrast = (bright + 0.05) / (dark + 0.05);
    if (contrast < 4.5) found.push([element.tagName, element.textContent.slice(0, 40), contrast]);
  }
  return found;
})()
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module", params=_MAKERS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = _MAKERS[request.param](tmp_path_factory.mktemp("run"))
    runs.page_of(made)
    return made


def opens_well(browser: Browser, file: Path, window: str) -> None:
    """Nothing goes wrong, nothing is asked for, nothing is wider than the window, and numbers are the scores'."""
    scores = json.loads((file.parent / "scores.json").read_text())
    with browser.page(file, *_WINDOWS[window]) as page:
        assert page.run("document.documentElement.scrollWidth") == _WINDOWS[window][0]
        page.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.run("document.documentElement.scrollWidth") == _WINDOWS[window][0]
        assert page.run("[...document.querySelectorAll('th')].filter((e) => e.scrollWidth > e.clientWidth).length") == 0
        assert page.run("[...document.querySelectorAll('svg[role=img]')].every((e) => e.getBoundingClientRect().width)")
        assert page.run("[...document.querySelectorAll('figure')].every((e) => e.querySelector('figcaption'))")
        found = page.run(
            "[...document.querySelectorAll('[data-path]')].map((e) => [e.dataset.path, e.dataset.value, e.textContent])"
        )
        assert page.complaints() == []
        assert page.requests() == [file.as_uri()]
    assert found
    for path, value, text in found:
        expected = scores
        for step in path.split("."):
            expected = expected[int(step) if isinstance(expected, list) else step]
        assert (float(value), text) == (expected, number(expected))


@pytest.mark.parametrize("window", _WINDOWS)
def test_a_page_opens_without_a_complaint_asks_for_nothing_and_fits(browser, run, window):
    opens_well(browser, run / "report.html", window)


_SERIES = """
task: regression
data: {source: {csv: series.csv}, target: y, time: t}
split: {chronological: {validation: 0.2, test: 0.2}}
preprocessing: [standardize]
architecture: [dense: 4]
training: {epochs: 3}
metrics: [mae, rmse]
"""


@pytest.mark.parametrize(
    "words",
    [
        ("train", REPOSITORY / "configs" / "wine.yaml", "--evaluate", "--repeat", "2"),
        ("train", "series.yaml"),
        ("kfold", REPOSITORY / "configs" / "diabetes-kfold.yaml", "--set", "kfold.repeats=2", "--final"),
    ],
    ids=["classification", "series", "k-fold"],
)
def test_the_report_of_a_real_run_opens_well(browser, dlcli, tmp_path, words):
    rows = [
        f"2026-01-{1 + hour // 24:02d}T{hour % 24:02d}:00,{hour % 7},{3 * (hour % 7) + hour % 5}.5"
        for hour in range(500)
    ]
    (tmp_path / "series.csv").write_text("\n".join(["t,x,y", *rows]))
    (tmp_path / "series.yaml").write_text(_SERIES)
    done = dlcli(*words, "--set", "training.epochs=4")
    assert done.exit_code == 0, done.output
    assert dlcli("report").exit_code == 0
    (file,) = (tmp_path / "runs").glob("*/report.html")
    for window in _WINDOWS:
        opens_well(browser, file, window)


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_stands_out_from_its_ground(browser, run, dark):
    with browser.page(run / "report.html", 1280, 900, dark=dark) as page:
        page.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.run(_UNREADABLE) == []


def test_without_scripts_everything_but_the_buttons_is_there(browser, run):
    with browser.page(run / "report.html", 1280, 900) as page:
        drawn = page.run("document.querySelectorAll('figure svg[role=img]').length")
    with browser.page(run / "report.html", 1280, 900, scripts=False) as page:
        assert page.run("document.querySelectorAll('figure svg[role=img]').length") == drawn
        assert page.run("[...document.querySelectorAll('button, input')].every((each) => !each.checkVisibility())")
        assert page.complaints() == []


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A classification at desktop width."""
    with browser.page(runs.page_of(runs.classification(tmp_path)), 1280, 900) as opened:
        yield opened


_COLUMN = "[...document.querySelectorAll('#scores tbody tr')].map((row) => parseFloat(row.cells[3].textContent))"
_HEAD = "document.querySelectorAll('#scores thead th')[3]"


def test_a_heading_sorts_its_table_by_keys_alone(page):
    page.run(f"{_HEAD}.querySelector('button').focus()")
    for order, reverse in (("ascending", False), ("descending", True)):
        page.press("Enter")
        assert page.run(f"{_HEAD}.getAttribute('aria-sort')") == order
        values = page.run(_COLUMN)
        assert values == sorted(values, reverse=reverse)


def test_curves_are_read_with_the_keys_and_with_the_pointer(page):
    epochs = runs.history(60, ["accuracy"])
    page.run("document.querySelector('#curves input[type=range]').focus()")
    page.press("Home")
    page.press("ArrowRight")
    said = page.run("document.querySelector('#curves input[type=range]').getAttribute('aria-valuetext')")
    assert said.startswith(f"epoch 2: training {number(epochs[1]['loss'])}; validation {number(epochs[1]['val_loss'])}")
    readings = page.run("[...document.querySelectorAll('#curves .reading')].map((each) => each.textContent)")
    assert readings[1] == f"epoch 2: validation {number(epochs[1]['val_accuracy'])}"
    page.run("document.activeElement.blur(); document.querySelector('#curve-0').scrollIntoView({ block: 'center' })")
    box = page.run("document.querySelector('#curve-0 svg[role=img]').getBoundingClientRect().toJSON()")
    page.point(box["right"] - 5, (box["top"] + box["bottom"]) / 2)
    assert page.run("document.querySelector('#curve-0 .reading').textContent").startswith("epoch 60: ")
    page.point(5, 5)
    assert page.run("document.querySelector('#curve-0 .reading').textContent") == ""


def test_the_first_key_offers_to_skip_to_the_contents(page):
    page.press("Tab")
    assert page.run("document.activeElement.textContent") == "Skip to the contents"
    assert page.run("document.activeElement.getBoundingClientRect().left") == 0


def test_colours_follow_the_system_until_the_button_is_pressed(browser, tmp_path):
    ground = "getComputedStyle(document.body).backgroundColor"
    file = runs.page_of(runs.minimal(tmp_path))
    with browser.page(file, 1280, 900) as page:
        light = page.run(ground)
        page.run("document.getElementById('theme').click()")
        dark = page.run(ground)
        assert light != dark
    with browser.page(file, 1280, 900, dark=True) as page:
        assert page.run(ground) == dark


def test_on_paper_it_is_light_and_folded_parts_are_open(browser, tmp_path):
    with browser.page(runs.page_of(runs.classification(tmp_path)), 1280, 900, dark=True) as page:
        assert page.printed().startswith(b"%PDF")
        page.on_paper()
        assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.run("[...document.querySelectorAll('#scores th button')].every((each) => each.checkVisibility())")
        assert page.run("!document.querySelector('nav').checkVisibility()")
