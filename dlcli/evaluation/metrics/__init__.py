"""Metrics: scores of predictions on a whole subset, equal to scikit-learn's of the same name.

A mean over classes or labels leaves out those for which the score does not exist (no positive row). A
score that does not exist at all is NaN.
"""

from __future__ import annotations

from dlcli.evaluation.metrics.areas import AveragePrecision as AveragePrecision
from dlcli.evaluation.metrics.areas import MeanAveragePrecision as MeanAveragePrecision
from dlcli.evaluation.metrics.areas import RocAuc as RocAuc
from dlcli.evaluation.metrics.class_shares import F1 as F1
from dlcli.evaluation.metrics.class_shares import BalancedAccuracy as BalancedAccuracy
from dlcli.evaluation.metrics.class_shares import ClassShare as ClassShare
from dlcli.evaluation.metrics.class_shares import Precision as Precision
from dlcli.evaluation.metrics.class_shares import Recall as Recall
from dlcli.evaluation.metrics.class_shares import Specificity as Specificity
from dlcli.evaluation.metrics.custom import Custom as Custom
from dlcli.evaluation.metrics.estimated import EstimatedMetric as EstimatedMetric
from dlcli.evaluation.metrics.estimated import misfit as misfit
from dlcli.evaluation.metrics.explained import R2 as R2
from dlcli.evaluation.metrics.naming import label as label
from dlcli.evaluation.metrics.naming import labels as labels
from dlcli.evaluation.metrics.probabilities import Brier as Brier
from dlcli.evaluation.metrics.probabilities import LogLoss as LogLoss
from dlcli.evaluation.metrics.right_rows import Accuracy as Accuracy
from dlcli.evaluation.metrics.value_errors import MeanAbsoluteError as MeanAbsoluteError
from dlcli.evaluation.metrics.value_errors import MeanSquaredError as MeanSquaredError
from dlcli.evaluation.metrics.value_errors import RootMeanSquaredError as RootMeanSquaredError
