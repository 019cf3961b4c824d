"""Scales, lines and markup under the figures of the page."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dlcli.report import drawing
from dlcli.report.drawing import Scale
from dlcli.report.markup import Html, in_script, tag

finite = some.floats(-1e12, 1e12)
positive = some.floats(1e-9, 1e9)


@given(some.lists(finite, max_size=20))
def test_a_scale_holds_all_values_and_labels_a_few_round_ones_between_its_ends(values):
    scale = drawing.scale(values, 0, 300)
    assert all(-0.1 <= scale(value) <= 300.1 for value in values)
    ticks = scale.ticks()
    assert len(ticks) <= 6
    slack = 1e-9 * (abs(scale.low) + abs(scale.high))
    assert all(scale.low - slack <= tick <= scale.high + slack for tick in ticks)


@given(some.lists(positive, min_size=1, max_size=20))
def test_on_a_logarithmic_scale_equal_ratios_are_equally_wide(values):
    scale = drawing.scale(values, 0, 1000, log=True)
    assert all(-0.1 <= scale(value) <= 1000.1 for value in values)
    low, high = scale.low, scale.high
    assert scale(math.sqrt(low * high)) == pytest.approx(500, abs=0.2)


def test_ticks_are_round():
    assert Scale(0, 1, 0, 1).ticks() == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert Scale(1, 30, 0, 1).ticks(whole=True) == [10, 20, 30]
    assert Scale(1, 3, 0, 1).ticks(whole=True) == [1, 2, 3]
    assert Scale(1e-4, 1, 0, 1, log=True).ticks() == [1e-4, 1e-3, 1e-2, 1e-1, 1]


def test_a_line_has_a_gap_where_a_value_is_missing():
    axis = Scale(0, 10, 0, 10)
    drawn = drawing.line([(0, 1), (1, 2), (2, None), (3, 4), (4, 5)], axis, axis, "model")
    assert drawn == '<path d="M0 1L1 2M3 4L4 5" class="line model"/>'
    assert drawing.line([(0, None)], axis, axis, "model") == ""


def test_words_are_cut_to_their_room_and_said_in_full_on_hover():
    assert "<title>" not in drawing.label(0, 0, "short", room=100)
    cut = drawing.label(0, 0, "a much longer name", room=50)
    assert cut.startswith('<text x="0" y="0">a much…<title>a much longer name</title>')


@given(some.lists(some.integers(), max_size=300), some.integers(2, 50))
def test_thinning_keeps_the_first_and_the_last(positions, count):
    kept = drawing.thinned(positions, count)
    assert len(kept) <= max(count, min(len(positions), count))
    if positions:
        assert (kept[0], kept[-1]) == (0, len(positions) - 1)
    assert kept == sorted(set(kept))


@given(some.text(), some.text())
def test_no_text_becomes_markup(words, value):
    made = tag("p", words, Html("<b>"), title=value)
    inner = made.removeprefix('<p title="').removesuffix("<b></p>")
    assert not set(inner.replace('">', "", 1)) & set('<>"')


@given(
    some.recursive(some.text() | some.none(), lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner))
)
def test_data_in_a_script_reads_back_and_cannot_end_it(data):
    written = in_script(data)
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written) == json.loads(json.dumps(data).encode("utf-8", "replace"))
