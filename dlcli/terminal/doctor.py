"""What `dlcli doctor` found, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlcli.numbers import size
from dlcli.terminal.console import make_console


def print_doctor(result: Mapping[str, Any]) -> None:
    """Draws versions, devices, threads and folders."""
    console = make_console()
    console.print("versions", style="bold")
    for name, version in result["versions"].items():
        console.print(f"  {name} {version}")
    machine = result["machine"]
    memory = f", {machine['memory_gib']:g} GiB of memory" if machine["memory_gib"] else ""
    console.print("\nmachine", style="bold")
    console.print(f"  {machine['system']}, {machine['cores']} cores{memory}")
    for device in result["devices"]:
        console.print(f"  {device['kind']}: {device['name']}")
    threads = result["threads"]
    console.print("\nthreads", style="bold")
    console.print(f"  {threads['usable_cores']} cores may be used; `training.threads` takes fewer")
    for name, value in threads["variables"].items():
        console.print(f"  {name}={value}")
    console.print("\nfolders", style="bold")
    for folder in result["folders"]:
        state = "there" if folder["exists"] else "not there yet"
        refused = "" if folder["writable"] else ", CANNOT BE WRITTEN"
        console.print(f"  {folder['use']}: {folder['path']}")
        console.print(f"    from {folder['from']}; {state}{refused}, {folder['free_gib']:,.1f} GiB free", style="dim")
    cache = result["cache"]
    console.print("\ncache", style="bold")
    if cache["cleared_bytes"]:
        console.print(f"  cleared: {size(cache['cleared_bytes'])}")
    held = f"{size(cache['bytes'])} of at most {size(cache['most_bytes'])}"
    console.print(f"  {held}" + ("; `dlcli doctor --clear-cache` empties it" if cache["bytes"] else ""))
