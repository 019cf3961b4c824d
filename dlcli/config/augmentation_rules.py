"""Rules about augmentation: rows can be changed as written, and the loss takes what becomes of targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dlcli.config.facts import Case
from dlcli.part import Augmentation, RowShape
from dlcli.preprocessing.augmentation.values import DropValues, left_gaps
from dlcli.problems import ConfigPath, Problem
from dlcli.task import Task


def _rows_fit(case: Case) -> Iterator[Problem]:
    """Rows can be changed as written."""
    shape, codes = _row_shape(case), _codes(case)
    for path, part in _placed(case):
        misfit = part.misfit(shape, codes=codes)
        if misfit is not None:
            yield Problem("does-not-fit", *misfit, path)


def _row_shape(case: Case) -> RowShape | None:
    """The shape of a row, as found; from what is written only how many axes it has: steps change sizes."""
    written = case.experiment.data.shape
    return case.facts.shape or (None if written is None else (None,) * len(written))


def _codes(case: Case) -> bool | None:
    """Whether an embedding takes the rows; None where the first layer does not show it."""
    layers = case.experiment.architecture
    name = layers[0].part_name if layers else "dense"
    return True if name == "embedding" else False if name.startswith(("dense", "conv")) else None


def _placed(case: Case) -> Iterator[tuple[ConfigPath, Augmentation]]:
    for number, part in enumerate(case.experiment.augmentation):
        yield ("augmentation", number, part.part_name), part


def _gaps_pass(case: Case) -> Iterator[Problem]:
    """What `drop_values` makes missing is imputed."""
    names = case.facts.left_gaps
    for path, part in _placed(case):
        if isinstance(part, DropValues) and names:
            yield left_gaps(names, path)


def _partners(case: Case) -> Iterator[Problem]:
    """Rows that are mixed have a partner."""
    for path, part in _placed(case):
        if part.mixes_targets and case.experiment.training.batch_size == 1:
            message = f"{part.part_name} mixes the rows of a batch, and a batch has one"
            yield Problem("no-effect", message, "write a larger training.batch_size", path)


def _loss_takes_fractions(case: Case) -> Iterator[Problem]:
    """A loss of class numbers cannot take mixed classes."""
    loss = case.experiment.loss
    mixing = [part.part_name for _, part in _placed(case) if part.mixes_targets]
    if loss is None or not mixing or loss.encoding == "one_hot":
        return
    if loss.encoding == "index" or case.task is Task.MULTICLASS:
        message = f"{loss.part_name} takes class numbers, and {mixing[0]} makes fractions of classes"
        hint = "write categorical_crossentropy, or leave loss out"
        yield Problem("does-not-fit", message, hint, ("loss", loss.part_name))


def _compiles(case: Case) -> Iterator[Problem]:
    """XLA is asked only for what it can do."""
    if case.experiment.training.engine == "xla":
        names = dict.fromkeys(part.part_name for _, part in _placed(case) if not part.compiles)
        if names:
            message = f"XLA cannot compile {', '.join(names)}"
            yield Problem("does-not-fit", message, "write graph, or leave engine out", ("training", "engine"))


AUGMENTATION_RULES: tuple[Callable[[Case], Iterable[Problem]], ...] = (
    _rows_fit,
    _gaps_pass,
    _partners,
    _loss_takes_fractions,
    _compiles,
)
"""Every rule about augmentation, each about one thing."""
