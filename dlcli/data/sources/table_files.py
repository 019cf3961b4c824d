"""What sources of tables share: the files of a table, and those of its subsets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from dlcli.data.sources.files import expand
from dlcli.part import FilePath, Source
from dlcli.problems import ConfigPath
from dlcli.samples import Extent, Subset


class TableFiles(Source):
    """A table in one or several files, some of which may be subsets of their own."""

    main_field = "path"

    path: Annotated[tuple[FilePath, ...], Field(min_length=1, description="File, list of files, or glob.")]
    validation: Annotated[
        tuple[FilePath, ...] | None, Field(description="Files that hold the validation subset, if it has its own.")
    ] = None
    test: Annotated[
        tuple[FilePath, ...] | None, Field(description="Files that hold the test subset, if it has its own.")
    ] = None

    @property
    def place(self) -> ConfigPath:
        """Where the source stands in a config."""
        return ("data", "source", self.part_name)

    def extent(self) -> Extent:
        """As long as the files."""
        paths = tuple(path for _, _, paths in self.files() for path in paths)
        return Extent(paths, sum(path.stat().st_size for path in paths))

    def files(self) -> list[tuple[Subset, ConfigPath, tuple[Path, ...]]]:
        """By subset, the field that names its files, and the files; "train" for those that are in no other.

        Raises:
            DataError: a file is absent, or a glob matches nothing.
        """
        named: dict[Subset, tuple[str, tuple[str, ...] | None]] = {
            "train": ("path", self.path),
            "validation": ("validation", self.validation),
            "test": ("test", self.test),
        }
        return [
            (subset, (*self.place, field), expand(paths, (*self.place, field)))
            for subset, (field, paths) in named.items()
            if paths
        ]
