"""Numbers as a person reads them."""

from __future__ import annotations

import math

_PLAIN_FROM, _PLAIN_BELOW = 1e-4, 1e9
_WHOLE_FROM = 1_000
_MOST_DECIMALS = 9
MEGABYTE = 10**6


def number(value: float) -> str:
    """Four significant digits; thousands are whole and have commas; an exponent only where it must be."""
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size >= _WHOLE_FROM and size < _PLAIN_BELOW:
        return f"{value:,.0f}"
    if value == 0 or _PLAIN_FROM <= size < _PLAIN_BELOW:
        return f"{value:.4g}"
    return f"{value:.2e}"


def rounded(value: float, width: float) -> str:
    """A number to the second digit of the width of its interval: more would be noise."""
    decimals = max(0, 1 - math.floor(math.log10(width)))
    return f"{round(value, decimals) + 0.0:,.{decimals}f}" if decimals <= _MOST_DECIMALS else number(value)


def size(nbytes: float) -> str:
    """Bytes in the unit that fits: "12.3 GB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= factor:
            return f"{nbytes / factor:.3g} {unit}"
    return f"{nbytes:.0f} bytes"
