"""What this machine offers: versions, processors, threads, folders."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from dlcli import backend
from dlcli.data import cache
from dlcli.runs import record
from dlcli.runs.directory import runs_root

_NVIDIA = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidia0"), Path("/dev/dxg"))
"""What a machine with an NVIDIA driver has (the last: inside Windows)."""
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "TF_ENABLE_ONEDNN_OPTS")
_GIB = 2**30


def doctor(runs: Path | str | None = None, *, clear_cache: bool = False) -> dict[str, Any]:
    """Looks at the machine. TensorFlow is imported only where there may be a GPU to ask about.

    Args:
        runs: the folder of the runs; by default DLCLI_RUNS, else `runs`.
        clear_cache: empty the cache; runs that read from it at this moment go on.

    Returns:
        plain data: `versions`, `machine`, `devices`, `threads`, `folders` (each `use`, `path`, `from`, `exists`,
        `writable`, `free_gib`), `cache` (`bytes`, `most_bytes`, `cleared_bytes`).
    """
    kept = cache.Cache(cache.place())
    cleared = kept.clear() if clear_cache else 0
    return {
        "versions": backend.versions(),
        "machine": record.machine() | {"memory_gib": _memory()},
        "devices": _devices(),
        "threads": {
            "usable_cores": _usable_cores(),
            "variables": {name: os.environ[name] for name in _THREAD_VARIABLES if name in os.environ},
        },
        "folders": [
            _folder("runs", runs_root(runs), "--runs" if runs else "DLCLI_RUNS", "./runs"),
            _folder("cache of data beyond memory", kept.folder, cache.VARIABLE, "the system's place for caches"),
            _folder("prepared data sets", _tfds(), "TFDS_DATA_DIR", "TensorFlow Datasets' own place"),
        ],
        "cache": {"bytes": kept.nbytes, "most_bytes": cache.MOST_BYTES, "cleared_bytes": cleared},
    }


def _usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> float | None:
    """Memory of the machine in GiB; None where the system does not say."""
    names = getattr(os, "sysconf_names", {})
    if "SC_PAGE_SIZE" not in names or "SC_PHYS_PAGES" not in names:
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB, 1)


def _devices() -> list[dict[str, str]]:
    """The processor and every GPU that TensorFlow sees; it is not asked where no driver is."""
    found = [{"kind": "CPU", "name": str(record.machine()["processor"])}]
    if sys.platform == "darwin" or any(path.exists() for path in _NVIDIA):
        backend.load()
        import tensorflow as tf

        for device in tf.config.list_physical_devices("GPU"):
            details = tf.config.experimental.get_device_details(device)
            found.append({"kind": "GPU", "name": str(details.get("device_name", device.name))})
        if len(found) == 1:
            found.append({"kind": "GPU", "name": "none that TensorFlow can use, though there may be a driver"})
    return found


def _tfds() -> Path:
    return Path(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser().absolute()


def _folder(use: str, path: Path, variable: str, default: str) -> dict[str, Any]:
    """A folder, or where it would be made."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    return {
        "use": use,
        "path": str(path),
        "from": variable if variable.startswith("--") or os.environ.get(variable) else default,
        "exists": path.exists(),
        "writable": os.access(there, os.W_OK),
        "free_gib": round(shutil.disk_usage(there).free / _GIB, 1),
    }
