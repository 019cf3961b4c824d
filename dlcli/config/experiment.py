"""The document: everything that one config says."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field

from dlcli.config import catalog
from dlcli.config.sections import Data, Evaluation, KFold, Training, Tune
from dlcli.network.sections import Output, Regularization
from dlcli.part import Augmentation, Layer, Loss, Metric, Optimizer, Part, Schedule, Section, Split, Step
from dlcli.task import Task
from dlcli.training.divergence import Divergence
from dlcli.training.stopping import EarlyStopping

AnyPart = TypeVar("AnyPart", bound=Part)


def _named(family: type[AnyPart], name: str) -> AnyPart:
    """A Part with all its defaults."""
    part = catalog.find(family.family, name)
    assert part is not None
    made = part()
    assert isinstance(made, family)
    return made


class Experiment(Section):
    """One experiment: data, split, preprocessing, network, learning, evaluation."""

    name: Annotated[str | None, Field(description="Name of its runs; by default the file's.")] = None
    description: Annotated[str | None, Field(description="What it is about.")] = None
    seed: Annotated[
        int, Field(ge=0, description="Decides weights, shuffling and dropout. The split has a seed of its own.")
    ] = 0
    task: Annotated[Task | None, Field(description="What is predicted; by default inferred from the target.")] = None
    data: Annotated[Data, Field(description="Where rows come from and what their columns are.")]
    split: Annotated[Split, Field(description="How rows are divided into training, validation and test.")] = Field(
        default_factory=lambda: _named(Split, "auto")
    )
    preprocessing: Annotated[tuple[Step, ...], Field(description="Steps from raw columns to numbers, in order.")] = (
        Field(default_factory=lambda: (_named(Step, "auto"),))
    )
    augmentation: Annotated[tuple[Augmentation, ...], Field(description="Random changes of training rows.")] = ()
    architecture: Annotated[tuple[Layer, ...], Field(description="The layers before the output layer.")]
    output: Annotated[
        Output | Literal["none"] | None,
        Field(description="Changes of the output layer; `none`: the architecture's last layer is the output."),
    ] = None
    loss: Annotated[Loss | None, Field(description="What training makes small; by task.")] = None
    metrics: Annotated[tuple[Metric, ...] | None, Field(description="What is reported; by task.")] = None
    optimizer: Annotated[Optimizer, Field(description="How weights are updated.")] = Field(
        default_factory=lambda: _named(Optimizer, "adam")
    )
    schedule: Annotated[
        Schedule | None, Field(description="How the learning rate changes over the epochs; by default it is constant.")
    ] = None
    regularization: Annotated[Regularization, Field(description="Defaults against overfitting for all layers.")] = (
        Regularization()
    )
    training: Annotated[Training, Field(description="Epochs, batches and their like.")] = Training()
    early_stopping: Annotated[
        EarlyStopping | None, Field(description="Stops training when it no longer pays. Off unless written.")
    ] = None
    select: Annotated[
        str | None,
        Field(description="The monitor whose best epoch gives the weights, or `last`; by default early_stopping's."),
    ] = None
    divergence: Annotated[Divergence | None, Field(description="What happens when the loss is no longer a number.")] = (
        Divergence()
    )
    kfold: Annotated[KFold, Field(description="What `dlcli kfold` does.")] = KFold()
    evaluation: Annotated[Evaluation, Field(description="How predictions are scored.")] = Evaluation()
    tune: Annotated[Tune | None, Field(description="What `dlcli tune` searches.")] = None
