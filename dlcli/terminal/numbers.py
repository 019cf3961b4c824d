"""Numbers as a person reads them."""

from __future__ import annotations

import math

_PLAIN_FROM, _PLAIN_BELOW = 1e-4, 1e9
_WHOLE_FROM = 1_000


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
