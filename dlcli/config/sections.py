"""Sections of the document that belong to no room below: data, training, kfold, evaluation, tune."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from dlcli import formula
from dlcli.data.target_section import Target
from dlcli.data.window_section import Window
from dlcli.part import Distribution, Number, Search, Section, Source, Written

Columns = tuple[Written, ...]
Size = Annotated[int, Field(ge=1)]
Share = Annotated[Number, Field(gt=0, lt=1)]


class Data(Section):
    """Where rows come from, which column is predicted, and what the others are."""

    source: Annotated[Source, Field(description="Where rows come from.")]
    target: Annotated[
        Target | None, Field(description="The column that is predicted, a list of several, or a mapping with more.")
    ] = None
    inputs: Annotated[Columns | None, Field(description="Input columns; by default all but the rest.")] = None
    ignore: Annotated[Columns, Field(description="Columns that are no inputs.")] = ()
    numeric: Annotated[Columns, Field(description="Columns that hold numbers, whatever they look like.")] = ()
    categorical: Annotated[Columns, Field(description="Columns that hold categories, whatever they look like.")] = ()
    text: Annotated[Columns, Field(description="Columns that hold free text, whatever they look like.")] = ()
    datetime: Annotated[Columns, Field(description="Columns that hold dates or times, whatever they look like.")] = ()
    weight: Annotated[
        Written | None, Field(description="Column with the weight of each row, in the loss and in every score.")
    ] = None
    group: Annotated[
        Written | None, Field(description="Column with a row's group (a patient); a group is in one subset only.")
    ] = None
    time: Annotated[Written | None, Field(description="Column that orders the rows in time.")] = None
    where: Annotated[
        str | None,
        Field(description="Only rows that pass, e.g. `Age >= 18 and Sex == 'male'`, as formulas of `expression`."),
    ] = None
    window: Annotated[
        Window | None, Field(description="What of a series, ordered by `time`, is seen at once and what is predicted.")
    ] = None
    shape: Annotated[tuple[Size, ...] | None, Field(description="Shape that flat rows get, e.g. [28, 28, 1].")] = None
    channels: Annotated[
        Literal["first", "last"], Field(description="Where images have their channels; `first` is turned to last.")
    ] = "last"
    duplicates: Annotated[
        Literal["together", "keep", "drop", "refuse"],
        Field(
            description="Rows that are equal in every cell (blanks around cells aside, where the source strips them): "
            "in one subset together, left as they are, only once, or refused."
        ),
    ] = "together"
    missing_target: Annotated[
        Literal["refuse", "drop"], Field(description="Rows without a target: refused, or left out.")
    ] = "refuse"
    in_memory: Annotated[
        Literal["auto"] | bool,
        Field(description="Whether data lie in memory, or on disk and are read while training; `auto`: by size."),
    ] = "auto"

    @field_validator("where")
    @classmethod
    def _is_condition(cls, value: str | None) -> str | None:
        if value is not None and not formula.parse(value).is_condition:
            message = f"a row filter is a comparison, such as Age >= 18; {value} gives a number"
            raise ValueError(message)
        return value

    @property
    def past_is_input(self) -> bool:
        """Whether the targets' own past is an input, unless `inputs` omits it."""
        return self.window is not None and self.window.horizon > 0


