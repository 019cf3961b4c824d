"""One value in a config's text is changed; comments and layout stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlcli.config import catalog
from dlcli.config.document import load
from dlcli.config.editing import set_part_field
from dlcli.config.writer import long_form
from tests.config.configs import DATA, NETWORK, SHORT, read, written


def with_rate(text: str, part: str = "adam", field: str = "learning_rate", value: float = 0.012) -> str | None:
    found = catalog.find("optimizer", part)
    assert found is not None
    return set_part_field(text, "optimizer", found, field, value)


def changed_only_the_rate(folder: Path, before: str, after: str, part: str = "adam") -> None:
    """Reads both texts: they differ in the learning rate alone."""
    wanted = long_form(read(folder, before).experiment)
    wanted["optimizer"][part]["learning_rate"] = 0.012
    assert long_form(read(folder, after).experiment) == wanted


FORMS = {
    "optimizer: adam\n": "optimizer: {adam: 0.012}\n",
    "optimizer: adam  # the usual\n": "optimizer: {adam: 0.012}  # the usual\n",
    "optimizer: 'adam'\n": "optimizer: {adam: 0.012}\n",
    "optimizer:\n  adam # below\n": "optimizer:\n  {adam: 0.012} # below\n",
    "optimizer: {adam: 0.001}\n": "optimizer: {adam: 0.012}\n",
    "optimizer: {adam: 1/255 } # a share\n": "optimizer: {adam: 0.012 } # a share\n",
    "optimizer: {adam: {}}\n": "optimizer: {adam: {learning_rate: 0.012}}\n",
    "optimizer: {adam: {learning_rate: 1e-3, beta_1: .8}}\n": "optimizer: {adam: {learning_rate: 0.012, beta_1: .8}}\n",
    "optimizer: {adam: {beta_1: .8}} # x\n": "optimizer: {adam: {learning_rate: 0.012, beta_1: .8}} # x\n",
    "optimizer: {adam: { # why\n  beta_1: .8}}\n": "optimizer: {adam: {learning_rate: 0.012,  # why\n  beta_1: .8}}\n",
    "optimizer:\n  adam: 0.001  # slow\n": "optimizer:\n  adam: 0.012  # slow\n",
    "optimizer:\n  adam:\n    beta_1: .8 # b\n    learning_rate: 1e-3 # r\n": (
        "optimizer:\n  adam:\n    beta_1: .8 # b\n    learning_rate: 0.012 # r\n"
    ),
    "optimizer:\n  adam:\n    # about b\n    beta_1: .8 # b\n    beta_2: .9\n": (
        "optimizer:\n  adam:\n    # about b\n    learning_rate: 0.012\n    beta_1: .8 # b\n    beta_2: .9\n"
    ),
    "optimizer: {\n  adam: &rate 0.001\n}\n": "optimizer: {\n  adam: &rate 0.012\n}\n",
    "description: '😀 ü'\noptimizer: {adam: {beta_1: .8}}\n": (
        "description: '😀 ü'\noptimizer: {adam: {learning_rate: 0.012, beta_1: .8}}\n"
    ),
    "description: a\u2028  b\noptimizer: adam\n": "description: a\u2028  b\noptimizer: {adam: 0.012}\n",
}
"""A section as it is written, and after."""


@pytest.mark.parametrize("before", FORMS)
def test_every_written_form_gets_the_rate(tmp_path: Path, before: str) -> None:
    text = f"# A header\n{DATA}{before}\n# about the network\n{NETWORK}"
    after = f"# A header\n{DATA}{FORMS[before]}\n# about the network\n{NETWORK}"
    assert with_rate(text) == after
    changed_only_the_rate(tmp_path, text, after)


@pytest.mark.parametrize("before", FORMS)
def test_windows_line_ends_stay(tmp_path: Path, before: str) -> None:
    text = f"{DATA}{before}{NETWORK}".replace("\n", "\r\n")
    after = with_rate(text)
    assert after == f"{DATA}{FORMS[before]}{NETWORK}".replace("\n", "\r\n")
    changed_only_the_rate(tmp_path, text, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SHORT, f"{SHORT}optimizer: {{adam: 0.012}}\n"),
        (SHORT.rstrip(), f"{SHORT}optimizer: {{adam: 0.012}}\n"),
        (f"{SHORT}# the end\n\n", f"{SHORT}# the end\noptimizer: {{adam: 0.012}}\n\n"),
        (f"---\n{SHORT}...\n", f"---\n{SHORT}optimizer: {{adam: 0.012}}\n...\n"),
        ("  " + SHORT.replace("\na", "\n  a"), "  " + SHORT.replace("\na", "\n  a") + "  optimizer: {adam: 0.012}\n"),
        (
            "{data: {source: {builtin: wine}},\n architecture: []}\n",
            "{optimizer: {adam: 0.012}, data: {source: {builtin: wine}},\n architecture: []}\n",
        ),
    ],
    ids=["block", "no last line end", "comment at the end", "end mark", "indented", "flow"],
)
def test_a_section_that_is_not_written_is_added(tmp_path: Path, before: str, after: str) -> None:
    assert with_rate(before) == after
    changed_only_the_rate(tmp_path, before, after)


def test_a_field_beside_the_main_one_keeps_what_is_written() -> None:
    before = "optimizer: {adam: 1e-3} # slow\n"
    assert with_rate(before, field="beta_1", value=0.8) == (
        "optimizer: {adam: {learning_rate: 1e-3, beta_1: 0.8}} # slow\n"
    )


def test_a_field_of_a_part_without_a_main_field_is_named() -> None:
    one_cycle = catalog.find("schedule", "one_cycle")
    assert one_cycle is not None
    assert set_part_field("schedule: one_cycle\n", "schedule", one_cycle, "peak", 0.5) == (
        "schedule: {one_cycle: {peak: 0.5}}\n"
    )


@pytest.mark.parametrize(
    "text", ["optimizer: sgd\n", "optimizer: {sgd: {momentum: .9}}\n", "optimizer: [adam]\n", "[]", "a: ["]
)
def test_where_something_else_stands_nothing_is_changed(text: str) -> None:
    assert with_rate(text) is None


def test_a_copy_of_a_config_that_extends_another_overrides_it(tmp_path: Path) -> None:
    written(tmp_path, SHORT + "optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}\n", "base.yaml")
    text = "extends: base.yaml\ntraining: {epochs: 3}\n"
    after = with_rate(text, "sgd")
    assert after is not None
    optimizer = load(tmp_path / "copy.yaml", text=after).experiment.optimizer
    assert (optimizer.part_name, optimizer.learning_rate) == ("sgd", 0.012)
    changed_only_the_rate(tmp_path, text, after, "sgd")
