"""Image files of any kind as arrays of one form, decoded in threads by pillow."""

from __future__ import annotations

import os
import struct
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from dlcli.events import Listener, Progress
from dlcli.problems import ConfigPath, DataError, Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from dlcli.storage import Storage

Size = tuple[int, int]
"""Height and width."""
Fit = Literal["stretch", "pad", "crop"]
_EVENT_IMAGES = 16
SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "bmp", "dib", "webp", "avif"),
        *("tif", "tiff", "ppm", "pgm", "pbm", "pnm", "jp2", "tga", "qoi", "pcx"),
    )
)
"""Endings, in small letters, of files that are taken for images."""
_BROKEN_SHOWN = 5
_GREY = frozenset({"1", "L", "LA", "La", "I;16", "I;16L", "I;16B", "I;16N"})
_DEEP = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_DEEP_WHITE = 65_535
_UNKNOWN_WHITE = {"I": "32-bit whole numbers", "F": "fractions"}
_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})
"""EXIF orientations that exchange height and width."""
_ODD_EXIF = (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Form:
    """What every image becomes.

    Attributes:
        size: height and width; None: that of the files, which must be the same.
        channels: 1 (grey), 3 (colour), 4 (colour and opacity); None: 1 where every file is grey, else 3.
        fit: how an image of other proportions comes to the size: `stretch`; `pad` with black (with nothing
            where opacity is kept), or `crop`, both from the middle.
    """

    size: Size | None = None
    channels: int | None = None
    fit: Fit = "stretch"


class Decoded(NamedTuple):
    """Images of one form.

    Attributes:
        pixels: uint8 (rows, height, width, channels).
        notes: what was done that a person should know.
    """

    pixels: NDArray[np.uint8]
    notes: tuple[str, ...]


def decode(
    files: Sequence[Path],
    form: Form,
    field: ConfigPath,
    storage: Storage,
    emit: Listener,
    deciding: int | None = None,
) -> Decoded:
    """Reads image files, in order: upright as their EXIF says, transparent ones on white, 16 bits as 8.

    Args:
        files: one or more.
        form: what they become.
        field: the config path that named them.
        storage: where the pixels go.
        emit: hears how far it is.
        deciding: how many files, from the first, say whether all are grey; by default all.

    Raises:
        DataError: files that are no images or are damaged, all named in one problem; or sizes that differ while
            `form.size` is None.
    """
    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pillow's remarks on odd but readable files
        form = form if form.size and form.channels else _completed(form, files, field, emit, deciding)
        assert form.size is not None
        assert form.channels is not None
        pixels = storage.begin((len(files), *form.size, form.channels), np.uint8)
        seen: Counter[str] = Counter()
        broken: list[str] = []
        for image in _in_threads(partial(_decoded, form=form), files, emit, "images read"):
            if isinstance(image, str):
                broken.append(image)
            elif not broken:
                pixels.append(image.pixels[None])
                seen.update(image.remarks)
    if broken:
        raise DataError(_broken(broken, len(files), field))
    return Decoded(pixels.end(), tuple(f"{_images(count)} {remark}" for remark, count in sorted(seen.items())))


def nbytes(files: Sequence[Path], form: Form) -> int | None:
    """How many bytes the pixels take, as the first file says; None where it cannot be read."""
    size = form.size
    if size is None:
        try:
            size = _header(files[0]).size
        except Exception:  # pillow's readers raise whatever a damaged file leads them to
            return None
    return len(files) * size[0] * size[1] * (form.channels or 3)


def brought_to(pixels: NDArray[np.uint8], size: Size, fit: Fit) -> NDArray[np.uint8]:
    """One image, uint8 (height, width, channels), at another size; the channels stay (1, 3 or 4)."""
    import numpy as np
    from PIL import Image

    channels = pixels.shape[-1]
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    return np.asarray(_fitted(image, size, fit), dtype=np.uint8).reshape(*size, channels)


class _Header(NamedTuple):
    size: Size
    grey: bool


class _Pixels(NamedTuple):
    pixels: NDArray[np.uint8]
    remarks: tuple[str, ...]


class _UnreadableError(Exception):
    """Why an image cannot be used."""


def _header(file: Path) -> _Header:
    """Size when upright, and whether it is grey; nothing is decoded."""
    from PIL import Image

    with Image.open(file) as image:
        width, height = image.size
        with suppress(*_ODD_EXIF):
            if image.getexif().get(_ORIENTATION) in _TURNED:
                width, height = height, width
        return _Header((height, width), image.mode in _GREY)


def _completed(form: Form, files: Sequence[Path], field: ConfigPath, emit: Listener, deciding: int | None) -> Form:
    """The form with size and channels as the files have them."""
    headers = [
        header for header in _in_threads(_header, files, emit, "images looked at") if isinstance(header, _Header)
    ]
    if len(headers) < len(files):
        # What is broken shows in full once all are decoded, to whatever form.
        return Form(form.size or (1, 1), form.channels or 1, form.fit)
    channels = form.channels or (1 if all(header.grey for header in headers[:deciding]) else 3)
    return Form(form.size or _one_size(files, headers, field), channels, form.fit)


def _decoded(file: Path, form: Form) -> _Pixels:
    import numpy as np
    from PIL import Image, ImageOps

    size, channels, fit = form.size, form.channels, form.fit
    assert size is not None
    assert channels is not None
    remarks = []
    with Image.open(file) as opened:
        opened.load()
        image: Image.Image = opened
        with suppress(*_ODD_EXIF):
            image = ImageOps.exif_transpose(image)
        if image.mode in _DEEP:
            remarks.append("of 16 bits are read as 8 bits")
        if channels < 4 and _is_transparent(image):
            remarks.append("with transparent parts are laid on white")
        image = _in_channels(image, channels)
        if (image.height, image.width) != size:
            done = {"stretch": "stretched", "pad": "padded", "crop": "cropped"}[fit]
            remarks.append(f"of another size are brought to {size[0]} x {size[1]} ({done})")
            image = _fitted(image, size, fit)
        return _Pixels(np.asarray(image, dtype=np.uint8).reshape(*size, channels), tuple(remarks))


def _in_channels(image: Image, channels: int) -> Image:
    """The image as L, RGB or RGBA."""
    import numpy as np
    from PIL import Image

    if image.mode in _DEEP:
        values = np.asarray(image).astype(np.float64)
        image = Image.fromarray(np.rint(values * (255 / _DEEP_WHITE)).astype(np.uint8))
    if image.mode in _UNKNOWN_WHITE:
        message = f"its pixels are {_UNKNOWN_WHITE[image.mode]}, for which nothing says what is white"
        raise _UnreadableError(message)
    if channels == 4:
        return image.convert("RGBA")
    if _is_transparent(image):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if channels == 1 else "RGB")