class Training(Section):
    """How long and in what portions the network learns."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000, description="Passes over the training rows.")] = 20
    batch_size: Annotated[
        Size | Literal["full"], Field(description="Rows per update of the weights; `full`: all of them.")
    ] = 32
    shuffle: Annotated[bool, Field(description="Draw a new order of the rows for each epoch.")] = True
    class_weight: Annotated[
        Literal["balanced"] | dict[Written, Annotated[Number, Field(ge=0)]] | None,
        Field(description="Weight of each class in the training loss; `balanced`: rare classes weigh more."),
    ] = None
    precision: Annotated[
        Literal["float32", "mixed_float16", "mixed_bfloat16"], Field(description="Number format of the computation.")
    ] = "float32"
    engine: Annotated[
        Literal["auto", "graph", "xla"],
        Field(description="What runs the epochs: `graph`: the bits of Keras's fit; `xla`: faster on small nets."),
    ] = "auto"
    deterministic: Annotated[
        bool, Field(description="Same seed, same bits, also on a GPU, where that can cost speed.")
    ] = True
    threads: Annotated[
        int | None, Field(ge=1, le=1024, description="Threads of one operation; by default TensorFlow's choice.")
    ] = None
    time_limit: Annotated[
        Number | None, Field(gt=0, description="Seconds after which training stops at the end of an epoch.")
    ] = None
    checkpoint_every: Annotated[
        Number, Field(ge=0, description="Seconds between two states from which a run can be resumed; 0: every segment.")
    ] = 10.0


class KFold(Section):
    """What `dlcli kfold` does."""

    folds: Annotated[int, Field(ge=2, le=10_000, description="Parts that take turns in validating.")] = 5
    repeats: Annotated[int, Field(ge=1, le=1_000, description="How often the rows are divided anew.")] = 1
    inner: Annotated[
        Number,
        Field(ge=0, lt=1, description="Share of each training side that stops training and selects weights; 0: none."),
    ] = 0.2
    column: Annotated[
        Written | None,
        Field(description="Column that names the fold that a row validates, in place of `folds`; empty: it trains."),
    ] = None
    max_train_size: Annotated[
        int | None,
        Field(
            ge=1, description="In order of time: the most rows that a fold trains on (rolling windows); by default all."
        ),
    ] = None
    keep_models: Annotated[bool, Field(description="Save the model of each fold.")] = False
    ensemble: Annotated[
        bool, Field(description="The model of the run is the mean of the folds' models, in place of one more training.")
    ] = False


class Evaluation(Section):
    """How predictions are scored."""

    confidence: Annotated[Number, Field(gt=0, lt=1, description="Confidence of the intervals of scores.")] = 0.95
    slices: Annotated[
        Columns, Field(description="Columns whose values are scored one by one; they need not be inputs.")
    ] = ()
    threshold: Annotated[
        Share | Literal["f1", "youden"] | dict[Literal["recall", "precision"], Share],
        Field(
            description="Probability from which on a label counts as predicted, or how validation rows choose it: "
            "`f1`, `youden` (recall + specificity), `{recall: 0.9}`, `{precision: 0.9}`; in multilabel for each label."
        ),
    ] = 0.5
    calibrate: Annotated[
        Literal["temperature"] | None,
        Field(description="`temperature`: divide logits by a number that validation rows choose."),
    ] = None
    human_level: Annotated[
        dict[Written, Number] | None,
        Field(description="What people reach, for the diagnosis: `{error: 0.003}`, or a metric and its value."),
    ] = None
    costs: Annotated[
        dict[Written, dict[Written, Number]] | None,
        Field(description="Cost of each mistake, by actual and predicted class: `{yes: {no: 10}, no: {yes: 1}}`."),
    ] = None

    @property
    def fixed_threshold(self) -> float:
        """The threshold while the network trains, and before rows have chosen one."""
        return self.threshold if isinstance(self.threshold, float) else 0.5

    @property
    def chooses(self) -> bool:
        """Whether rows are to choose a threshold or a temperature."""
        return self.calibrate is not None or not isinstance(self.threshold, float)


class Tune(Section):
    """What `dlcli tune` searches."""

    search: Annotated[Search | None, Field(description="How trials are proposed; by default at random.")] = None
    trials: Annotated[int, Field(ge=1, le=100_000, description="Trainings with other settings.")] = 20
    folds: Annotated[int, Field(ge=0, description="Folds per trial; 0: the split's validation rows.")] = 0
    objective: Annotated[str | None, Field(description="The monitor to be improved; by default as `select`.")] = None
    space: Annotated[
        dict[str, Distribution], Field(description="Values to try, by path: `optimizer.adam.learning_rate`.")
    ] = {}  # noqa: RUF012 - pydantic copies it for each instance
