"""Texts as they are compared: case, width of signs and blanks do not matter."""

from __future__ import annotations

import unicodedata


def normal(text: str) -> str:
    """The text in its compatibility form, case folded, with single blanks."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(text.lower().split())
