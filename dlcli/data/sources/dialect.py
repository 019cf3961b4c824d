"""How a text file is divided into cells, and finding its delimiter."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "blanks": " "}
"""Delimiters by name; `blanks` is any run of spaces or tabs."""
SAMPLE_BYTES = 64 * 1024
SAMPLE_LINES = 200
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Dialect:
    """What divides a text into lines and cells.

    Attributes:
        delimiter: a name of `DELIMITERS`, or one character.
        quote: the quote character, or "" where quotes are text.
        strip: whether blanks around a cell are dropped.
    """

    delimiter: str = "comma"
    quote: str = '"'
    strip: bool = True

    @property
    def blanks(self) -> bool:
        """Whether runs of spaces or tabs divide cells."""
        return self.delimiter == "blanks"

    @property
    def byte(self) -> int:
        """The delimiter as a byte."""
        return ord(DELIMITERS.get(self.delimiter, self.delimiter))


def find_delimiter(text: bytes, quote: str) -> str:
    """The name of the delimiter that divides the first lines most evenly.

    A delimiter that occurs equally often in every line wins; among several, the rarer character
    (a semicolon rarely does so by chance, a comma may). Blanks win over a tab only where runs of them
    stand in line, and else are the last resort. A file without any has one column, and "comma" will do.
    """
    lines = _sample(text, quote)
    shares = {name: _share_of_even_lines(lines, name) for name in ("tab", "semicolon", "pipe", "comma", "blanks")}
    even = [name for name, share in shares.items() if share == 1]
    if even:
        aligned = any(re.search(r"[ \t]{2,}", line.strip()) for line in lines)
        return "blanks" if aligned and even[0] == "tab" and "blanks" in even else even[0]
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= _LEAST_SHARE and best != "blanks" else "comma"


def _sample(text: bytes, quote: str) -> list[str]:
    """The first lines, whatever stands between quotes left out."""
    piece = text[:SAMPLE_BYTES].decode("utf-8", errors="replace")
    if quote:
        mark = re.escape(quote)
        # a quoted cell starts after something that may divide cells; elsewhere the sign is text
        piece = re.sub(f"(?m)(^|[,;|\t ]){mark}(?:[^{mark}]|{mark}{mark})*{mark}", r"\1", piece)
    lines = piece.split("\n")
    if len(text) > SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # it may be cut off
    return [line for line in lines if line.strip()][:SAMPLE_LINES]


def _share_of_even_lines(lines: list[str], name: str) -> float:
    """The share of lines that hold a delimiter as often as most lines that hold it."""
    if name == "blanks":
        counts = [len(line.split()) - 1 for line in lines]
    else:
        counts = [line.count(DELIMITERS[name]) for line in lines]
    common = Counter(count for count in counts if count).most_common(1)
    return common[0][1] / len(lines) if common else 0.0
