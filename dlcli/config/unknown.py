"""What stands in a partial experiment where a value is broken, so that other rules can still run."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

Fact = TypeVar("Fact")


class UnknownValueError(Exception):
    """A rule needs something that is not known; it stays silent."""


class _Broken:
    """Any use of it raises UnknownValueError, even `isinstance`; only `is` can look at it."""

    __slots__ = ()

    def _raise(self, *_: object) -> NoReturn:
        raise UnknownValueError

    __getattribute__ = __eq__ = __ne__ = __hash__ = __bool__ = __len__ = __iter__ = _raise
    __contains__ = __getitem__ = __call__ = __str__ = __repr__ = __format__ = _raise
    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __sub__ = __rsub__ = _raise
    __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __int__ = __float__ = __index__ = _raise


BROKEN: Any = _Broken()
"""A value about which a problem is already known."""


def known(fact: Fact | None) -> Fact:
    """A fact that is there.

    Raises:
        UnknownValueError: it is not known yet.
    """
    if fact is None:
        raise UnknownValueError
    return fact
