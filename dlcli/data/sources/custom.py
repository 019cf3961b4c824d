"""The `custom` source: a function of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from dlcli.data.sources.files import source_for
from dlcli.part import CodePath, Source
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Found, Samples

_FIELD: ConfigPath = ("data", "source", "custom", "object")


class CustomSource(Source):
    """A function of your own: called with `arguments`, it returns a mapping from column name to array or list.

    A column of numbers is an array with one entry per row; a column of text is a list of str, in which
    None is missing.
    """

    part_name = "custom"
    main_field = "object"
    example = "custom: {object: 'sensors.py:load', arguments: {folder: recordings}}"
    runs_code = True

    object: Annotated[CodePath, Field(description="The function, as file.py:name.")]
    arguments: dict[str, Any] = Field(default_factory=dict, description="What it is called with.")

    def read(self) -> Found:
        """Calls the function.

        Raises:
            DataError: it returns anything but columns of equal length.
        """
        from dlcli.custom_code import call
        from dlcli.data.sources.arrays import column, require_same_rows

        made = call(self.object, dict(self.arguments))
        if not isinstance(made, Mapping) or not all(isinstance(name, str) for name in made):
            message = f"{self.object} returned {type(made).__name__}, not a mapping from column name to array"
            raise DataError(Problem("custom-source", message, "return {'name': array, ...}", _FIELD))
        columns = {name: column(name, values, _FIELD) for name, values in made.items()}
        require_same_rows(columns, _FIELD)
        return Found(Samples.of(columns))

    def other_file(self, path: str) -> Source:
        """A csv or npz file with the same columns."""
        return source_for(path)
