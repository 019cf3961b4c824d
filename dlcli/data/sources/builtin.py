"""The `builtin` source: small data sets that come with scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from dlcli.data.sources.files import source_for
from dlcli.part import Source
from dlcli.samples import Coded, Found, Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CLASSES = ("wine", "iris", "digits", "breast_cancer")


class Builtin(Source):
    """A data set that comes with scikit-learn; nothing is downloaded.

    | name | rows | inputs | target |
    |---|---|---|---|
    | `wine` | 178 | 13 measures | `label`: class_0, class_1, class_2 |
    | `iris` | 150 | 4 measures | `label`: setosa, versicolor, virginica |
    | `digits` | 1,797 | `image`, 8 x 8 x 1, values 0 to 16 | `label`: 0 to 9 |
    | `breast_cancer` | 569 | 30 measures | `label`: malignant, benign |
    | `diabetes` | 442 | 10 measures, not scaled | `target`: progression after a year |
    | `linnerud` | 20 | 3 exercises | `Weight`, `Waist`, `Pulse` |
    """

    part_name = "builtin"
    main_field = "name"
    example = "builtin: wine"

    name: Annotated[
        Literal["wine", "iris", "digits", "breast_cancer", "diabetes", "linnerud"],
        Field(description="Which data set."),
    ]

    def read(self) -> Found:
        """Reads the set; class labels by their names."""
        from sklearn import datasets

        scaled: dict[str, Any] = {"scaled": False} if self.name == "diabetes" else {}
        bunch = getattr(datasets, f"load_{self.name}")(**scaled)
        if self.name == "digits":
            inputs: dict[str, Any] = {"image": bunch.images.astype("uint8")[..., None]}
        else:
            inputs = {str(name): bunch.data[:, i] for i, name in enumerate(bunch.feature_names)}
        target = self._target(bunch)
        return Found(Samples.of(inputs | target), target=tuple(target), inputs=tuple(inputs))

    def _target(self, bunch: Any) -> dict[str, Coded | NDArray[Any]]:
        if self.name in _CLASSES:
            return {"label": Coded(bunch.target.astype("int32"), tuple(str(name) for name in bunch.target_names))}
        if self.name == "linnerud":
            return {str(name): bunch.target[:, i] for i, name in enumerate(bunch.target_names)}
        return {"target": bunch.target}

    def other_file(self, path: str) -> Source:
        """A csv or npz file with the same columns."""
        return source_for(str(Path(path)))
