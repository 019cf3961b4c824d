"""A metric of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dlcli import custom_code
from dlcli.part import CodePath, Metric
from dlcli.problems import ConfigError, Problem
from dlcli.task import ALL_TASKS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.part import Threshold
    from dlcli.task import Goal

    Floats = NDArray[np.float64]


class Custom(Metric):
    """A function f(y_true, y_score, **arguments) of the user's own that returns a number; it sees no weights.

    y_true and y_score come as in scikit-learn: class numbers and probabilities, or numbers in original
    units. Its name among the monitors is that of the function.
    """

    part_name = "custom"
    main_field = "object"
    example = 'custom: {object: "scores.py:gini", greater_is_better: true}'
    runs_code = True
    tasks = ALL_TASKS

    object: Annotated[CodePath, Field(description="file.py:Name of the function.")]
    arguments: dict[str, Any] = Field(default_factory=dict, description="What else it is called with, by name.")
    greater_is_better: Annotated[bool, Field(description="Whether a greater number is better.")] = True  # type: ignore[misc]

    def compute(
        self,
        goal: Goal,  # noqa: ARG002 - the function knows its task
        truth: NDArray[Any],
        prediction: Floats,
        weight: Floats | None,  # noqa: ARG002 - the function takes none
        threshold: Threshold,  # noqa: ARG002 - nor this
    ) -> float:
        """What the function returns.

        Raises:
            ConfigError: it fails or does not return a number.
        """
        function = custom_code.load(self.object)
        try:
            return float(function(truth, prediction, **self.arguments))
        except Exception as error:
            message = f"{self.object} failed: {type(error).__name__}: {error}"
            raise ConfigError(Problem("custom-code", message, "mend the file or the arguments")) from error
