"""Whether rows look alike by chance, as in tables of few and coarse columns, or because they are copies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data.hashes import row_hashes
from dlcli.data.leakage.findings import Divided
from dlcli.samples import Samples

BY_CHANCE = 0.03
"""Equal rows are coincidences if this much of the almost equal rows is there that chance would put beside them."""
MOST_ROWS = 200_000


def by_chance(divided: Divided, inputs: NDArray[np.uint64], rows: NDArray[np.int64]) -> bool:
    """Whether equal inputs of rows are coincidences: other things that happen to have the same few values.

    Copies agree in everything. Things that agree by chance have many others beside them that agree in all inputs
    but one. If two rows agree in input j with the probability s_j, and E pairs of rows agree in all inputs, chance
    would let about E (1 - s_j) / s_j pairs agree in all but j. Where less than 3 % of these pairs are there, summed
    over the inputs, the equal rows are copies. (Inputs that depend on each other, such as class and fare of a
    passage, leave 7 to 100 % of them in tables of coincidences; copies that were counted by hand leave up to 1.4 %.)

    Only numbers, categories and times are left out in turn: two equal texts or images are never a coincidence. Of
    more than 200,000 rows, as many evenly spaced ones are looked at.

    Args:
        divided: the rows.
        inputs: a hash of the inputs of every row, as `repeats.input_hashes`.
        rows: those that are compared.
    """
    if len(rows) > MOST_ROWS:
        rows = np.sort(rows)[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64)]
    every = len(rows) * (len(rows) - 1) / 2
    equal = _pairs(inputs[rows])
    found = expected = 0.0
    for name, column in divided.single_values().items():
        cells = row_hashes(Samples({name: column}, divided.samples.rows))[rows]
        agreeing = _pairs(cells)
        if not 0 < agreeing < every:
            continue
        with np.errstate(over="ignore"):
            found += _pairs(inputs[rows] - cells) - equal
        expected += equal * (every - agreeing) / agreeing
    return found > 0 and found >= BY_CHANCE * expected


def _pairs(hashes: NDArray[Any]) -> float:
    """How many pairs of rows have equal hashes."""
    counts = np.unique(hashes, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())
