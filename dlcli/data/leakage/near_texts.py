"""Texts that are almost the same: a word changed, a line added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dlcli.data.hashes import among
from dlcli.data.leakage.findings import COPIES, Divided, Finding, first_rows
from dlcli.data.leakage.normal_text import normal
from dlcli.samples import Coded
from dlcli.words import lengths, picked

LIKE = 0.6
"""Two texts are almost the same if they share this much of their runs of three words (Jaccard)."""
FEWEST_WORDS = 8
"""Shorter texts are not compared: a few words recur by chance."""
MOST_WORDS = 80
"""Longer texts are compared by so many of their first words."""
MOST_ROWS = 100_000
"""Of each subset so many are compared."""
_WORD_LENGTH = 8
_RUN = 3
_BANDS, _BAND = 12, 2
_AGREEING = 0.35
_LOOKED_AT = 8
_TEXTS_AT_ONCE = 10_000
_PRIME = np.uint64(0x100000001B3)
_INVERSE = np.uint64(pow(int(_PRIME), -1, 2**64))
_NO_RUN = ~np.uint64(0)
_BLANK = 32


def near_texts(divided: Divided, inputs: NDArray[np.uint64]) -> Iterator[Finding]:
    """Texts of a later subset that have almost the same text in an earlier one; equal ones are told elsewhere.

    MinHash (Broder 1997) with 24 hashes of runs of three words, in 12 bands, proposes pairs; the share of runs that
    a pair has in common is then counted.
    """
    for name in divided.schema.of_kind("text"):
        texts = _Texts.of(divided.samples[name], list(divided.subsets.values()))
        for border in divided.borders():
            rows = border.found(partial(_like_others, texts, inputs))
            if len(rows):
                have = "have" if len(rows) > 1 else "has"
                message = f"{border.counted(len(rows), 'text')} {have} almost the same text in {border.there}"
                hint = f"look at them: {COPIES}"
                yield Finding("near-duplicates", message, hint, (name,), first_rows(rows))


@dataclass(frozen=True, slots=True, eq=False)
class _Texts:
    """Texts as they are compared: their first words in normal form.

    Attributes:
        numbers: int64 (rows,), which text each row has; -1 where it is too short, or not compared.
        words: the first words of each text, with single blanks between them.
        sketches: uint64 (texts, 24).
    """

    numbers: NDArray[np.int64]
    words: list[str]
    sketches: NDArray[np.uint64]

    @classmethod
    def of(cls, column: Coded, subsets: list[NDArray[np.int64]]) -> _Texts:
        long = np.append(lengths(column.vocabulary) >= 2 * FEWEST_WORDS - 1, False)[column.codes]  # words and blanks
        rows = np.concatenate([_some(rows[long[rows]]) for rows in subsets])
        used, places = np.unique(column.codes[rows], return_inverse=True)
        words = [_beginning(text) for text in picked(column.vocabulary, used)]
        enough = np.array([text.count(" ") + 1 >= FEWEST_WORDS for text in words], dtype=bool)
        numbers = np.full(len(column), -1, dtype=np.int64)
        numbers[rows] = np.where(enough[places], places, -1)
        return cls(numbers, words, _sketches(words))


def _like_others(
    texts: _Texts, inputs: NDArray[np.uint64], here: NDArray[np.int64], there: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The rows `here` that are like a row `there`, but not equal to one."""
    here, there = (rows[texts.numbers[rows] >= 0] for rows in (here, there))
    here = here[~among(inputs[here], inputs[there])]
    return here[_near(texts, texts.numbers[there], texts.numbers[here])]


def _some(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows if len(rows) <= MOST_ROWS else rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64)]


def _beginning(text: str) -> str:
    """The first words in normal form."""
    return " ".join(normal(text[: MOST_WORDS * _WORD_LENGTH]).split(" ")[:MOST_WORDS])


def _near(texts: _Texts, train: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which texts share enough with one of `train`."""
    near = np.zeros(len(numbers), dtype=bool)
    if not len(numbers) or not len(train):
        return near
    sketches = texts.sketches
    train = np.unique(train)
    for band in range(_BANDS):
        keys, wanted = (_band(sketches[part], band) for part in (train, numbers))
        order = np.argsort(keys, kind="stable")
        first = np.searchsorted(keys[order], wanted)
        for place in (first + step for step in range(_LOOKED_AT)):
            inside = np.flatnonzero(~near & (place < len(order)))
            same = inside[keys[order[place[inside]]] == wanted[inside]]
            if not len(same):
                break
            other = train[order[place[same]]]
            agreeing = (sketches[other] == sketches[numbers[same]]).mean(axis=1) >= _AGREEING
            for row, text in zip(same[agreeing], other[agreeing], strict=True):
                near[row] = _shared(texts.words[text], texts.words[numbers[row]]) >= LIKE
    return near


def _shared(one: str, other: str) -> float:
    """The share of runs of three words that two texts have in common, of all that they have."""
    first, second = (_runs(text.split(" ")) for text in (one, other))
    return len(first & second) / len(first | second) if first and second else 0.0


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1)}


def _band(sketches: NDArray[np.uint64], band: int) -> NDArray[np.uint64]:
    columns = sketches[:, band * _BAND : (band + 1) * _BAND]
    with np.errstate(over="ignore"):
        return np.asarray(columns[:, 0] * _PRIME ^ columns[:, 1])


def _sketches(texts: list[str]) -> NDArray[np.uint64]:
    """(texts, 24): of each text the smallest of its runs' hashes, under 24 hash functions."""
    parts = (texts[first : first + _TEXTS_AT_ONCE] for first in range(0, len(texts), _TEXTS_AT_ONCE))
    found = [_sketch([text.encode("utf-8", "surrogatepass") for text in part]) for part in parts]
    return np.concatenate([np.zeros((0, _BANDS * _BAND), dtype=np.uint64), *found])


def _sketch(texts: list[bytes]) -> NDArray[np.uint64]:
    """Sketches of some texts at once; words are separated by single blanks."""
    content = np.frombuffer(b" ".join(texts) + b" ", dtype=np.uint8)
    ends = np.flatnonzero(content == _BLANK)
    with np.errstate(over="ignore"):
        powers, inverse = (np.cumprod(np.full(len(content), base)) for base in (_PRIME, _INVERSE))
        sums = np.concatenate([[np.uint64(0)], np.cumsum((content + np.uint64(1)) * powers)])
        starts = np.concatenate([[0], ends[:-1] + 1])
        words = _spread((sums[ends] - sums[starts]) * inverse[starts])  # the same wherever the word stands
        runs = words.copy()
        runs[:-1] += _spread(words[1:] * _PRIME)
        runs[:-2] += _spread(words[2:] * _PRIME * _PRIME)
    counts = np.array([text.count(b" ") + 1 for text in texts])
    last = np.cumsum(counts)
    first = last - counts
    kept = np.ones(len(runs), dtype=bool)  # a run must not reach into the next text
    for back in (1, 2):
        kept[np.maximum(last - back, first)] = counts < _RUN
    generator = np.random.default_rng(0)
    salts = generator.integers(1, 2**63, size=_BANDS * _BAND, dtype=np.uint64)
    return np.stack(
        [np.minimum.reduceat(np.where(kept, _spread(runs ^ salt), ~np.uint64(0)), first) for salt in salts], axis=1
    )


def _spread(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        mixed = (values ^ (values >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(mixed ^ (mixed >> np.uint64(32)))
