"""The leak guard: every rule over rows that were divided."""

from __future__ import annotations

from dlcli.data.leakage import answers, borders, columns, near_images, near_texts, repeats, shift
from dlcli.data.leakage.findings import Divided, Finding


def findings(divided: Divided) -> tuple[Finding, ...]:
    """What may make a score too good or a training worse than it need be.

    Nothing that is found changes what is trained. Of test rows only inputs are looked at, the hashes of whole rows,
    and which classes occur. Rows that windows lie over are alike at many times (a thermometer has few readings), and
    their own target is an input of the next: for them only those rules count that ask how rows were divided, which
    are `shared-groups`, `training-after-test`, `missing-class`, `distribution-shift` and `missing-only-later`.
    """
    any_rows = (
        *borders.shared_groups(divided),
        *borders.training_after_test(divided),
        *borders.missing_class(divided),
        *shift.distribution_shift(divided),
        *columns.missing_only_later(divided),
    )
    if divided.windowed:
        return any_rows
    inputs = repeats.input_hashes(divided.samples, divided.schema.of_kind("text"))
    return (
        *repeats.shared_rows(divided),
        *any_rows,
        *repeats.same_inputs(divided, inputs),
        *near_images.near_images(divided, inputs),
        *near_texts.near_texts(divided, inputs),
        *columns.id_like(divided),
        *answers.answer_in_column(divided),
        *borders.sorted_by_class(divided),
    )
