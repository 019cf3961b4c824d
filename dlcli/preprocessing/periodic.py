"""The step that writes a number as sines and cosines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dlcli.part import Number
from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import Keeping, values
from dlcli.samples import Block, Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Periodic(Keeping):
    """A number as sines and cosines of several frequencies: hour_sin_1, hour_cos_1, hour_sin_2, ...

    With a `period`, what returns after it looks the same again: hour 23 lies beside hour 0; the frequencies are
    1, 2, ... turns in a period. Without one the number is standardized by the training rows, and the
    frequencies are the quantiles of a half-normal distribution of the given scale, in turns per standard
    deviation: an embedding that helps plain networks on tables (Gorishniy, Rubachev and Babenko, "On
    Embeddings for Numerical Features in Tabular Deep Learning", 2022, there with frequencies that are
    learned). A gap stays a gap.
    """

    part_name = "periodic"
    example = "periodic: {columns: hour, period: 24, frequencies: 2}"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric",)
    result_kind = "encoded"

    frequencies: Annotated[int, Field(ge=1, le=1_000, description="How many frequencies; each gives two columns.")] = 4
    period: Annotated[
        Number | None, Field(gt=0, description="After how much the number repeats itself (24 for hours).")
    ] = None
    scale: Annotated[
        Number, Field(gt=0, description="Without a period: how high the frequencies are, in turns per deviation.")
    ] = 0.5

    def results(self, names: tuple[str, ...], taken: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """hour: hour_sin_1, hour_cos_1, ..."""
        endings = [f"{wave}_{number}" for number in range(1, self.frequencies + 1) for wave in ("sin", "cos")]
        return {name: tuple(frames.free_name(f"{name}_{ending}", taken) for ending in endings) for name in names}

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"start": number, "turns": turns per unit, by frequency}}."""
        from dlcli.preprocessing import moments

        learned: dict[str, Any] = {}
        for name in names:
            (block,) = frames.picked(frame, (name,))
            if self.period is not None:
                learned[name] = {"start": 0.0, "turns": [n / self.period for n in range(1, self.frequencies + 1)]}
                continue
            mean, std = (float(each[0]) for each in moments.mean_and_std(values(block)))
            learned[name] = {"start": mean, "turns": (self._frequencies() / (std or 1.0)).tolist()}
        return learned

    def _frequencies(self) -> NDArray[Any]:
        from statistics import NormalDist

        import numpy as np

        shares = (np.arange(self.frequencies) + 0.5) / self.frequencies
        return np.array([NormalDist(sigma=self.scale).inv_cdf(0.5 + share / 2) for share in shares])

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Sine and cosine of each frequency in float32."""
        made = self.results(names, frame.names)

        def work(block: Block) -> Block:
            import numpy as np
            from keras import ops

            learned = state[block.names[0]]
            turns = ops.multiply(ops.subtract(frames.as_float(block), learned["start"]), np.array(learned["turns"]))
            angles = ops.multiply(ops.subtract(turns, ops.floor(turns)), 2 * np.pi)  # small, so that they are exact
            waves = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)
            flat = ops.reshape(waves, (-1, 2 * self.frequencies))
            return Block(made[block.names[0]], "encoded", ops.cast(flat, "float32"))

        return frames.replaced(frames.separated(frame, names), names, work, keep=self.keep)
