"""The cells of a table while it is read: rows come in, some at a time, and columns go out."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import polars as pl


class CellStore:
    """Cells as text, an empty one null.

    Use it in a `with` block: what it wrote is removed at its end.

    Args:
        folder: where they lie; None: in memory.

    Attributes:
        rows: how many there are.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.rows = 0
        self._names: list[str] = []
        self._parts: list[pl.DataFrame | Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        for part in self._parts:
            if isinstance(part, Path):
                part.unlink(missing_ok=True)
        self._parts = []

    def append(self, rows: pl.DataFrame) -> None:
        """Puts rows below the others; they have the same columns in any order."""
        import polars as pl

        self.rows += len(rows)
        if self._folder is None:
            self._parts.append(rows)
            return
        path = self._folder / f"cells-{len(self._parts)}"
        self._parts.append(path)
        content = BytesIO()  # polars would not say that the disk is full
        self._names = self._names or rows.columns
        # by number: polars takes some names for patterns
        numbered = pl.DataFrame({str(number): rows[name] for number, name in enumerate(self._names)})
        numbered.write_parquet(content, compression="lz4", statistics=False)
        path.write_bytes(content.getbuffer())

    def column(self, name: str) -> Iterator[pl.Series]:
        """All cells of a column: in memory at once, from the disk some at a time."""
        import polars as pl

        if self._folder is None:
            yield pl.concat([part[name] for part in self._parts if isinstance(part, pl.DataFrame)])
            return
        for part in self._parts:
            if isinstance(part, Path):
                yield pl.read_parquet(part, columns=[str(self._names.index(name))], glob=False).to_series()
