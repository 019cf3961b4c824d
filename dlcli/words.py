"""Texts that lie in files, mapped into memory, and are read where they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from dlcli.storage import spans

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Words(Sequence[str]):
    """Texts as UTF-8 somewhere in an array.

    Attributes:
        content: uint8, flat.
        starts, ends: int64 (texts,), the places in `content` where each text starts and ends.
    """

    content: NDArray[Any]
    starts: NDArray[Any]
    ends: NDArray[Any]

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Words: ...
    def __getitem__(self, place: int | slice) -> str | Words:
        if isinstance(place, slice):
            return self.take(place)
        return str(self.content.data[self.starts[place] : self.ends[place]], "utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        return (str(text, "utf-8", "surrogatepass") for text in self.encoded())

    def encoded(self) -> Iterator[memoryview]:
        """Each text as UTF-8."""
        return spans(self.content, self.starts, self.ends)

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """What they consist of."""
        return self.content, self.starts, self.ends

    @property
    def nbytes(self) -> int:
        """Bytes in memory, or on disk."""
        return sum(int(array.nbytes) for array in self.arrays)

    def take(self, places: NDArray[Any] | slice) -> Words:
        """Some of the texts."""
        return Words(self.content, self.starts[places], self.ends[places])


def lengths(vocabulary: Sequence[str]) -> NDArray[Any]:
    """Bytes of each text as UTF-8, int64."""
    import numpy as np

    if isinstance(vocabulary, Words):
        return np.asarray(vocabulary.ends - vocabulary.starts)
    sizes = (len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")) for text in vocabulary)
    return np.fromiter(sizes, np.int64, len(vocabulary))


def picked(vocabulary: Sequence[str], codes: NDArray[Any]) -> Sequence[str]:
    """Some texts of a vocabulary, those on disk not read yet."""
    return vocabulary.take(codes) if isinstance(vocabulary, Words) else tuple(vocabulary[code] for code in codes)
