"""The only door to TensorFlow: environment, threads and a quiet import.

TensorFlow prints to stderr while it is imported and first run, whatever its log level says, so the
file descriptor itself is turned to a log file for that time.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

_NEEDLESS_FOR_KERAS = ("sklearn", "matplotlib")
_log: IO[bytes] | None = None
_threads: int | None = None
_own_process = False
_ready = False


def own_this_process() -> None:
    """Says that this process is ours alone, as in the console script.

    Then scikit-learn and matplotlib are hidden while Keras is imported, which saves a third of the time
    and switches `keras.wrappers` off, and garbage is not collected until TensorFlow is needed. In a user's
    own process both would be wrong.
    """
    global _own_process
    _own_process = True
    gc.disable()  # what is imported stays; looking for garbage in it takes a tenth of a short command


def use_threads(count: int | None) -> None:
    """Says how many threads TensorFlow may use within and between operations; None leaves it the choice.

    It takes effect when TensorFlow is loaded, which must come later.
    """
    global _threads
    _threads = count


def load() -> None:
    """Imports TensorFlow and Keras quietly and runs a first operation; once is enough."""
    global _log, _ready
    if _ready:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _log = tempfile.TemporaryFile()  # noqa: SIM115 - open until a run takes what it holds
    atexit.register(_log.close)
    gc.enable()
    with stderr_to(_log), _without(_NEEDLESS_FOR_KERAS if _own_process else ()):
        import keras  # noqa: F401 - imported for its effect
        import tensorflow as tf

        if _threads is not None:  # must come before the first operation
            tf.config.threading.set_intra_op_parallelism_threads(_threads)
            tf.config.threading.set_inter_op_parallelism_threads(_threads)
        tf.constant(0.0)
    _ready = True


@contextmanager
def _without(modules: tuple[str, ...]) -> Iterator[None]:
    """Hides modules that are not imported yet."""
    hidden = [module for module in modules if module not in sys.modules]
    for module in hidden:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for module in hidden:
            sys.modules.pop(module, None)


def take_log() -> str:
    """What TensorFlow printed while it was imported; empty the second time."""
    global _log
    if _log is None:
        return ""
    _log.seek(0)
    text = _log.read().decode(errors="replace")
    _log.close()
    _log = None
    return text


@contextmanager
def stderr_to(file: IO[bytes]) -> Iterator[None]:
    """Sends what is written to file descriptor 2, also by C++ code, to an open file."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        os.dup2(file.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)


@contextmanager
def free_input_names() -> Iterator[None]:
    """Lets inputs of a Keras model be keyed by any text.

    A column name with a slash cannot be an input's name, only its key, which Keras warns about.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        yield


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    import platform
    from importlib.metadata import version

    from dlcli import __version__

    packages = ("tensorflow", "keras", "numpy", "polars", "scikit-learn")
    return {"dlcli": __version__, "python": platform.python_version()} | {name: version(name) for name in packages}
