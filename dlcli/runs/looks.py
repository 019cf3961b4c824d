"""Which rows were looked at: the hashes of each set of rows, kept once, and how a set overlaps with earlier ones."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dlcli.runs import whole_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

FOLDER = "looks"
KEPT_ROWS = 1_000_000
"""Of a larger set the smallest hashes are kept; overlap with it is then an estimate."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How a set of rows overlaps with earlier ones.

    Attributes:
        looks: how many looks before saw any of the rows.
        seen_rows: how many of the rows they saw.
        missing: the sets of which nothing is known any more, since what was kept is gone or changed.
    """

    looks: int
    seen_rows: int
    missing: frozenset[str]


def fingerprint(row_hashes: Hashes) -> str:
    """One hash for a set of rows, whatever their order and however often one is in it."""
    import numpy as np

    return _fingerprint(np.unique(row_hashes))


def keep(root: Path, row_hashes: Hashes) -> None:
    """Keeps the sorted distinct hashes of a set of rows, the smallest ones of a large set.

    Raises:
        DlcliError: they cannot be written.
    """
    import numpy as np

    distinct = np.unique(row_hashes)
    name = _fingerprint(distinct)
    if _kept(root, name) is not None:
        return
    path = _path(root, name)
    with whole_files.writing(path):
        path.parent.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    np.save(buffer, distinct[:KEPT_ROWS], allow_pickle=False)
    whole_files.write_bytes(path, buffer.getvalue())


def missing(root: Path, names: set[str]) -> frozenset[str]:
    """The sets, by fingerprint, of which what was kept is gone or changed."""
    return frozenset(name for name in names if _kept(root, name) is None)


def overlap(root: Path, earlier: Mapping[str, int], row_hashes: Hashes) -> Overlap:
    """Compares rows with those of earlier looks: exact unless a set has more than `KEPT_ROWS` rows.

    Args:
        root: the folder of runs.
        earlier: how many looks there were at each set of rows, by fingerprint.
        row_hashes: uint64, of the rows.
    """
    import numpy as np

    rows, counts = np.unique(row_hashes, return_counts=True)
    own = _fingerprint(rows)
    seen = np.zeros(len(rows), dtype=bool)
    comparable = np.iinfo(np.uint64).max
    looks, lost = 0, set()
    for name, times in earlier.items():
        kept = _kept(root, name)
        if kept is None:
            lost.add(name)
            continue
        if len(kept) == KEPT_ROWS and name != own:  # nothing is known of larger hashes
            comparable = min(comparable, kept[-1])
        places = np.searchsorted(rows, kept)
        places = places[np.take(rows, places, mode="clip") == kept] if len(rows) else places[:0]
        seen[places] = True
        if name == own:
            seen[:] = True
        looks += times if name == own or len(places) else 0
    known = rows <= comparable
    share = counts[seen & known].sum() / max(1, counts[known].sum())
    return Overlap(looks, max(int(counts[seen].sum()), round(share * len(row_hashes))), frozenset(lost))


def _path(root: Path, name: str) -> Path:
    return root / FOLDER / f"{name}.npy"


def _fingerprint(distinct: Hashes) -> str:
    return hashlib.sha256(distinct.astype("<u8", copy=False).tobytes()).hexdigest()


def _kept(root: Path, name: str) -> Hashes | None:
    """The kept hashes of a set, ascending; None where they are gone, or are not those that they were."""
    import numpy as np

    try:
        kept: Hashes = np.load(_path(root, name), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if kept.dtype != np.uint64 or kept.ndim != 1 or (len(kept) < KEPT_ROWS and _fingerprint(kept) != name):
        return None
    return kept
