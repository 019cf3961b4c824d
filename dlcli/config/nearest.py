"""The word that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_WORD = 60
_LONG_WORD = 8
"""With more letters, the end of a longer name is no slip but a short form: `focal_crossentropy`."""


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` is a slip of, or None if none is near.

    In this order: the same but for case and separators (`clip_norm`, `clipnorm`); the fewest slips
    (a letter more, less, other, or two swapped), at most about one per three letters; its beginning or its
    end (`conv`, `auc`); its initials (`lr`).
    """
    words = list(dict.fromkeys(candidates))
    bare = _bare(word)
    if not bare or len(word) > _LONGEST_WORD:
        return None
    for candidate in words:
        if _bare(candidate) == bare:
            return candidate
    limit = max(1, (len(bare) + 1) // 3)
    slips = [(_slips(bare, _bare(candidate), limit), candidate) for candidate in words]
    fewest = min(slips, key=lambda pair: pair[0], default=(limit + 1, ""))
    longer = next((each for each in words if len(bare) > _LONG_WORD and _bare(each).endswith(bare)), None)
    if longer or (fewest[0] <= limit and len(bare) > 1):
        return longer or fewest[1]
    if len(bare) > 2:
        for candidate in words:
            if _bare(candidate).startswith(bare) or _bare(candidate).endswith(bare):
                return candidate
    for candidate in words:
        if "_" in candidate and bare == "".join(part[:1] for part in candidate.split("_")):
            return candidate
    return None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """A suggestion: the nearest candidate, or all there are."""
    names = list(dict.fromkeys(candidates))
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {near}?"
    return f"there {'is' if len(names) == 1 else 'are'}: {', '.join(names)}" if names else ""


def _bare(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def _slips(one: str, other: str, limit: int) -> int:
    """Damerau-Levenshtein distance (no letter moved twice); anything above `limit` is limit + 1."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, against in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]
