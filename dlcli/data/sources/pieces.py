"""A text file in pieces of whole lines, as UTF-8 with plain line ends, however long the file is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dlcli.data.sources import files
from dlcli.problems import ConfigPath, DataError, Problem

PIECE_BYTES = 16 * 1024 * 1024
_PATIENCE = 4
"""How many pieces are read on in search of a line that ends outside quotes, before all that is left is one piece."""
_OTHER_FILES = {
    b"PAR1": ("a Parquet file", "write `parquet:` in place of `csv:`"),
    b"PK\x03\x04": ("a packed file, as .npz and .xlsx are", "write `npz:`, or save the sheet as csv"),
    b"\xd0\xcf\x11\xe0": ("an old Excel file", "save the sheet as csv"),
}
"""How files begin that are taken for text by mistake."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file and what of it counts.

    Attributes:
        path: the file.
        field: the config path that named it.
        encoding: of its text.
        encoding_field: the config path of `encoding`.
        skip_rows: how many lines at its top are empty for us.
        comment: lines that begin so are empty for us; "" for none.
        quote: between two of these a line may end that goes on; "" for none.
    """

    path: Path
    field: ConfigPath
    encoding: str
    encoding_field: ConfigPath
    skip_rows: int = 0
    comment: str = ""
    quote: str = ""


class Pieces:
    """The pieces of a file, one after the other; lines that are left out are empty, so that line numbers stay true.

    Args:
        file: what to read.
        heard: hears how many bytes of the file have been read.
    """

    def __init__(self, file: TextFile, heard: Callable[[int], None]) -> None:
        self._file = file
        self._blocks = _plain_line_ends(_decoded(file, files.blocks(file.path, file.field, PIECE_BYTES, heard)))
        self._left = b""
        self._begun = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._begun:
            self._begun = True
            self._skip()
        for patience in range(1, _PATIENCE + 1):
            if not self._filled(patience * PIECE_BYTES):
                break
            end = self._left.rfind(b"\n") + 1
            self._left = self._without_comments(self._left[:end]) + self._left[end:]
            if end := self._last_end(self._left):
                piece, self._left = self._left[:end], self._left[end:]
                return piece
        piece = self.rest()
        if not piece:
            raise StopIteration
        return piece

    def rest(self) -> bytes:
        """All that is left, as one piece."""
        text = self._without_comments(b"".join([self._left, *self._blocks]))
        self._left = b""
        return text if not text or text.endswith(b"\n") else text + b"\n"

    def _filled(self, size: int) -> bool:
        """Reads on until so many bytes are there; whether there are more than that."""
        while len(self._left) <= size:
            block = next(self._blocks, None)
            if block is None:
                return False
            self._left += block
        return True

    def _skip(self) -> None:
        skipped = self._file.skip_rows
        while self._left.count(b"\n") < skipped and self._filled(len(self._left) + 1):
            pass
        if skipped:
            lines = self._left.split(b"\n", skipped)
            self._left = b"\n" * skipped + (lines[-1] if len(lines) > skipped else b"")

    def _without_comments(self, lines: bytes) -> bytes:
        if not self._file.comment:
            return lines
        return re.sub(b"(?m)^" + re.escape(self._file.comment.encode()) + b"[^\n]*", b"", lines)

    def _last_end(self, text: bytes) -> int:
        """Behind the last line end that stands outside quotes; 0 if there is none."""
        end = text.rfind(b"\n") + 1
        mark = self._file.quote.encode()
        inside = bool(mark) and text.count(mark, 0, end) % 2 == 1
        while inside and end:
            before = text.rfind(b"\n", 0, end - 1) + 1
            inside ^= text.count(mark, before, end) % 2 == 1
            end = before
        return end


def _decoded(file: TextFile, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The text as UTF-8, without a byte-order mark.

    Raises:
        DataError: it is not in that encoding, or no text at all.
    """
    decoder = codecs.getincrementaldecoder(file.encoding)()
    like_ascii = codecs.lookup(file.encoding).name == "utf-8"
    head, lines = b"", 1
    for raw in blocks:
        if not head:
            head = raw[:8]
            _require_text(file, head)
        try:
            plain = like_ascii and raw.isascii() and not decoder.getstate()[0]
            text = raw if plain else decoder.decode(raw).encode()
        except ValueError as error:
            raise _not_decoded(file, head, lines, error) from error
        if b"\0" in text:
            message = f"{file.path} is not a text file: it holds NUL bytes"
            suggestion = "write `encoding: utf-16` if it comes from Windows; else name a file of delimited text"
            raise DataError(Problem("not-text", message, suggestion, file.field))
        yield text.removeprefix(codecs.BOM_UTF8) if lines == 1 else text
        lines += text.count(b"\n")
    try:
        yield decoder.decode(b"", final=True).encode()
    except ValueError as error:
        raise _not_decoded(file, head, lines, error) from error


def _require_text(file: TextFile, head: bytes) -> None:
    for start, (kind, suggestion) in _OTHER_FILES.items():
        if head.startswith(start):
            message = f"{file.path} is {kind}, not a table of text"
            raise DataError(Problem("not-text", message, suggestion, file.field))


def _not_decoded(file: TextFile, head: bytes, lines: int, error: ValueError) -> DataError:
    """The problem of a block that begins in a line of the file."""
    line = lines + error.object.count(b"\n", 0, error.start) if isinstance(error, UnicodeDecodeError) else lines
    likely = "utf-16" if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "latin-1"
    message = f"{file.path}, line {line}: not {file.encoding} text"
    suggestion = f"write `encoding: {likely}`, or save the file as UTF-8"
    return DataError(Problem("wrong-encoding", message, suggestion, file.encoding_field))


def _plain_line_ends(blocks: Iterator[bytes]) -> Iterator[bytes]:
    r"""The same text with "\n" for "\r\n", and for "\r" in a file whose first lines end so."""
    held, alone = b"", None
    for block in blocks:
        text = held + block
        held = b"\r" if text.endswith(b"\r") else b""
        text = text.removesuffix(b"\r")
        if alone is None and (b"\n" in text or b"\r" in text):
            alone = b"\n" not in text
        text = text.replace(b"\r\n", b"\n")
        yield text.replace(b"\r", b"\n") if alone else text
    yield b"\n" if held and alone else held
