"""What an epoch does with the rows follows from its number and the seeds, however it is come to."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.seeds import Seeds
from dlcli.training import plans
from dlcli.training.plans import Plans

RATES = np.zeros(1)


@pytest.mark.parametrize("many", [1, 1000])
def test_an_epoch_is_the_same_whichever_came_before_it(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_MANY_ROWS", many)
    asked = Plans(50, Seeds(3), shuffle=True)
    orders = {number: asked.epoch(number, RATES).order for number in (1, 2, 5, 4, 5, 6)}
    for number, order in orders.items():
        assert order.tolist() == Seeds(3).generator("order", number).permutation(50).tolist()
        assert order.dtype == np.int32
    assert asked.epoch(6, RATES).key == Plans(50, Seeds(3), shuffle=False).epoch(6, RATES).key


def test_without_shuffling_rows_come_as_they_are() -> None:
    assert Plans(4, Seeds(0), shuffle=False).epoch(2, RATES).order.tolist() == [0, 1, 2, 3]
