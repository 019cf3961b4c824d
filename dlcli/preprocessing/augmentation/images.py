"""What the augmentations of images share: fields, and the shape of rows that they work on."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from dlcli.part import Augmentation, Number, RowShape

IMAGE_AXES = 3


def _single(value: object) -> int | float | str | None:
    """The number of a field that holds only one, alone or in a list; None otherwise."""
    if isinstance(value, tuple | list) and len(value) == 1:
        value = value[0]
    return None if isinstance(value, bool) or not isinstance(value, int | float | str) else value


def _around(value: object) -> object:
    """Reads 0.1 as [-0.1, 0.1]."""
    number = _single(value)
    if isinstance(number, str):
        return (f"-{number.lstrip('-')}", number.lstrip("-"))
    return value if number is None else (-abs(number), abs(number))


def _up_to(value: object) -> object:
    """Reads 0.1 as [0, 0.1]."""
    number = _single(value)
    return value if number is None else (0.0, number)


def _both(value: object) -> object:
    """Reads 0.1 as [0.1, 0.1]."""
    number = _single(value)
    return value if number is None else (number, number)


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        message = f"the range must rise, got [{value[0]:g}, {value[1]:g}]"
        raise ValueError(message)
    return value


_Signed = Annotated[Number, Field(ge=-1, le=1)]
_Zoom = Annotated[Number, Field(gt=-1, le=1)]
Share = Annotated[Number, Field(ge=0, le=1)]
Around = Annotated[tuple[_Signed, _Signed], BeforeValidator(_around), AfterValidator(_rising)]
"""A range; one number f stands for [-f, f]."""
AroundZoom = Annotated[tuple[_Zoom, _Zoom], BeforeValidator(_around), AfterValidator(_rising)]
"""As `Around`, above -1."""
UpTo = Annotated[tuple[Share, Share], BeforeValidator(_up_to), AfterValidator(_rising)]
"""A range; one number f stands for [0, f]."""
Both = Annotated[tuple[Share, Share], BeforeValidator(_both)]
"""Two numbers; one stands for both."""


class ImageAugmentation(Augmentation):
    """A random change of images: rows of shape (height, width, channels)."""

    def misfit(self, shape: RowShape | None, *, codes: bool | None) -> tuple[str, str] | None:  # noqa: ARG002
        """Rows that are no images."""
        if shape is None or len(shape) == IMAGE_AXES:
            return None
        written = "flat" if len(shape) == 1 else f"of shape ({', '.join(map(str, shape))})"
        message = f"{self.part_name} changes images (height, width, channels), and the rows here are {written}"
        return message, "give rows the shape of images, e.g. shape: [28, 28, 1] under data, or take it away"
