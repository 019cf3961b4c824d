"""What `dlcli lr-find` found: the curve, the suggestions, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlcli.numbers import number
from dlcli.terminal.console import make_console
from dlcli.terminal.curves import chart, printable, room


def print_rate_range(result: Mapping[str, Any]) -> None:
    """Draws a range test from the plain data that `--json` prints."""
    console = make_console()
    rates, losses = result["learning_rates"], result["smoothed"]
    if len(rates) > 1:
        above, below = "training loss, smoothed", "learning rate"
        drawn = chart(rates, losses, width=room(console), height=9, x_label=below, y_label=above, log_x=True)
        console.print(f"\n{printable(drawn, console)}", markup=False)
    console.print()
    suggestions = [(number(each["learning_rate"]), each["reason"]) for each in result["suggestions"]]
    width = max((len(rate) for rate, _ in suggestions), default=0)
    for place, (rate, reason) in enumerate(suggestions):
        console.print(f"{rate:<{width}}  {reason}", markup=False, style="bold" if place == 0 else None)
    for warning in result["warnings"]:
        console.print(f"warning: {warning}", markup=False)
    if result["copy"]:
        console.print(f"\ncopy  {result['copy']}   with {suggestions[0][0]}", markup=False)
        console.print(f"next  dlcli train {result['copy']}", markup=False)
    elif suggestions and result["overrides"]:
        console.print(f"\nnext  write learning_rate: {suggestions[0][0]} into {result['config']}", markup=False)
    elif suggestions:
        step = f"dlcli lr-find {result['config']} --write   puts {suggestions[0][0]} into a copy"
        console.print(f"\nnext  {step}", markup=False)
    else:
        console.print("\nno suggestion", markup=False)
