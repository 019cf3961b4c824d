"""States of a training as files: nested plain data and arrays in, the same out, bit for bit, or a clear error.

A file is an uncompressed npz: one array after another, and a JSON document that says where each belongs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.problems import DataError, Problem

State = dict[str, Any]
"""Nested dicts with text keys, lists and tuples of JSON values (NaN and infinity included) and arrays."""
FORMAT = 1
_DOCUMENT = "document"
_ARRAY, _TUPLE, _DICT = "array", "tuple", "dict"


def write(state: State, path: Path) -> None:
    """Writes a state to a file, which is whole only when this returns: write to a temporary name, then rename.

    Raises:
        TypeError: the state holds something that no file can give back as it was.
        OSError: it cannot be written.
    """
    arrays: list[NDArray[Any]] = []
    document = json.dumps({"format": FORMAT, "state": _plain(state, arrays)}, separators=(",", ":"))
    members = {str(number): array for number, array in enumerate(arrays)}
    members[_DOCUMENT] = np.frombuffer(document.encode(), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez(file, **members)  # type: ignore[arg-type] # numpy 2 types the names of further options too


def read(path: Path) -> State:
    """Reads a state back. Nothing in a file is ever run.

    Raises:
        DataError: the file is missing, damaged, truncated, or of another format.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as members:
            arrays = {name: members[name] for name in members.files}
        document = json.loads(arrays.pop(_DOCUMENT).tobytes())
        state: State = _restored(document["state"], arrays) if document["format"] == FORMAT else {}
    except FileNotFoundError as error:
        raise DataError(Problem("missing-checkpoint", f"there is no checkpoint {path}")) from error
    except Exception as error:  # a damaged file makes zipfile and numpy raise almost anything
        raise DataError(_damaged(path)) from error
    if document["format"] != FORMAT:
        message = f"{path} has format {document['format']}; this version of dlcli reads format {FORMAT}"
        raise DataError(Problem("unknown-checkpoint-format", message, "resume with the version that wrote it"))
    return state


def _damaged(path: Path) -> Problem:
    hint = "remove that file: --resume then begins that training with epoch 1"
    return Problem("damaged-checkpoint", f"{path} is damaged", hint)


def _plain(value: object, arrays: list[NDArray[Any]]) -> Any:
    """The value as JSON; arrays are moved to `arrays`, everything that JSON does not know is marked."""
    if value is None or isinstance(value, str | int | float):
        return value
    match value:
        case np.ndarray():
            if value.dtype.hasobject or value.dtype.kind == "V":
                message = f"an array of {value.dtype} cannot be kept in a checkpoint"
                raise TypeError(message)
            arrays.append(value)
            return {_ARRAY: len(arrays) - 1}
        case np.generic():
            return value.item()
        case tuple():
            return {_TUPLE: [_plain(item, arrays) for item in value]}
        case list():
            return [_plain(item, arrays) for item in value]
        case Mapping() if all(isinstance(key, str) for key in value):
            return {_DICT: {key: _plain(item, arrays) for key, item in value.items()}}
    message = f"a {type(value).__name__} cannot be kept in a checkpoint"
    raise TypeError(message)


def _restored(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return [_restored(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, inside),) = value.items()
    if kind == _ARRAY:
        return arrays[str(inside)]
    if kind == _TUPLE:
        return tuple(_restored(item, arrays) for item in inside)
    return {key: _restored(item, arrays) for key, item in inside.items()}
