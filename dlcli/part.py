"""What a config can name: records with typed fields, Parts, and the families of Parts.

A field's type says its range, its `Field(description=...)` its meaning and unit. Modules that define
Parts import no heavy library at module level; the method that does the work imports what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.events import Listener
    from dlcli.problems import Problem
    from dlcli.samples import Batch, Extent, Found, Frame, NetworkInput
    from dlcli.seeds import SeedStream
    from dlcli.storage import Storage
    from dlcli.task import Goal, Task

    Threshold = float | NDArray[np.float64]
    """From which probability on a label counts as predicted: one for all, or one per label (labels,)."""


class AsWritten:
    """Marks a field in which a scalar counts as written: `positive: 1` finds the class "1"."""


class PathText:
    """Marks a path: relative to the file that names it; `~` and `${VAR}` are expanded."""


class CodeText:
    """Marks `file.py:Name`: the part before the last colon is a path, as under `PathText`."""


def _fraction(value: object) -> object:
    """Reads "1/255" as the number that it means."""
    if isinstance(value, str):
        over, slash, under = value.partition("/")
        try:
            return float(over) / float(under) if slash else value
        except (ValueError, ZeroDivisionError):
            return value
    return value


Number = Annotated[float, BeforeValidator(_fraction)]
Written = Annotated[str, AsWritten()]
FilePath = Annotated[str, PathText()]
CodePath = Annotated[str, CodeText()]
Shape = tuple[int, ...]
RowShape = tuple[int | None, ...]
"""As `Shape`; None for a size that is not known yet."""


class Record(BaseModel):
    """Typed, immutable fields; unknown ones, NaN and infinity are refused; sequences are tuples."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False, protected_namespaces=()
    )


class Section(Record):
    """A section of the document that is not a Part, such as `training`.

    Attributes:
        main_field: the field that a scalar or list in place of the section fills; None if only a mapping can.
    """

    main_field: ClassVar[str | None] = None


class Part(Record):
    """A thing that a config can name.

    Attributes:
        part_name: the name in a config.
        family: which family it belongs to ("layer", "split", ...).
        main_field: the field that `name: value` fills; None if only a mapping can fill fields.
        example: a YAML item (`dense: 16`) that reads without a problem.
        other_names: names that it has elsewhere, and what a config says for them.
        runs_code: whether it runs the user's own code, so that `--trust` is needed.
    """

    part_name: ClassVar[str]
    family: ClassVar[str]
    main_field: ClassVar[str | None] = None
    example: ClassVar[str]
    other_names: ClassVar[Mapping[str, str]] = {}
    runs_code: ClassVar[bool] = False


class Source(Part):
    """Where rows come from."""

    family = "source"

    def read(self) -> Found:
        """Reads every row as it stands, types not yet decided.

        Raises:
            DataError: the source is missing, empty or unreadable.
        """
        raise NotImplementedError

    def read_into(self, storage: Storage, emit: Listener) -> Found:  # noqa: ARG002 - most sources are small and quick
        """As `read`; large columns go to `storage`, and `emit` hears how far it is where that takes long."""
        return self.read()

    def extent(self) -> Extent | None:
        """What there is to read, found without reading it; None where that is always small, or cannot be known.

        Raises:
            DataError: the source is missing.
        """
        return None

    def other_file(self, path: str) -> Source:
        """The source that reads `path` in the same way, for `predict`."""
        raise NotImplementedError


class Split(Part):
    """How rows are divided into training, validation and test."""

    family = "split"


class Step(Part):
    """A preprocessing step: fitted on training rows, then applied to any rows.

    `fit` looks at values and returns plain data (dict, list, str, numbers: what JSON holds);
    `apply` uses `keras.ops` and stock layers only, so that the same code runs on rows and, at the
    end, on symbolic tensors when `model.keras` is composed.

    Attributes:
        default_kinds: kinds of columns that it is for: those that it takes when `columns` is not written.
        accepted_kinds: kinds that it can work on when they are named.
        result_kind: kind of what it makes; None if that is the kind of what it was made from.
        compiles: whether XLA can compile it.
        finishes: whether what it makes is ready for the network, so that `auto` leaves it alone.
    """

    family = "preprocessing"
    main_field = "columns"
    default_kinds: ClassVar[tuple[str, ...]] = ()
    accepted_kinds: ClassVar[tuple[str, ...]] = ()
    result_kind: ClassVar[str | None] = None
    compiles: ClassVar[bool] = True
    finishes: ClassVar[bool] = True

    columns: Annotated[
        tuple[Written, ...] | None,
        Field(description="Columns by name, glob or kind; by default the kind that the step is for."),
    ] = None

    def result_shape(self, shape: Shape) -> Shape:
        """Shape of a row of what it makes of a column whose rows have a shape. No TensorFlow.

        Raises:
            ShapeError: it cannot take such a row.
        """
        return shape

    @property
    def reads(self) -> tuple[str, ...] | None:
        """The columns that other fields name, for a step that has no `columns`; None if it has."""
        return None

    @property
    def keeps(self) -> bool:
        """Whether the columns that it works on stay beside what it makes."""
        return False

    def results(self, names: tuple[str, ...], taken: tuple[str, ...]) -> Mapping[str, tuple[str, ...]] | None:
        """What it makes of each column, by name; None if only the data show that.

        Args:
            names: the columns that it works on.
            taken: every column that there is.
        """
        del taken
        return None if self.result_kind == "encoded" else {name: (name,) for name in names}

    def objections(self, kinds: Mapping[str, str]) -> tuple[Problem, ...]:
        """What makes it impossible to work on columns of these kinds; paths begin at the step."""
        del kinds
        return ()

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """What the step learns of the named columns of the training rows, as plain data."""
        raise NotImplementedError

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """The frame with the step applied to the named columns."""
        raise NotImplementedError

    def compact(self, cardinality: int | None) -> str | None:  # noqa: ARG002 - most results are fractions
        """The dtype of small whole numbers that holds every result exactly; None if there is none.

        Args:
            cardinality: how many integer codes the results can hold, where they are codes.
        """
        return None


