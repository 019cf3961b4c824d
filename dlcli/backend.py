"""The only door to TensorFlow: environment, threads and a quiet import.

TensorFlow prints to stderr while it is imported and first run, whatever its log level says, so the
file descriptor itself is turned to a log file for that time.
"""

from __future__ import annotations

import atexit
import functools
import gc
import os
import sys
import tempfile
import typing
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from types import ModuleType
from typing import IO, Any

_NEEDLESS_FOR_KERAS = ("sklearn", "matplotlib", "scipy", "pandas")
_log: IO[bytes] | None = None
_elsewhere = ""
_threads: int | None = None
_own_process = False
_imported = False
_ready = False


def own_this_process() -> None:
    """Says that this process is ours alone, as in the console script.

    Then libraries that Keras would use if they are there are hidden while it is imported, which saves a third
    of the time and switches `keras.wrappers` off, and garbage is not collected until TensorFlow has been
    imported, or `collect_garbage` is called. In a user's own process both would be wrong.
    """
    global _own_process
    _own_process = True
    gc.disable()  # what is imported stays: looking for garbage in it takes half a second
    atexit.register(gc.freeze)  # and at exit as much again, for memory that the system takes back anyway


def command_line() -> tuple[str, ...]:
    """The words after `dlcli` where this process is ours alone; none where it runs a user's own program."""
    return tuple(sys.argv[1:]) if _own_process else ()


def collect_garbage() -> None:
    """Ends what `own_this_process` began, once all is imported or where TensorFlow is not going to be."""
    if _own_process:
        gc.freeze()  # what was imported is not worth a look at each later collection either
        gc.enable()


def use_threads(count: int | None) -> None:
    """Says how many threads TensorFlow may use within and between operations; None leaves it the choice.

    It takes effect when TensorFlow is loaded, which must come later: `threads` says what holds.
    """
    global _threads
    _threads = count


def threads() -> int | None:
    """How many threads TensorFlow uses within an operation, or will use once it is loaded; None: it chooses."""
    if not _ready:
        return _threads
    import tensorflow as tf

    count: int = tf.config.threading.get_intra_op_parallelism_threads()
    return count or None


def import_quietly() -> None:
    """Imports TensorFlow and Keras quietly and runs no operation; once is enough.

    A process may be forked after this, not after `load`: once an operation has run, its threads hang in a fork.
    """
    global _log, _imported
    if _imported:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _log = tempfile.TemporaryFile()  # noqa: SIM115 - open until a run takes what it holds
    atexit.register(_log.close)
    with stderr_to(_log), _lean() if _own_process else nullcontext():
        import keras  # noqa: F401 - imported for its effect
        import tensorflow  # noqa: F401
    collect_garbage()
    _imported = True


def load() -> None:
    """Imports TensorFlow and Keras quietly and runs a first operation; once is enough."""
    global _ready
    if _ready:
        return
    import_quietly()
    import tensorflow as tf

    with stderr_to(_log) if _log else nullcontext():
        # Must come before the first operation: where that was somebody else's, TensorFlow keeps its threads.
        with suppress(RuntimeError):
            if _threads is not None:
                tf.config.threading.set_intra_op_parallelism_threads(_threads)
                tf.config.threading.set_inter_op_parallelism_threads(_threads)
        tf.constant(0.0)
    _ready = True


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    load()
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def make_deterministic() -> None:
    """Makes every operation give the same bits each time where a GPU is visible; on a CPU they do anyway.

    It must come before the first operation that has a choice, and holds for the rest of the process.
    """
    if has_gpu():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


@contextmanager
def _lean() -> Iterator[None]:
    """Hides modules that are not imported yet, and compiles equal annotations once."""
    hidden = [module for module in _NEEDLESS_FOR_KERAS if module not in sys.modules]
    for module in hidden:
        sys.modules[module] = None  # type: ignore[assignment]
    # TensorFlow annotates its operations with the same few texts 18,000 times, and `typing` compiles each one.
    vars(typing)["compile"] = functools.cache(compile)
    try:
        yield
    finally:
        del vars(typing)["compile"]
        for module in hidden:
            sys.modules.pop(module, None)


@contextmanager
def deferred(name: str) -> Iterator[None]:
    """Puts off the import of a module from which others take functions that they may never call.

    In this process alone, and only where it is not imported yet; the first call of such a function imports it.
    """
    if not _own_process or name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)

    def take(attribute: str) -> Callable[..., Any]:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return lambda *args, **kwargs: getattr(import_module(name), attribute)(*args, **kwargs)

    vars(stand_in)["__getattr__"] = take
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]


def add_log(text: str) -> None:
    """Keeps what TensorFlow printed in another process, for where it is not loaded in this one."""
    global _elsewhere
    _elsewhere = _elsewhere or text


def take_log() -> str:
    """What TensorFlow printed while it was imported; empty the second time."""
    global _log, _elsewhere
    if _log is None:
        text, _elsewhere = _elsewhere, ""
        return text
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
