"""Texts and their places in a vocabulary, by layers that plain Keras loads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dlcli.preprocessing import frames


def in_order(texts: Iterable[str]) -> list[str]:
    """Sorted as numbers if all of them are, else as text."""
    # Keras keeps vocabularies in arrays that lose trailing NULs: such a text counts as never seen.
    distinct = sorted(text for text in texts if not text.endswith("\0"))
    try:
        return sorted(distinct, key=float)
    except ValueError:
        return distinct


def lookup(vocabulary: list[str], output_mode: str) -> Any:
    """A layer from text to its place in the vocabulary, counted from 1; 0 for any other text."""
    import keras

    unknown = frames.free_name("[UNK]", vocabulary)  # Keras refuses a vocabulary that holds this token
    return keras.layers.StringLookup(vocabulary=vocabulary, mask_token=None, oov_token=unknown, output_mode=output_mode)


def spoken(vocabulary: list[str], places: Any) -> Any:
    """The texts at places that are counted from 1, as a tensor; at 0 a text that the vocabulary lacks."""
    import keras
    from keras import ops

    unknown = frames.free_name("[UNK]", vocabulary)
    layer = keras.layers.StringLookup(vocabulary=vocabulary, mask_token=None, oov_token=unknown, invert=True)
    return ops.cast(layer(places), "string")  # Keras believes these texts to be whole numbers
