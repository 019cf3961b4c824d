"""The sections `output` and `regularization`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dlcli.part import Activation, Number, Section


class Output(Section):
    """The output layer that follows the architecture; what is not written comes from the task."""

    activation: Annotated[Activation | None, Field(description="Activation of the output layer; by task.")] = None
    bias: Annotated[
        Literal["zeros", "prior"],
        Field(description="Start of the bias: zeros, or what predicts the training rows' class shares or means."),
    ] = "zeros"
    units: Annotated[int | None, Field(gt=0, description="Units of the output layer; by task.")] = None


class Regularization(Section):
    """Defaults for all layers; a layer's own setting wins."""

    l1: Annotated[Number, Field(ge=0, description="Factor of the sum of absolute weights of every kernel.")] = 0.0
    l2: Annotated[Number, Field(ge=0, description="Factor of the sum of squared weights of every kernel.")] = 0.0
    dropout: Annotated[
        Number, Field(ge=0, lt=1, description="Share of units dropped after every hidden activation.")
    ] = 0.0
    max_norm: Annotated[Number | None, Field(gt=0, description="Largest norm of the incoming weights of a unit.")] = (
        None
    )
