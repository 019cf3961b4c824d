"""A step of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Any

from pydantic import Field

from dlcli import custom_code
from dlcli.part import CodePath
from dlcli.preprocessing import frames
from dlcli.preprocessing.combinations import side_by_side
from dlcli.preprocessing.tables import Keeping
from dlcli.problems import ConfigError, Problem
from dlcli.samples import Block, Frame


class CustomStep(Keeping):
    """A Keras layer from a Python file, which gets the named columns side by side: (rows, columns).

    It must have no weights, since nothing here would train them. One column out for each column in keeps the
    columns' names; else they are called like the object: `Ratios_1`, `Ratios_2`. Keras casts to float32 what a
    layer gets, unless its arguments say `dtype: float64`.
    """

    part_name = "custom"
    main_field = "object"
    example = 'custom: {object: "units.py:Ratios", columns: [Age, Fare]}'
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric", "encoded")
    result_kind = "numeric"
    runs_code = True

    object: Annotated[CodePath, Field(description="file.py:Name of a keras.Layer class or a function that makes one.")]
    arguments: dict[str, Any] = Field(default_factory=dict, description="What it is called with.")

    def layer(self) -> Any:
        """The Keras layer."""
        return custom_code.call(self.object, dict(self.arguments))

    def results(self, names: tuple[str, ...], taken: tuple[str, ...]) -> Mapping[str, tuple[str, ...]] | None:
        """Only calling the layer shows what it makes."""
        del names, taken
        return None

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{"code": a hash of the file}: nothing is learned, but other code makes other columns.

        Raises:
            ConfigError: the layer fails, has weights, or makes no columns of what it gets.
        """
        layer, cells = self.layer(), side_by_side(frame, names)
        try:
            made = layer(cells[:1])
            shape = tuple(made.shape)
        except Exception as error:
            message = f"{self.object} cannot take {len(names)} columns: {type(error).__name__}: {error}"
            raise ConfigError(Problem("custom-code", message, "mend the file or the arguments")) from error
        if len(shape) != 2 or layer.weights:
            wrong = "has weights, which preprocessing does not train" if layer.weights else f"gives rows of {shape[1:]}"
            suggestion = "put it into `architecture`" if layer.weights else "give (rows, columns)"
            raise ConfigError(Problem("custom-object", f"{self.object} {wrong}", suggestion))
        return {"code": blake2b(custom_code.file_of(self.object).read_bytes(), digest_size=16).hexdigest()}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """What the layer gives, in float64."""
        from keras import ops

        del state
        result = ops.cast(self.layer()(side_by_side(frame, names)), "float64")
        made = Block(self._names(names, int(result.shape[-1]), frame.names), "numeric", result)
        return frames.merged(frame, names, made, keep=self.keep)

    def _names(self, names: tuple[str, ...], count: int, taken: tuple[str, ...]) -> tuple[str, ...]:
        called = self.object.rpartition(":")[2]
        if count != len(names):
            return frames.free_names((f"{called}_{number}" for number in range(1, count + 1)), taken)
        return frames.free_names((f"{name}_{called}" for name in names), taken) if self.keep else names
