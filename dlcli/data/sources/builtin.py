"""The `builtin` source: small data sets that come with scikit-learn."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from dlcli.data.sources.files import source_for
from dlcli.part import Source
from dlcli.problems import DataError, Problem
from dlcli.samples import Coded, Found, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CELL = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)
_TABLES = {
    "wine": (
        "wine_data.csv",
        (
            "alcohol",
            "malic_acid",
            "ash",
            "alcalinity_of_ash",
            "magnesium",
            "total_phenols",
            "flavanoids",
            "nonflavanoid_phenols",
            "proanthocyanins",
            "color_intensity",
            "hue",
            "od280/od315_of_diluted_wines",
            "proline",
        ),
    ),
    "iris": ("iris.csv", ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")),
    "breast_cancer": (
        "breast_cancer.csv",
        tuple(name.format(part) for name in ("mean {}", "{} error", "worst {}") for part in _CELL),
    ),
}
"""File and names of the inputs. The first line holds rows, inputs and the classes, each other line a row."""
_DIABETES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")


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
        """Reads the set; class labels by their names.

        Raises:
            DataError: the installed scikit-learn does not hold it.
        """
        try:
            inputs, target = self._columns()
        except FileNotFoundError as error:
            message = f"the installed scikit-learn does not hold the data set {self.name}: {error}"
            problem = Problem("no-builtin-data", message, "install scikit-learn again", ("data", "source"))
            raise DataError(problem) from error
        return Found(Samples.of(inputs | target), target=tuple(target), inputs=tuple(inputs))

    def _columns(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Inputs and targets by name."""
        if self.name == "digits":
            numbers = _numbers("digits.csv.gz", delimiter=",")
            images = numbers[:, :-1].astype("uint8").reshape(-1, 8, 8, 1)
            return {"image": images}, {"label": _classes(numbers[:, -1], tuple("0123456789"))}
        if self.name == "diabetes":
            progression = _numbers("diabetes_target.csv.gz")
            return _named(_DIABETES, _numbers("diabetes_data_raw.csv.gz")), {"target": progression}
        if self.name == "linnerud":
            exercise, body = "linnerud_exercise.csv", "linnerud_physiological.csv"
            return (
                _named(_first_line(exercise).split(), _numbers(exercise, skiprows=1)),
                _named(_first_line(body).split(), _numbers(body, skiprows=1)),
            )
        file, names = _TABLES[self.name]
        numbers = _numbers(file, delimiter=",", skiprows=1)
        _, _, *classes = _first_line(file).split(",")
        return _named(names, numbers[:, :-1]), {"label": _classes(numbers[:, -1], tuple(classes))}

    def other_file(self, path: str) -> Source:
        """A csv or npz file with the same columns."""
        return source_for(str(Path(path)))


def _file(name: str) -> Path:
    """Where a file lies; importing scikit-learn to find it out would take longer than most trainings of it."""
    package = find_spec("sklearn")
    root = package.submodule_search_locations[0] if package and package.submodule_search_locations else ""
    return Path(root) / "datasets" / "data" / name


def _first_line(file: str) -> str:
    with _file(file).open(encoding="utf-8") as lines:
        return lines.readline().rstrip("\n")


def _numbers(file: str, **layout: Any) -> NDArray[np.float64]:
    import numpy as np

    return np.loadtxt(_file(file), encoding="utf-8", **layout)


def _named(names: tuple[str, ...] | list[str], numbers: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {name: numbers[:, i] for i, name in enumerate(names)}


def _classes(numbers: NDArray[np.float64], names: tuple[str, ...]) -> Coded:
    return Coded(numbers.astype("int32"), names)
