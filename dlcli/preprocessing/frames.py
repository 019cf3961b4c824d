"""Frames: columns in blocks, split where a step names a part of them, joined at the end.

Everything here works on eager tensors and on symbolic ones alike: `keras.ops` and shapes, no values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dlcli.samples import Block, Frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def kinds(frame: Frame) -> dict[str, str]:
    """The kind of every column, in file order."""
    found = {name: str(block.kind) for block in frame.blocks for name in block.names}
    return {name: found[name] for name in frame.names}


def picked(frame: Frame, names: Iterable[str]) -> tuple[Block, ...]:
    """The named columns as blocks of their own."""
    wanted = frozenset(names)
    parts = (_part(block, [name in wanted for name in block.names]) for block in frame.blocks)
    return tuple(part for part in parts if part is not None)


def dropped(frame: Frame, names: Iterable[str]) -> Frame:
    """The frame without the named columns; names that it lacks are ignored."""
    unwanted = frozenset(names)
    parts = (_part(block, [name not in unwanted for name in block.names]) for block in frame.blocks)
    return Frame(
        tuple(part for part in parts if part is not None),
        tuple(name for name in frame.names if name not in unwanted),
        frame.origins,
    )


def _part(block: Block, wanted: list[bool]) -> Block | None:
    """Some of a block's columns; the block itself if that is all of them."""
    if all(wanted):
        return block
    positions = [position for position, yes in enumerate(wanted) if yes]
    if not positions:
        return None
    from keras import ops

    tensor = ops.take(block.tensor, positions, axis=-1)
    return Block(tuple(block.names[position] for position in positions), block.kind, tensor, block.cardinality)


def replaced(frame: Frame, names: Iterable[str], work: Callable[[Block], Block], *, keep: bool = False) -> Frame:
    """The frame with what `work` makes of the named columns in their place.

    Args:
        frame: the columns so far.
        names: the columns to work on.
        work: gets a block that holds named columns only. What it returns has one column for each of
            them, or any number of columns made of a single one.
        keep: leave the original columns too; results then need names of their own.
    """
    wanted = tuple(names)
    made: list[Block] = []
    results: dict[str, tuple[str, ...]] = {}
    for block in picked(frame, wanted):
        result = work(block)
        made.append(result)
        if len(block.names) == 1:
            results[block.names[0]] = result.names
        else:
            results |= {old: (new,) for old, new in zip(block.names, result.names, strict=True)}
    order: list[str] = []
    for name in frame.names:
        order += [name] if keep or name not in results else []
        order += results.get(name, ())
    remaining = frame.blocks if keep else dropped(frame, wanted).blocks
    origins = {new: frame.origins.get(old, old) for old, new_ones in results.items() for new in new_ones}
    return Frame((*remaining, *made), tuple(order), {**frame.origins, **origins})


def separated(frame: Frame, names: Iterable[str]) -> Frame:
    """The frame with a block of its own for each of the named columns."""
    alone = [part for name in names for part in picked(frame, (name,))]
    rest = dropped(frame, names).blocks
    return Frame((*rest, *alone), frame.names, frame.origins)


def merged(frame: Frame, names: tuple[str, ...], result: Block, *, keep: bool) -> Frame:
    """The frame with what was made of several columns together, in the place of the first of them.

    Args:
        frame: the columns so far.
        names: the columns that it was made of; the first one counts as its origin.
        result: what was made, with names of its own.
        keep: leave the original columns, too; the result then stands behind the last of them.
    """
    remaining = frame if keep else dropped(frame, names)
    members = [position for position, name in enumerate(frame.names) if name in frozenset(names)]
    place = members[-1] + 1 if keep else members[0]
    order = (*remaining.names[:place], *result.names, *remaining.names[place:])
    origin = frame.origins.get(names[0], names[0])
    return Frame((*remaining.blocks, result), order, {**frame.origins, **dict.fromkeys(result.names, origin)})


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """A name that no column has yet: the wanted one, with underscores behind it where that is taken."""
    others = frozenset(taken)
    while wanted in others:
        wanted += "_"
    return wanted


def free_names(wanted: Iterable[str], taken: Iterable[str]) -> tuple[str, ...]:
    """As `free_name`, for many columns at once, which then differ from each other, too."""
    others, found = set(taken), list[str]()
    for name in wanted:
        free = name
        while free in others:
            free += "_"
        others.add(free)
        found.append(free)
    return tuple(found)


def as_float(block: Block) -> Any:
    """The block's tensor in floating point: float32 for images, whose bytes count, else float64."""
    from keras import ops

    return ops.cast(block.tensor, "float32" if block.kind == "image" else "float64")


def constants(block: Block, learned: Mapping[str, Any], key: str) -> NDArray[np.floating[Any]]:
    """What was learned of each column, as an array beside the tensor of `as_float`: (columns,), or (1, last axis)."""
    import numpy as np

    values = [learned[name][key] for name in block.names]
    return np.array(values, dtype=np.float32 if block.kind == "image" else np.float64)


def per_column(block: Block, values: NDArray[np.float64]) -> dict[str, float | list[float]]:
    """Plain numbers by column name from an array over the last axis; a list for a column with a shape of its own."""
    numbers: list[float] = values.tolist()
    if len(block.names) == len(numbers):
        return dict(zip(block.names, numbers, strict=True))
    return {block.names[0]: numbers}


def joined(frame: Frame) -> Any:
    """All columns as one float32 tensor.

    Shapes: (rows, features) in file order; a single column with axes of its own keeps them.
    """
    from keras import ops

    tensors = [ops.cast(block.tensor, "float32") for block in frame.blocks]
    tensor = tensors[0] if len(tensors) == 1 else ops.concatenate(tensors, axis=-1)
    order = _order(frame)
    return tensor if order == list(range(len(order))) else ops.take(tensor, order, axis=-1)


def _order(frame: Frame) -> list[int]:
    """For each feature in file order its place in the blocks set side by side."""
    places: dict[str, range] = {}
    start = 0
    for block in frame.blocks:
        width = _width(block)
        for name in block.names:
            places[name] = range(start, start + width)
            start += width
    return [place for name in frame.names for place in places[name]]


def _width(block: Block) -> int:
    """Features per column: several for a vector; an image or sequence counts as one."""
    rows_and_features = 2
    return int(block.tensor.shape[-1]) // len(block.names) if len(block.tensor.shape) == rows_and_features else 1


def feature_names(frame: Frame) -> tuple[str, ...]:
    """A name per feature of `joined`; the features of a vector are counted from 1."""
    widths = {name: width for block in frame.blocks for width in [_width(block)] for name in block.names}
    return tuple(
        name if widths[name] == 1 else f"{name}_{number}"
        for name in frame.names
        for number in range(1, widths[name] + 1)
    )


def feature_origins(frame: Frame) -> tuple[str, ...]:
    """The raw column of each feature of `joined`; one for a column with axes of its own."""
    widths = {name: width for block in frame.blocks for width in [_width(block)] for name in block.names}
    return tuple(frame.origins.get(name, name) for name in frame.names for _ in range(widths[name]))


def cardinality(frame: Frame) -> int | None:
    """How many integer codes `joined` can hold, if every column holds codes."""
    sizes = [block.cardinality for block in frame.blocks]
    return None if None in sizes else max(size for size in sizes if size is not None)
