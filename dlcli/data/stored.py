"""What a source found, as a folder of array files and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcli.samples import Coded, Found, Ragged, Samples
from dlcli.storage import OnDisk, file_of, load
from dlcli.words import Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FILE = "found.json"


def write(found: Found, storage: OnDisk, columns: Iterable[tuple[str, Any]] | None = None) -> None:
    """Writes what a source found; columns that lie in the folder already stay as they are.

    Args:
        found: what to write.
        storage: the folder.
        columns: by name, one made after the other, in place of the columns of `found`.
    """
    written = {name: _written(column, storage) for name, column in columns or found.samples.items()}
    subsets = {name: _array(members, storage) for name, members in (found.subsets or {}).items()}
    content = {
        "rows": found.samples.rows,
        "columns": written,
        "subsets": None if found.subsets is None else subsets,
        "target": found.target,
        "inputs": found.inputs,
        "notes": found.notes,
        "files": [str(file) for file in found.files],
        "settings": dict(found.settings),
        "row_names": found.row_names,
        "numbers": None if found.numbers is None else _array(found.numbers, storage),
    }
    (storage.folder / _FILE).write_text(json.dumps(content))


def read(folder: Path) -> Found:
    """What `write` wrote; columns are mapped into memory.

    Raises:
        OSError, ValueError: a file is absent or damaged.
    """
    content = json.loads((folder / _FILE).read_text())
    subsets = content["subsets"]
    return Found(
        Samples({name: _column(folder, column) for name, column in content["columns"].items()}, content["rows"]),
        None if subsets is None else {name: load(folder / file) for name, file in subsets.items()},
        target=tuple(content["target"]),
        inputs=tuple(content["inputs"]),
        notes=tuple(content["notes"]),
        files=tuple(Path(file) for file in content["files"]),
        settings={name: tuple(v) if isinstance(v, list) else v for name, v in content["settings"].items()},
        row_names=tuple(content["row_names"]),
        numbers=None if content["numbers"] is None else load(folder / content["numbers"]),
    )


def _written(column: Any, storage: OnDisk) -> dict[str, Any]:
    """The files of a column."""
    if isinstance(column, Coded):
        words = column.vocabulary
        kept = list(words) if isinstance(words, tuple) else [_array(part, storage) for part in words.arrays]
        return {"codes": _array(column.codes, storage), "vocabulary" if isinstance(words, tuple) else "words": kept}
    if isinstance(column, Ragged):
        return {part: _array(getattr(column, part), storage) for part in ("values", "offsets", "shapes")}
    return {"array": _array(column, storage)}


def _array(array: NDArray[Any], storage: OnDisk) -> str:
    file = file_of(storage.keep(array))
    assert file is not None
    return file.name


def _column(folder: Path, files: Mapping[str, Any]) -> Any:
    if "vocabulary" in files:
        return Coded(load(folder / files["codes"]), tuple(files["vocabulary"]))
    if "words" in files:
        return Coded(load(folder / files["codes"]), Words(*(load(folder / file) for file in files["words"])))
    if "offsets" in files:
        return Ragged(*(load(folder / files[part]) for part in ("values", "offsets", "shapes")))
    return load(folder / files["array"])