class Augmentation(Part):
    """A random change of training rows, drawn anew whenever they are trained on. Other rows stay as they are.

    In a config they act in the order of the list:

        augmentation: [random_rotation: 0.03, random_zoom: 0.1, random_translation: 0.1]

    Attributes:
        mixes_targets: whether targets become fractions of classes.
        compiles: whether XLA can compile it.
    """

    family = "augmentation"
    mixes_targets: ClassVar[bool] = False
    compiles: ClassVar[bool] = True

    def misfit(self, shape: RowShape | None, *, codes: bool | None) -> tuple[str, str] | None:  # noqa: ARG002
        """Why rows like these cannot be changed so, and what to do about it; None if they can. No TensorFlow.

        Args:
            shape: of a row as the network gets it; None if it is not known yet.
            codes: whether an embedding takes the rows; None if that is not known yet.
        """
        return None

    def apply(self, batch: Batch, key: Any, given: NetworkInput) -> Batch:
        """The batch changed: a pure function of the key, inside a TensorFlow graph.

        Args:
            batch: rows after preprocessing.
            key: int32 (2,), a stateless TensorFlow seed.
            given: what is known of all rows.
        """
        raise NotImplementedError


class Layer(Part):
    """A layer of the network."""

    family = "layer"

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape, both without the batch axis. No TensorFlow.

        Raises:
            ShapeError: the layer cannot take this input.
        """
        raise NotImplementedError

    def parameters(self, shape: Shape) -> int:  # noqa: ARG002 - most layers have none, whatever the shape
        """How many numbers the layer holds, trained or not, for an input shape. No TensorFlow."""
        return 0

    def build(self, seeds: SeedStream) -> keras.Layer:
        """The Keras layer; whatever it draws comes from `seeds`."""
        raise NotImplementedError


class ShapeError(ValueError):
    """A layer cannot take its input; the message says why, with the shape."""


class Activation(Part):
    """An activation function."""

    family = "activation"

    def build(self) -> Any:
        """What Keras's `activation=` takes."""
        raise NotImplementedError


class Initializer(Part):
    """How a weight tensor starts."""

    family = "initializer"

    def build(self, seed: int) -> keras.Initializer:
        """The Keras initializer with its seed."""
        raise NotImplementedError


class Regularizer(Part):
    """A penalty on weights."""

    family = "regularizer"

    def build(self) -> keras.Regularizer:
        """The Keras regularizer."""
        raise NotImplementedError


class Constraint(Part):
    """A bound on weights."""

    family = "constraint"

    def build(self) -> keras.constraints.Constraint:
        """The Keras constraint."""
        raise NotImplementedError


class Optimizer(Part):
    """An update rule."""

    family = "optimizer"
    main_field = "learning_rate"

    learning_rate: Annotated[Number, Field(gt=0, description="Learning rate before any schedule.")] = 0.001

    def build(self) -> keras.Optimizer:
        """The Keras optimizer at its `learning_rate`."""
        raise NotImplementedError


class Schedule(Part):
    """Learning rate as a pure function of progress."""

    family = "schedule"

    def rate(self, epoch: float, *, epochs: int, initial: float, span: float = 0.0) -> float:
        """The rate of an update that begins at `epoch` and covers `span` epochs, of `epochs` in all.

        Fractions count; 0 is the start. `initial` is the optimizer's rate.
        """
        raise NotImplementedError


class Loss(Part):
    """What training makes small.

    Attributes:
        tasks: the tasks that it can serve.
        encoding: how labels are given: "index" (int class numbers), "one_hot", or "values".
        needs_amounts: whether a negative target has no meaning for it.
    """

    family = "loss"
    tasks: ClassVar[frozenset[Task]]
    encoding: ClassVar[Literal["index", "one_hot", "values"]] = "values"
    needs_amounts: ClassVar[bool] = False

    def build(self) -> Any:
        """A `keras.losses.Loss`."""
        raise NotImplementedError


class Metric(Part):
    """A score of predictions against the truth, on a whole subset.

    Attributes:
        tasks: the tasks that it can serve.
        greater_is_better: its direction.
    """

    family = "metric"
    tasks: ClassVar[frozenset[Task]]
    greater_is_better: ClassVar[bool]

    def compute(
        self,
        goal: Goal,
        truth: NDArray[Any],
        prediction: NDArray[np.float64],
        weight: NDArray[np.float64] | None,
        threshold: Threshold,
    ) -> float:
        """The score.

        Args:
            goal: task, target names and classes.
            truth: class numbers (rows,) for binary and multiclass; (rows, targets) otherwise.
            prediction: probability of the positive class (rows,) for binary; (rows, classes) for
                multiclass; (rows, targets) otherwise, in original units.
            weight: (rows,) or None.
            threshold: from which probability on a label counts as predicted; in multilabel it may be (labels,).
        """
        raise NotImplementedError


class Search(Part):
    """How `tune` proposes trials."""

    family = "search"


class Distribution(Part):
    """The values that `tune` may give to one setting."""

    family = "distribution"
