"""HTML and SVG from Python values. Whatever is not `Html` is text and is escaped: nothing in data becomes markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import escape
from typing import Any


class Html(str):
    """Markup that stands in a page as it is; only this module and the page's own files make any."""

    __slots__ = ()


Child = str | Iterable["Child"] | None
Attribute = str | int | float | bool | None

_VOID = frozenset({"br", "col", "img", "input", "link", "meta"})
_DRAWN = frozenset({"circle", "line", "path", "rect"})
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_IN_SCRIPTS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def text(value: str) -> Html:
    """Text as a page holds it; characters that no page may hold become replacement marks."""
    return Html(escape(_CONTROLS.sub("\ufffd", value).encode("utf-8", "replace").decode()))


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """An element.

    Args:
        name: of the element.
        children: `Html` as it is, other strings as text, None as nothing, and any nesting of these.
        attributes: `class_` is written class, `data_value` data-value; True stands alone, None and False are left out.
    """
    written = "".join(map(_attribute, attributes, attributes.values()))
    if name in _VOID:
        return Html(f"<{name}{written}>")
    inner = join(*children)
    if name in _DRAWN and not inner:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{inner}</{name}>")


def join(*children: Child) -> Html:
    """Children one after the other."""
    return Html("".join(_rendered(child) for child in children))


def in_script(data: Any) -> Html:
    """Plain data as JSON that can stand in a script element: no text in it can end the element."""
    written = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Html(written.translate(_IN_SCRIPTS).encode("utf-8", "replace").decode())


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{text(str(value))}"'


def _rendered(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        return text(child)
    return "".join(map(_rendered, child))
