"""Numbers and times written as text, and numbers written back as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from dlcli.samples import NO_TIME

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
PLAIN_NUMBER = r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]+)?(?:[eE](?:[+]?[0-9]{1,2}|-[0-9]{1,3}))?"
"""How numbers are written that nobody means as a text: no leading zeros, no more digits than a float64 can hold."""
_TEXTS_AT_ONCE = 10_000
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.*)?)?")


def numbers(texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers in decimal notation, and which texts are one.

    "nan" in any case counts as a number that is missing; infinities do not count as numbers.

    Returns:
        values, NaN where there is none, and whether each text fits.
    """
    if len(texts) > _TEXTS_AT_ONCE:
        parts = [numbers(texts[first : first + _TEXTS_AT_ONCE]) for first in range(0, len(texts), _TEXTS_AT_ONCE)]
        return np.concatenate([values for values, _ in parts]), np.concatenate([fits for _, fits in parts])
    try:
        values = np.array([*texts], dtype=object).astype(np.float64) if _plain(texts) else None
    except ValueError:
        values = None
    if values is None or not np.isfinite(values).all():
        pairs = [_number(text) for text in texts]
        values = np.array([value for value, _ in pairs], dtype=np.float64)
        return values, np.array([fits for _, fits in pairs], dtype=bool)
    return values, np.ones(len(values), dtype=bool)


def _plain(texts: Sequence[str]) -> bool:
    """Whether Python's float reads no more into the texts than we do: no 1_000, no other digits."""
    joined = "".join(texts)
    return joined.isascii() and "_" not in joined


def _number(text: str) -> tuple[float, bool]:
    stripped = text.strip()
    if stripped.lower() in ("nan", "+nan", "-nan"):
        return np.nan, True
    if not _NUMBER.fullmatch(stripped):
        return np.nan, False
    value = float(stripped)
    return (value, True) if np.isfinite(value) else (np.nan, False)


def times(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """ISO dates (1949-01, 1949-01-31, with a time of day and an offset if any) as seconds since 1970, UTC.

    A time without an offset counts as UTC; fractions of a second are dropped.

    Returns:
        values, `NO_TIME` where there is none, and whether each text fits.
    """
    found = (_time(text.strip()) for text in texts)
    values = np.fromiter((NO_TIME if seconds is None else seconds for seconds in found), np.int64, len(texts))
    return values, values != NO_TIME


def _time(text: str) -> int | None:
    matched = _ISO_DATE.fullmatch(text)
    if not matched:
        return None
    try:
        moment = datetime.fromisoformat(text if matched[1] else f"{text}-01")
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() // 1)
    except (ValueError, OverflowError):
        return None


def as_texts(values: NDArray[np.float64] | NDArray[np.int64]) -> list[str]:
    """Numbers as a person writes them: whole ones without a point."""
    return [str(int(value)) if value == int(value) else repr(float(value)) for value in values.tolist()]
