"""The names of metrics in monitors, tables and files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dlcli.evaluation.metrics.custom import Custom
from dlcli.part import Metric


def label(metric: Metric) -> str:
    """The name of a metric among the monitors; that of its function for a custom one."""
    return metric.object.rpartition(":")[2] if isinstance(metric, Custom) else metric.part_name


def labels(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """The names of the metrics of one list, each different.

    Of several metrics of one name, those with fields that are not the default carry them: `f1`, `f1_macro`.
    """
    often = Counter(label(metric) for metric in metrics)
    names: list[str] = []
    for metric in metrics:
        name = label(metric)
        if often[name] > 1 and not isinstance(metric, Custom):
            name = "_".join([name, *(str(value) for field, value in metric if _differs(metric, field))])
        number = sum(earlier == name or earlier.startswith(f"{name}#") for earlier in names)
        names.append(f"{name}#{number + 1}" if number else name)
    return tuple(name.replace("#", "_") for name in names)


def _differs(metric: Metric, field: str) -> bool:
    return bool(getattr(metric, field) != type(metric).model_fields[field].default)
