"""Paths in configs: relative to the file that names them, `~` and `${VAR}` expanded; addresses stay as they are."""

from __future__ import annotations

import os
import re

from dlcli.config.nodes import Scalar, clipped
from dlcli.data.sources import remote
from dlcli.problems import Problem

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def expand_code(node: Scalar) -> str | Problem:
    """`file.py:Name` with the file's absolute path."""
    _, colon, name = node.text.rpartition(":")
    if not colon or not name.isidentifier():
        message = f"{clipped(node.text)} does not name something in a Python file"
        return Problem("value-out-of-range", message, "write file.py:Name", (), node.place)
    path = expand(node, len(colon + name))
    return path if isinstance(path, Problem) else path + colon + name


def expand(node: Scalar, shorter: int = 0) -> str | Problem:
    """The absolute path that a text means, `shorter` characters of its end left out."""
    written = node.text[: len(node.text) - shorter]
    text = _VARIABLE.sub(lambda found: os.environ.get(found.group(1)) or found.group(), written)
    if _VARIABLE.search(text):
        return text  # a config is right without its data; whoever reads the file says what is not set
    if "\0" in text:
        return Problem("value-out-of-range", "a path cannot hold the character U+0000", "delete it", (), node.place)
    if remote.is_remote(text):
        return text
    if text.startswith("~"):
        text = os.path.expanduser(text)  # noqa: PTH111 - text in, text out: globs stay as they are
    return os.path.normpath(os.path.join(node.origin.directory.absolute(), text))  # noqa: PTH118 - as above
