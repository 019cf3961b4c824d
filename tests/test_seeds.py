"""Every purpose has its own stream of numbers."""

from __future__ import annotations

from dlcli.seeds import Seeds


def test_the_same_seeds_give_the_same_numbers() -> None:
    assert Seeds(3, 1, 2).generator("order", 5).integers(1000) == Seeds(3, 1, 2).generator("order", 5).integers(1000)


def test_purposes_repeats_folds_and_epochs_differ() -> None:
    streams = [
        Seeds(3).generator("order", 1),
        Seeds(3).generator("order", 2),
        Seeds(3).generator("weights"),
        Seeds(3, repeat=1).generator("order", 1),
        Seeds(3, fold=1).generator("order", 1),
        Seeds(4).generator("order", 1),
    ]
    assert len({tuple(stream.integers(2**32, size=4).tolist()) for stream in streams}) == len(streams)


def test_drawing_for_one_purpose_shifts_no_other() -> None:
    some, more = Seeds(0).stream(), Seeds(0).stream()
    more.draw("dropout")
    more.draw("dropout")
    assert some.draw("weights") == more.draw("weights")
