"""Flat arrays are gone through piece by piece, and the memory that pieces of mapped files take is freed meanwhile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli import storage
from dlcli.storage import OnDisk, packed, spans


@given(st.lists(st.integers(0, 9)), st.randoms(use_true_random=False))
def test_packed_spans_are_the_values_of_the_spans(sizes: list[int], random: object) -> None:
    ends = np.cumsum([0, *sizes])
    values = np.arange(ends[-1])
    order = np.array(sorted(range(len(sizes)), key=lambda _: random.random()), dtype=np.int64)  # type: ignore[attr-defined]
    wanted = [number for place in order for number in values[ends[place] : ends[place + 1]].tolist()]
    got = list(packed(spans(values, ends[:-1][order], ends[1:][order]), values.dtype))
    assert np.concatenate(got).tolist() == wanted


@pytest.mark.parametrize("count", [2, 50, 1000])
@pytest.mark.parametrize("sparse", [False, True])
def test_memory_is_freed_however_long_the_pieces_are(
    count: int, sparse: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, most = 4_000_000, 400_000
    monkeypatch.setattr(storage, "_READ_AT_ONCE", most)
    with OnDisk(tmp_path) as kept:
        array = kept.keep(np.zeros(size, np.uint8))
    starts = np.arange(count) * (size // count)
    ends = starts + (1 if sparse else size // count)
    held, since = [0], []
    monkeypatch.setattr(storage, "let_go", lambda _: since.clear())
    for piece in spans(array, starts, ends):
        since.append(len(piece))
        held.append(sum(since))
    longest = int((ends - starts).max())
    assert max(held) <= most + 2 * longest
    assert not since