def _is_transparent(image: Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def _fitted(image: Image, size: Size, fit: Fit) -> Image:
    from PIL import Image, ImageOps

    wide = size[::-1]
    if fit == "pad":
        return ImageOps.pad(image, wide, Image.Resampling.BILINEAR)
    if fit == "crop":
        return ImageOps.fit(image, wide, Image.Resampling.BILINEAR)
    return image.resize(wide, Image.Resampling.BILINEAR)


def _in_threads(
    work: Callable[[Path], Result], files: Sequence[Path], emit: Listener, done: str
) -> Iterator[Result | str]:
    """What `work` makes of each file, in order; of a file that cannot be used, its path and why."""
    from concurrent.futures import ThreadPoolExecutor

    def attempt(file: Path) -> Result | str:
        try:
            return work(file)
        except Exception as error:  # pillow's readers raise whatever a damaged file leads them to
            return f"{file} ({_reason(file, error)})"

    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for number, result in enumerate(pool.map(attempt, files), 1):
            yield result
            if number % _EVENT_IMAGES == 0 or number == len(files):
                emit(Progress(done, number, len(files)))
    finally:
        pool.shutdown(cancel_futures=True)


def _reason(file: Path, error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, Image.DecompressionBombError):
        return "more pixels than pillow opens"
    with suppress(OSError):
        if not file.stat().st_size:
            return "an empty file"
    if isinstance(error, UnidentifiedImageError):
        return "no image that pillow knows"
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _broken(broken: Sequence[str], count: int, field: ConfigPath) -> Problem:
    more = f"; and {len(broken) - _BROKEN_SHOWN:,} more" if len(broken) > _BROKEN_SHOWN else ""
    message = f"{len(broken):,} of {_images(count)} cannot be read: {'; '.join(broken[:_BROKEN_SHOWN])}{more}"
    return Problem("damaged-file", message, "copy them again, or take them out", field)


def _one_size(files: Sequence[Path], headers: Iterable[_Header], field: ConfigPath) -> Size:
    sizes = [header.size for header in headers]
    if len(set(sizes)) == 1:
        return sizes[0]
    order = sorted(range(len(sizes)), key=lambda number: sizes[number][0] * sizes[number][1])
    first, last = (f"{sizes[i][0]} x {sizes[i][1]} ({files[i].name})" for i in (order[0], order[-1]))
    raise DataError(mixed_sizes(f"from {first} to {last}", field))


def mixed_sizes(which: str, field: ConfigPath) -> Problem:
    """Images differ in size, and nothing says which size they shall have."""
    message = f"the images differ in size, {which}; a network takes rows of one size"
    suggestion = (
        "write the height and width that all shall have, e.g. `size: [96, 96]`; "
        "`resize: pad` or `resize: crop` beside it keeps proportions"
    )
    return Problem("wrong-shape", message, suggestion, field)


def _images(count: int) -> str:
    return f"{count:,} image" + ("s" if count != 1 else "")
