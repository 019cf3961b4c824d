"""`report.html`: a run as one page that needs nothing else. Made from the run directory alone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

from dlcli import __version__
from dlcli.report.elements import Section
from dlcli.report.markup import Html, tag
from dlcli.report.run_files import Run
from dlcli.report.sections.calibration import calibration
from dlcli.report.sections.classes import classes, confusion
from dlcli.report.sections.curves import curves
from dlcli.report.sections.diagnosis import diagnosis
from dlcli.report.sections.folds import folds, seeds
from dlcli.report.sections.provenance import config, data, model, provenance
from dlcli.report.sections.ranking import ranking
from dlcli.report.sections.residuals import residuals
from dlcli.report.sections.rows import importance, worst
from dlcli.report.sections.scores import baselines, other_files, scores
from dlcli.report.sections.summary import summary
from dlcli.runs import whole_files

FILE_NAME = "report.html"

_SECTIONS: tuple[Callable[[Run], Section | None], ...] = (
    folds,
    scores,
    other_files,
    baselines,
    seeds,
    diagnosis,
    curves,
    confusion,
    classes,
    ranking,
    calibration,
    residuals,
    worst,
    importance,
    data,
    model,
    provenance,
    config,
)
"""In the order of the page."""


def write_page(run: Run, folder: Path) -> Path:
    """Writes `report.html` into a run directory, whole or not at all.

    Raises:
        DlcliError: it cannot be written.
    """
    path = folder / FILE_NAME
    whole_files.write_text(path, page(run))
    return path


def page(run: Run) -> str:
    """A run as one HTML document; the same run gives the same text."""
    found = [section for make in _SECTIONS if (section := make(run)) is not None]
    body = (
        tag("a", "Skip to the contents", href="#main", class_="skip"),
        tag(
            "header",
            tag(
                "button",
                tag("span", "◐", aria_hidden="true"),
                type="button",
                id="theme",
                hidden=True,
                aria_label="Light or dark",
                title="Light or dark",
            ),
            summary(run),
        ),
        tag(
            "nav",
            tag("ol", [tag("li", tag("a", each.title, href=f"#{each.key}")) for each in found]),
            aria_label="Contents",
        ),
        tag("main", [_section(each) for each in found], id="main"),
        tag(
            "footer",
            tag("p", f"Made by dlcli {__version__} from the files of run {run.record.name}, and from nothing else."),
        ),
        tag("script", _file("page.js")),
    )
    return f"<!doctype html>\n{tag('html', _head(run), tag('body', body), lang='en')}\n"


def _section(section: Section) -> Html:
    name = f"{section.key}-name"
    title = tag("h2", tag("a", section.title, href=f"#{section.key}"), id=name)
    return tag("section", title, section.body, id=section.key, aria_labelledby=name)


def _head(run: Run) -> Html:
    policy = (
        f"default-src 'none'; style-src {_digest('page.css')}; script-src {_digest('page.js')}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{run.record.name} · dlcli report"),
        tag("link", rel="icon", href="data:,"),
        tag("style", _file("page.css")),
    )


@cache
def _file(name: str) -> Html:
    """A file of this package that stands in every page."""
    return Html(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _digest(name: str) -> str:
    """What allows exactly this text in a page, and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(_file(name).encode()).digest()).decode()}'"
