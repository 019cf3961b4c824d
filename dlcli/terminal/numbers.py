"""Moved to the floor: import `dlcli.numbers`. This file goes when nobody imports it any more."""

from dlcli.numbers import number

__all__ = ["number"]
