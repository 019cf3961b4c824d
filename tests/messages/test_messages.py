"""Every message as a person sees it: a config with mistakes, and what is printed."""

import re
from pathlib import Path

import pytest

import dlcli.config
from dlcli.config.document import load
from dlcli.problems import ConfigError
from dlcli.terminal.excerpts import draw

FOLDER = Path(__file__).parent
CONFIGS = sorted(path.name for path in FOLDER.glob("*.yaml"))
# Found before there is a line to show, or only with --set; test_reader and test_layering look at them.
WITHOUT_CONFIG = {
    "config-is-directory", "config-unreadable", "config-too-large", "config-not-utf8", "too-many-values",
    "set-syntax", "no-such-path",
}  # fmt: skip


def printed(name: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(Path(name))
    return "\n".join(draw(problem, width=100).plain for problem in error.value.problems) + "\n"


@pytest.mark.parametrize("name", CONFIGS)
def test_message_is_as_expected(name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    expected = FOLDER / name.replace(".yaml", ".txt")
    text = printed(name)
    if request.config.getoption("--rewrite-golden"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


def test_every_code_has_an_example() -> None:
    shown = {code for path in FOLDER.glob("*.txt") for code in re.findall(r"([a-z-]+): ", path.read_text("utf-8"))}
    sources = Path(dlcli.config.__file__).parent.glob("*.py")
    codes = {code for path in sources for code in re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', path.read_text("utf-8"))}
    assert codes - shown - WITHOUT_CONFIG - {"utf-8", "utf-8-sig"} == set()
