"""What limits the score, and what to try next: what `dlcli diagnose` found."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dlcli.report.elements import (
    NONE,
    Column,
    Section,
    code,
    heading,
    interval,
    paragraph,
    remark,
    sentence,
    shown,
    table,
)
from dlcli.report.figures import Estimate, dot_plot
from dlcli.report.markup import Html, join, tag
from dlcli.report.run_files import Run


def diagnosis(run: Run) -> Section | None:
    """Verdict, ladder of errors, findings and suggestions."""
    found = run.diagnosis
    if found is None:
        return None
    verdict = remark(
        "good" if found["verdict"] == "good" else "warning",
        tag("strong", found["verdict"].replace("_", " ").capitalize()),
    )
    findings = tag("ul", list(_findings(found)), class_="findings")
    return Section("diagnosis", "What limits the score", join(verdict, findings, _ladder(run, found), _next(found)))


def _findings(found: Mapping[str, Any]) -> Iterator[Html]:
    for each in found["findings"]:
        yield tag("li", sentence(each["sentence"]))


def _ladder(run: Run, found: Mapping[str, Any]) -> Html | None:
    ladder = found.get("ladder")
    if not ladder or not ladder["rungs"]:
        return None
    tones = dict.fromkeys(("reference", "baseline", "linear"), "plain")
    rows = [
        Estimate(
            rung["name"],
            rung["error"],
            rung["low"],
            rung["high"],
            tone=tones.get(rung["name"], "model"),
            star=rung["starred"],
        )
        for rung in ladder["rungs"]
    ]
    largest = f" The largest gap: {ladder['largest']}." if ladder["largest"] else ""
    note = f" {sentence(ladder['note'])}" if ladder["note"] else ""
    drawn = dot_plot(
        "ladder",
        rows,
        f"The ladder of errors ({ladder['error']}) with {run.confidence} intervals; smaller is better.{largest}{note}",
        title="Ladder of errors",
        axis=f"error of {ladder['metric']}",
        class_="wide",
    )
    columns = [
        Column("gap"),
        Column("from"),
        Column("to"),
        Column("size", numeric=True),
        Column(f"{run.confidence} interval", numeric=True),
        Column("established", hint="more than rows that happened to be drawn explain"),
    ]
    gaps = [
        [
            gap["name"],
            gap["below"],
            gap["above"],
            shown(gap["value"]),
            interval(gap["low"], gap["high"]),
            NONE if gap["low"] is None else "yes" if gap["established"] else "no",
        ]
        for gap in ladder["gaps"]
    ]
    return join(drawn, table("Gaps between the errors.", columns, gaps, sortable=False) if gaps else None)


def _next(found: Mapping[str, Any]) -> Html | None:
    if not found["suggestions"]:
        return None
    items = [tag("li", list(_suggestion(found["path"], each))) for each in found["suggestions"]]
    return join(heading("What to try next"), tag("ol", items, class_="suggestions"))


def _suggestion(run: str, each: Mapping[str, Any]) -> Iterator[Html]:
    """Why, the config that does it, and the same as options of a command."""
    yield paragraph(sentence(each["why"]))
    if each["problem"]:
        yield paragraph(sentence(f"does not fit this config: {each['problem']}"))
        return
    if each["yaml"]:
        yield code(each["yaml"])
    if each["command"] and each["set"]:
        yield paragraph("Or on the command line:")
    if each["command"] and (each["set"] or not each["yaml"]):
        of = run if each["command"] == "evaluate" else str(Path(run) / "resolved.yaml")
        options = [word for setting in each["set"] for word in ("--set", setting)]
        yield code(shlex.join(["dlcli", each["command"], of, *options]))
