"""Layers that act in training only."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dlcli.network.layers.stock import StockLayer
from dlcli.part import Number, Shape


class Dropout(StockLayer):
    """Sets a random share of its inputs to 0 in training, and scales the others up.

    Predictions are unchanged. Srivastava et al., 2014, jmlr.org/papers/v15/srivastava14a.html.
    """

    part_name = "dropout"
    keras_name = "Dropout"
    main_field = "rate"
    example = "dropout: 0.2"
    draws = True

    rate: Annotated[Number, Field(ge=0, lt=1, description="Share of the inputs that is dropped.")]

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape."""
        return shape
