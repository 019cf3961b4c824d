"""Images that are almost the same: brighter, resized, stored again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data.hashes import among
from dlcli.data.leakage.findings import COPIES, Divided, Finding, first_rows
from dlcli.samples import Ragged, Subset

SIDE = 16
"""Images are compared as grey pictures of so many points a side."""
LIKE = 0.997
"""Two pictures are almost the same from this correlation on, the mean picture taken out of both.

Brighter, noisier or newly compressed copies lie above it; no two of the 70,000 handwritten digits of MNIST do.
"""
MOST_ROWS = 100_000
_TABLES = 10
_BITS = 20
_LOOKED_AT = 16
_LEAST_AGREEING = 170
"""Of the 200 signs; at the angle of `LIKE` 195 agree on average, with a standard deviation of 2.2."""
_ROWS_AT_ONCE = 2048
"""So many rows and what is made of them stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pictures:
    """Small pictures of some rows, and the signs of their projections.

    Attributes:
        rows: int64, ascending.
        vectors: float32 (rows, points), of length 1.
        keys: int32 (tables, rows), 20 signs each.
        signs: uint64 (rows, words), all 200.
    """

    rows: NDArray[np.int64]
    vectors: NDArray[np.float32]
    keys: NDArray[np.int32]
    signs: NDArray[np.uint64]

    def places(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where those of the given rows stand that are among these."""
        return np.flatnonzero(np.isin(self.rows, rows))


def near_images(divided: Divided, inputs: NDArray[np.uint64]) -> Iterator[Finding]:
    """Images of a later subset that have almost the same image in an earlier one; equal ones are told elsewhere.

    Pictures with equal perceptual hashes are compared: ten hashes, each of the signs of 20 fixed random projections
    of the small grey picture, after its own mean and contrast and the mean picture of training have been taken out
    (Charikar 2002). Of a subset with more than 100,000 rows, as many evenly spaced ones are compared.
    """
    from threadpoolctl import threadpool_limits

    rows = {name: _some(rows) for name, rows in divided.subsets.items() if len(rows)}
    if len(rows) < 2:
        return
    for name in divided.schema.of_kind("image"):
        with threadpool_limits(limits=1):  # many small products: threads only wait for each other
            pictures = _pictures(divided.samples[name], np.sort(np.concatenate(list(rows.values()))), rows)
        for border in divided.borders():
            found = border.found(partial(_like_others, pictures, inputs))
            if len(found):
                have = "have" if len(found) > 1 else "has"
                message = f"{border.counted(len(found), 'image')} {have} almost the same image in {border.there}"
                hint = f"look at them: {COPIES}"
                yield Finding("near-duplicates", message, hint, (name,), first_rows(found))


def _like_others(
    pictures: _Pictures, inputs: NDArray[np.uint64], here: NDArray[np.int64], there: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The rows `here` that are like a row `there`, but not equal to one."""
    new = here[~among(inputs[here], inputs[there])]
    return pictures.rows[_near(pictures, pictures.places(there), pictures.places(new))]


def _some(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows if len(rows) <= MOST_ROWS else rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64)]


def _pictures(column: Any, rows: NDArray[np.int64], subsets: Mapping[Subset, NDArray[np.int64]]) -> _Pictures:
    vectors = _unit(small(column, rows))
    first = next(iter(subsets.values()))
    mean = vectors[np.isin(rows, first)].mean(axis=0)
    vectors = _unit(vectors, mean)
    generator = np.random.default_rng(0)
    planes = [generator.standard_normal((vectors.shape[1], _BITS)).astype(np.float32) for _ in range(_TABLES)]
    every, weights = np.concatenate(planes, axis=1), (1 << np.arange(_BITS)).astype(np.float32)
    keys = np.empty((_TABLES, len(rows)), dtype=np.int32)
    signs = np.zeros((len(rows), -(-_TABLES * _BITS // 64) * 8), dtype=np.uint8)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        positive = vectors[part] @ every > 0
        keys[:, part] = (positive.reshape(-1, _BITS).astype(np.float32) @ weights).reshape(-1, _TABLES).T
        signs[part, : _TABLES * _BITS // 8] = np.packbits(positive, axis=1)
    return _Pictures(rows, vectors, keys, signs.view(np.uint64))


def _near(pictures: _Pictures, there: NDArray[np.int64], here: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which of the pictures `here` are almost the same as one of those `there` whose hash they share."""
    near = np.zeros(len(pictures.rows), dtype=bool)
    for keys in pictures.keys:
        order = there[np.argsort(keys[there], kind="stable")]
        sorted_keys = keys[order]
        first = np.searchsorted(sorted_keys, keys[here])
        for step in range(_LOOKED_AT):
            place = first + step
            inside = np.flatnonzero(place < len(order))
            same = inside[sorted_keys[place[inside]] == keys[here[inside]]]
            if not len(same):
                break
            one, other = here[same], order[place[same]]
            differing = np.bitwise_count(pictures.signs[one] ^ pictures.signs[other]).sum(axis=1)
            alike = np.flatnonzero(differing <= _TABLES * _BITS - _LEAST_AGREEING)
            one, other = one[alike], other[alike]
            near[one] |= np.einsum("ij,ij->i", pictures.vectors[one], pictures.vectors[other]) >= LIKE
    return np.flatnonzero(near)


def _unit(vectors: NDArray[np.float32], mean: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Vectors of length 1, after their mean picture, or else each one's own mean, was taken out."""
    made = np.empty_like(vectors)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        part = vectors[start : start + _ROWS_AT_ONCE]
        left = part - (part.mean(axis=1, keepdims=True) if mean is None else mean)
        made[start : start + _ROWS_AT_ONCE] = left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-6)
    return made


def small(column: Any, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Grey pictures of at most 16 x 16 points: (rows, points) float32."""
    if isinstance(column, Ragged):
        return np.stack([_shrunk(column.row(int(row))[None]).ravel() for row in rows])
    made = np.empty((len(rows), SIDE * SIDE), dtype=np.float32)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        made[part] = _shrunk(column[rows[part]]).reshape(-1, SIDE * SIDE)
    return made


def _shrunk(images: NDArray[Any]) -> NDArray[np.float32]:
    """Images (rows, height, width, channels or none) as means over areas (rows, 16, 16); a video as its mean frame."""
    if images.ndim == 5:
        images = images.mean(axis=1, dtype=np.float32)
    grey = images.mean(axis=-1, dtype=np.float32) if images.ndim == 4 and images.shape[-1] > 1 else images
    grey = grey.reshape(len(images), *images.shape[1:3]).astype(np.float32, copy=False)
    height, width = grey.shape[1:]
    low = np.matmul(_areas(height), grey)
    return np.asarray(low.reshape(-1, width) @ _areas(width).T).reshape(len(grey), SIDE, SIDE)


@lru_cache(maxsize=64)
def _areas(length: int) -> NDArray[np.float32]:
    """(16, length): how much of each point each of 16 equal stretches holds."""
    edges = np.linspace(0, length, SIDE + 1)
    left, right = edges[:-1, None], edges[1:, None]
    points = np.arange(length)
    held = np.clip(np.minimum(right, points + 1) - np.maximum(left, points), 0, None)
    return np.asarray(held / held.sum(axis=1, keepdims=True), dtype=np.float32)
