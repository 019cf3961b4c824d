"""Objects in the user's own Python files: `gates.py:Gate`. Loading one runs the file."""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from dlcli.problems import ConfigError, Problem


def file_of(code: str) -> Path:
    """The file of `file.py:Name`.

    Raises:
        ConfigError: there is no colon, or no such file.
    """
    path, colon, name = code.rpartition(":")
    if not (colon and path and name.isidentifier()):
        problem = Problem("custom-object", f'"{code}" does not name an object in a file', "write file.py:Name")
        raise ConfigError(problem)
    file = Path(path)
    if not file.is_file():
        raise ConfigError(Problem("missing-file", f"there is no file {file}", "correct the path before the colon"))
    return file


def load(code: str) -> Any:
    """The object that `file.py:Name` names.

    Raises:
        ConfigError: the file is not there, fails when it is run, or has no such name.
    """
    file = file_of(code)
    name = code.rpartition(":")[2]
    status = file.stat()
    module = _module(file, (status.st_mtime_ns, status.st_size))
    if not hasattr(module, name):
        names = ", ".join(sorted(key for key in vars(module) if not key.startswith("_"))) or "nothing"
        raise ConfigError(Problem("custom-object", f"{file} has no {name}", f"it defines: {names}"))
    return getattr(module, name)


@lru_cache
def _module(file: Path, version: tuple[int, int]) -> ModuleType:  # noqa: ARG001 - an edited file is run again
    """What running a file gives. A schedule is asked for every batch, so the file is run once."""
    module_name = f"dlcli_custom_{file.stem}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise ConfigError(Problem("custom-object", f"{file} is not a Python file", "its name must end in .py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses and pickling look their module up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        message = f"running {file} failed: {type(error).__name__}: {error}"
        raise ConfigError(Problem("custom-code", message, "mend the file")) from error
    return module


def call(code: str, arguments: dict[str, Any], *values: Any) -> Any:
    """What `file.py:Name(*values, **arguments)` returns.

    Raises:
        ConfigError: it cannot be loaded, or the call fails.
    """
    try:
        return load(code)(*values, **arguments)
    except ConfigError:
        raise
    except Exception as error:
        message = f"{code} failed: {type(error).__name__}: {error}"
        raise ConfigError(Problem("custom-code", message, "mend the file or the arguments")) from error
