"""dlcli: trains and honestly evaluates tf.keras models from YAML experiment configs.

The commands as functions:

    from dlcli import train, evaluate

    run = train("configs/wine.yaml")
    print(run.scores["validation"]["scores"])
    print(evaluate(run.path).scores["test"]["scores"])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlcli.workflows.compare import compare
    from dlcli.workflows.diagnose import diagnose
    from dlcli.workflows.evaluate import evaluate
    from dlcli.workflows.kfold import kfold
    from dlcli.workflows.lr_find import lr_find
    from dlcli.workflows.predict import predict
    from dlcli.workflows.train import train
    from dlcli.workflows.write_report import write_report

__version__ = "0.1.0"
__all__ = ["compare", "diagnose", "evaluate", "kfold", "lr_find", "predict", "train", "write_report"]


def __getattr__(name: str) -> Any:
    """Imports a workflow when it is first asked for, so that `dlcli --help` pays for none."""
    if name in __all__:
        return getattr(import_module(f"dlcli.workflows.{name}"), name)
    message = f"module 'dlcli' has no attribute {name!r}"
    raise AttributeError(message)
