"""Which engine `auto` takes."""

import pytest

from dlcli.training.choice import FEWEST_XLA_STEPS, MOST_XLA_WEIGHTS, choose

PLAIN = {"layers": ["dense", "dropout", "dense"], "weights": 1000, "steps": 50_000}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"layers": ["conv2d", "dense"]}, "conv2d"),
        ({"layers": ["custom", "dense"]}, "custom"),
        ({"weights": MOST_XLA_WEIGHTS + 1}, "weights"),
        ({"steps": FEWEST_XLA_STEPS - 1}, "compiling would not pay"),
        ({"precision": "mixed_float16"}, "mixed_float16"),
        ({"augmented": True}, "augmentation"),
        ({"gpu": True}, "GPU"),
    ],
)
def test_auto_takes_the_graph_where_xla_is_slow_wrong_or_not_worth_it(changed, reason):
    found = choose("auto", **(PLAIN | changed))
    assert found.kind == "graph"
    assert reason in found.reason


def test_auto_takes_xla_for_many_steps_of_a_small_dense_network():
    found = choose("auto", **PLAIN)
    assert (found.kind, found.reason) == ("xla", "50,000 steps, 1,000 weights, and no layer that is slow in it")


@pytest.mark.parametrize("kind", ["graph", "xla"])
def test_what_is_asked_for_is_taken(kind):
    assert choose(kind, ["conv2d"], 10**9, 1).kind == kind
