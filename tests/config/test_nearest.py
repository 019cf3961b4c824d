"""The word that was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.config.nearest import did_you_mean, nearest

WORDS = (
    "clipnorm", "learning_rate", "batch_normalization", "max_pooling2d", "roc_auc", "dense", "dropout", "adam", "relu",
    "early_stopping", "standardize",
)  # fmt: skip


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("clip_norm", "clipnorm"), ("Adam", "adam"), ("lr", "learning_rate"), ("learningrate", "learning_rate"),
        ("batch_norm", "batch_normalization"), ("MaxPooling2D", "max_pooling2d"), ("maxpool2d", "max_pooling2d"),
        ("auc", "roc_auc"), ("dens", "dense"), ("drpout", "dropout"), ("rleu", "relu"),
        ("early-stopping", "early_stopping"),
        ("standardise", "standardize"), ("xyz", None), ("", None), ("_", None), ("d" * 1000, None), ("x", None),
    ],
)  # fmt: skip
def test_a_slip_finds_the_word(word: str, meant: str | None) -> None:
    assert nearest(word, WORDS) == meant


def test_without_a_near_word_all_are_named() -> None:
    assert did_you_mean("xyz", ("a_b", "c_d")) == "there are: a_b, c_d"
    assert did_you_mean("xyz", ("only",)) == "there is: only"
    assert did_you_mean("xyz", ()) == ""


@given(st.text(), st.lists(st.text()))
def test_what_is_found_is_a_candidate(word: str, candidates: list[str]) -> None:
    assert nearest(word, candidates) in {None, *candidates}
