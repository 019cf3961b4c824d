"""Images that are almost the same: brighter, resized, stored again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data.leakage.findings import Divided, Finding, first_rows
from dlcli.samples import Ragged

SIDE = 16
"""Images are compared as grey pictures of so many points a side."""
LIKE = 0.997
"""Two pictures are almost the same from this correlation on, the mean picture taken out of both.

Brighter, noisier or newly compressed copies lie above it; no two of the 70,000 handwritten digits of MNIST do.
"""
MOST_ROWS = 100_000
_TABLES = 10
_BITS = 20
_LOOKED_AT = 8


def near_images(divided: Divided, inputs: NDArray[np.uint64]) -> Iterator[Finding]:
    """Images of a later subset that have almost the same image in an earlier one; equal ones are told elsewhere.

    Pictures with equal perceptual hashes are compared: ten hashes, each of the signs of 20 fixed random projections
    of the small grey picture, after its own mean and contrast and the mean of all pictures have been taken out
    (Charikar 2002). Of more than 100,000 rows, as many evenly spaced ones are compared.
    """
    rows = {name: _some(rows) for name, rows in divided.subsets.items() if len(rows)}
    for name in divided.schema.of_kind("image"):
        pictures = {subset: _standardised(small(divided.samples[name], some)) for subset, some in rows.items()}
        for later, before in divided.later():
            there, others = (np.concatenate([each[subset] for subset in before]) for each in (rows, pictures))
            new = ~np.isin(inputs[rows[later]], inputs[there])
            if not new.any():
                continue
            here, mean = rows[later][new], others.mean(axis=0)
            near = _likeness(_unit(others - mean), _unit(pictures[later][new] - mean)) >= LIKE
            if near.any():
                found = here[near]
                plural = "images have" if len(found) > 1 else "image has"
                message = f"{len(found):,} {later} {plural} almost the same image in an earlier subset"
                hint = "look at them; pictures of one thing belong in one subset (`group`)"
                yield Finding("near-duplicates", message, hint, (name,), first_rows(found))


def _some(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows if len(rows) <= MOST_ROWS else rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64)]


def _likeness(train: NDArray[np.float32], pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """The greatest correlation that each picture has with those of `train` whose hash it shares."""
    generator = np.random.default_rng(0)
    best = np.full(len(pictures), -1.0, dtype=np.float32)
    weights = 1 << np.arange(_BITS)
    for _ in range(_TABLES):
        planes = generator.standard_normal((train.shape[1], _BITS)).astype(np.float32)
        keys, wanted = ((part @ planes > 0) @ weights for part in (train, pictures))
        order = np.argsort(keys, kind="stable")
        first = np.searchsorted(keys[order], wanted)
        for step in range(_LOOKED_AT):
            place = first + step
            inside = np.flatnonzero(place < len(order))
            same = inside[keys[order[place[inside]]] == wanted[inside]]
            if not len(same):
                break
            products = np.einsum("ij,ij->i", pictures[same], train[order[place[same]]])
            best[same] = np.maximum(best[same], products)
    return best


def _standardised(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    return _unit(pictures - pictures.mean(axis=1, keepdims=True))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6))


def small(column: Any, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Grey pictures of at most 16 x 16 points: (rows, points) float32."""
    if isinstance(column, Ragged):
        return np.stack([_shrunk(column.row(int(row))[None]).ravel() for row in rows])
    return _shrunk(column[rows]).reshape(len(rows), -1)


def _shrunk(images: NDArray[Any]) -> NDArray[np.float32]:
    """Images (rows, height, width, channels or none) as means over areas (rows, 16, 16); a video as its mean frame."""
    if images.ndim == 5:
        images = images.mean(axis=1, dtype=np.float32)
    grey = images.mean(axis=-1, dtype=np.float32) if images.ndim == 4 and images.shape[-1] > 1 else images
    grey = grey.reshape(len(images), *images.shape[1:3]).astype(np.float32, copy=False)
    height, width = grey.shape[1:]
    down, across = _areas(height), _areas(width)
    narrow = (grey.reshape(-1, width) @ across.T).reshape(len(grey), height, SIDE)
    return np.asarray(narrow.transpose(0, 2, 1).reshape(-1, height) @ down.T).reshape(len(grey), SIDE, SIDE)


@lru_cache(maxsize=64)
def _areas(length: int) -> NDArray[np.float32]:
    """(16, length): how much of each point each of 16 equal stretches holds."""
    edges = np.linspace(0, length, SIDE + 1)
    left, right = edges[:-1, None], edges[1:, None]
    points = np.arange(length)
    held = np.clip(np.minimum(right, points + 1) - np.maximum(left, points), 0, None)
    return np.asarray(held / held.sum(axis=1, keepdims=True), dtype=np.float32)
