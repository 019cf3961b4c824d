"""The target: its task, its classes, its values and its scale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli.data.sources.delimited import Csv
from dlcli.data.target import Answer, decode, resolve
from dlcli.data.target_scale import FittedScale
from dlcli.data.target_section import Target
from dlcli.problems import ConfigError, DataError
from dlcli.samples import Coded, Found, Samples
from dlcli.task import Goal, Task


def found(**columns: Any) -> Found:
    made = {name: cells if isinstance(cells, np.ndarray) else Coded.of(cells) for name, cells in columns.items()}
    return Found(Samples.of(made))


def answer(cells: Any, task: Task | None = None, missing: Any = "refuse", **section: Any) -> Answer:
    return resolve(Target(column=("y",), **section), found(y=cells), task, missing)


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (["no", "yes", "no"], Task.BINARY),
        (["7.5", "3", "3"], Task.BINARY),
        (["a", "b", "c", "a"], Task.MULTICLASS),
        (["0", "1", "2", "1"], Task.MULTICLASS),
        (["1", "2", "3", "3"], Task.MULTICLASS),
        (["1", "2", "4", "4"], Task.REGRESSION),
        (["2", "3", "4", "4"], Task.REGRESSION),
        (["1.5", "2", "3"], Task.REGRESSION),
        ([str(number) for number in range(101)] * 2, Task.REGRESSION),
        (np.array([0, 1, 2, 2]), Task.MULTICLASS),
        (np.array([True, False]), Task.BINARY),
        (np.array([[0, 1], [1, 1], [0, 0]]), Task.MULTILABEL),
        (np.array([[0.5, 1], [1, 1], [0, 0]]), Task.REGRESSION),
    ],
)
def test_the_task_follows_from_the_values(cells: Any, task: Task) -> None:
    made = answer(cells)
    assert made.goal.task is task
    assert made.notes[0].startswith(f"task: {task}")


def test_several_targets_are_labels_or_numbers() -> None:
    section = Target(column=("a", "b"))
    labels = resolve(section, found(a=["0", "1"], b=["1", "1"]), None, "refuse")
    assert (labels.goal.task, labels.goal.names, labels.values.tolist()) == (
        Task.MULTILABEL, ("a", "b"), [[0, 1], [1, 1]]
    )  # fmt: skip
    numbers = resolve(section, found(a=["0.5", "1"], b=["1", "3"]), None, "refuse")
    assert numbers.goal.task is Task.REGRESSION
    with pytest.raises(DataError, match="must all be numbers, but b holds text"):
        resolve(section, found(a=["0", "1"], b=["x", "y"]), None, "refuse")


def test_classes_are_sorted_as_numbers_or_as_text_and_the_last_is_positive() -> None:
    assert answer(["10", "9", "100", "9"], Task.MULTICLASS).goal.classes == ("9", "10", "100")
    assert answer(["yes", "no", "yes"]).goal.classes == ("no", "yes")


def test_the_positive_class_gets_number_1() -> None:
    made = answer(["yes", "no", "yes"], positive="no")
    assert (made.goal.classes, made.values.tolist()) == (("yes", "no"), [0, 1, 0])


def test_a_positive_number_finds_the_class_however_it_is_written() -> None:
    assert answer(["1.0", "0.0", "0.0"], positive="0").goal.classes == ("1.0", "0.0")


def test_listed_classes_keep_their_order_and_one_may_be_absent() -> None:
    made = answer(["b", "a", "b"], Task.MULTICLASS, classes=("c", "b", "a"))
    assert (made.goal.classes, made.values.tolist()) == (("c", "b", "a"), [1, 2, 1])


def test_adult_labels_that_end_in_a_point_are_aliases(shared_data: Path) -> None:
    folder = shared_data / "awkward"
    source = Csv(
        path=(str(folder / "adult.data.gz"),), test=(str(folder / "adult.test.gz"),), header=False, comment="|"
    )
    section = Target(column=("column_15",), aliases={"<=50K.": "<=50K", ">50K.": ">50K"})
    made = resolve(section, source.read(), None, "refuse")
    assert (made.goal.task, made.goal.classes) == (Task.BINARY, ("<=50K", ">50K"))
    assert int(made.values.sum()) == 7841 + 3846


def test_rows_without_a_target_are_counted_and_refused_or_dropped() -> None:
    with pytest.raises(DataError, match="2 of 5 rows have no y"):
        answer(["a", None, "b", "NaN", "a"])
    made = answer(["a", None, "b", "nan", "a"], missing="drop")
    assert (made.keep.tolist(), made.values.tolist()) == ([0, 2, 4], [0, -1, 1, -1, 0])
    assert answer(np.array([1.5, np.nan, 2.5, 9]), missing="drop").keep.tolist() == [0, 2, 3]


@pytest.mark.parametrize(
    ("cells", "task", "section", "code"),
    [
        (["a", "a", "a"], None, {}, "one-class"),
        (["1.5", "1.5"], Task.REGRESSION, {}, "one-class"),
        ([None, None], None, {}, "missing-target"),
        (["a", "b", "c", "d"], None, {}, "class-count"),
        (["a", "b", "c", "c"], Task.BINARY, {}, "class-count"),
        (["a", "b", "b"], None, {"classes": ("a", "c")}, "unknown-class"),
        (["a", "b", "b"], None, {"positive": "x"}, "unknown-class"),
        (["a", "b", "b"], None, {"aliases": {"z": "a"}}, "unknown-class"),
        (["18", "15", "?", "16.5"], None, {}, "not-a-number"),
        (["18", "x", "y", "16.5"], Task.REGRESSION, {}, "not-a-number"),
        (["0", "1", "2"], Task.MULTILABEL, {}, "wrong-target"),
        (["0.5", "2", "3"], Task.BOUNDED_REGRESSION, {}, "wrong-target"),
        (["-1", "2", "3.5"], None, {"scale": "log1p"}, "wrong-scale"),
    ],
)
def test_a_target_that_cannot_be_learnt_says_why(
    cells: list[str | None], task: Task | None, section: dict[str, Any], code: str
) -> None:
    with pytest.raises(DataError) as raised:
        answer(cells, task, **section)
    (problem,) = raised.value.problems
    assert (problem.code, problem.path[:2]) == (code, ("data", "target"))
    assert problem.suggestion


def test_settings_that_do_nothing_for_the_task_are_problems_together() -> None:
    with pytest.raises(ConfigError) as raised:
        answer(["a", "b", "c", "a"], scale="standardize", positive="a")
    assert [problem.path[-1] for problem in raised.value.problems] == ["positive", "scale"]


def test_an_absent_target_is_answered_with_the_nearest_name_or_with_the_header() -> None:
    with pytest.raises(DataError) as raised:
        resolve(Target(column=("Exitd",)), found(Exited=["0", "1"]), None, "refuse")
    assert raised.value.problems[0].suggestion == "did you mean Exited?"
    with pytest.raises(DataError) as raised:
        resolve(Target(column=("label",)), found(**{"6": ["1"], "148": ["2"]}), None, "refuse")
    assert "header: false" in raised.value.problems[0].suggestion


def test_the_source_names_the_target_where_the_config_does_not() -> None:
    columns = found(x=["1", "2"], y=["a", "b"])
    assert resolve(None, Found(columns.samples, target=("y",)), None, "refuse").goal.names == ("y",)
    with pytest.raises(DataError, match="no target is named"):
        resolve(None, columns, None, "refuse")


# Scale


@pytest.mark.parametrize("scale", ["standardize", "log1p", "min_max"])
def test_a_scale_learns_from_training_rows_and_is_undone(scale: Any) -> None:
    made = answer(["3", "5", "10.5", "900"], scale=scale)
    fitted = made.fit(np.array([0, 1, 2]))
    encoded = fitted.encode(made.values)
    expected = {
        "standardize": (np.array([3, 5, 10.5, 900]) - 18.5 / 3) / np.std([3, 5, 10.5]),
        "log1p": np.log1p([3, 5, 10.5, 900]),
        "min_max": (np.array([3, 5, 10.5, 900]) - 3) / 7.5,
    }[scale]
    np.testing.assert_allclose(encoded[:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(fitted.decode(encoded), made.values, rtol=1e-12)
    assert FittedScale.from_json(json.loads(json.dumps(fitted.as_json()))) == fitted


def test_each_target_can_have_a_scale_of_its_own() -> None:
    section = Target(column=("a", "b"), scale={"b": "log1p"})
    made = resolve(section, found(a=["1", "2.5"], b=["0", "9"]), None, "refuse")
    fitted = made.fit(np.arange(2))
    np.testing.assert_allclose(fitted.encode(made.values), [[1, 0], [2.5, np.log(10)]])
    with pytest.raises(ConfigError, match="names c, which is no target"):
        resolve(
            section.model_copy(update={"scale": {"c": "log1p"}}), found(a=["1", "2.5"], b=["0", "9"]), None, "refuse"
        )


@pytest.mark.slow
def test_the_inverse_in_keras_agrees_with_the_one_in_numpy() -> None:
    from dlcli import backend

    backend.load()
    from keras import ops

    fitted = FittedScale(("standardize", "log1p", None, "min_max"), (5.0, 0.0, 0.0, -2.0), (3.0, 1.0, 1.0, 4.0))
    scaled = np.array([[0.5, 2.0, 300.0, 0.1], [-1, 0, -5, 0.9]], dtype=np.float32)
    inverse = ops.convert_to_numpy(fitted.inverse_ops(ops.convert_to_tensor(scaled)))
    np.testing.assert_allclose(inverse, fitted.decode(scaled), rtol=1e-6)


def test_classes_pass_through_the_scale_untouched() -> None:
    made = answer(["a", "b", "a"])
    fitted = made.fit(np.arange(3))
    assert fitted.is_identity
    assert fitted.encode(made.values) is made.values


# The target of rows that a trained model is scored on

BINARY_GOAL = Goal(Task.BINARY, ("y",), ("no", "yes"))


def decoded(goal: Goal, missing: Any = "refuse", section: Target | None = None, **columns: Any) -> Answer:
    return decode(section or Target(column=goal.names), found(**columns), goal, missing)


def test_classes_keep_the_numbers_that_the_run_gave_them() -> None:
    assert decoded(BINARY_GOAL, y=["yes", "yes"]).values.tolist() == [1, 1]
    counted = Goal(Task.MULTICLASS, ("y",), ("2", "10", "1"))
    assert decoded(counted, y=["1.0", "10", "2", "1"]).values.tolist() == [2, 1, 0, 2]
    assert decoded(counted, y=np.array([10, 2])).values.tolist() == [1, 0]


def test_other_spellings_mean_what_the_run_says_and_need_not_be_there() -> None:
    section = Target(column=("y",), aliases={"y": "yes"})
    for cells in (["y", "no"], ["yes", "no"]):
        assert decoded(BINARY_GOAL, section=section, y=cells).values.tolist() == [1, 0]


def test_a_class_that_the_run_does_not_know_is_named_with_its_rows() -> None:
    with pytest.raises(DataError, match=r"y holds maybe, never \(3 rows\), of which the run knows no class"):
        decoded(BINARY_GOAL, y=["yes", "maybe", "never", "maybe"])


def test_numbers_may_be_the_same_in_every_row() -> None:
    goal = Goal(Task.REGRESSION, ("a", "b"))
    np.testing.assert_array_equal(decoded(goal, a=["1", "1"], b=np.array([2, 2])).values, [[1, 2], [1, 2]])
    with pytest.raises(DataError, match="numeric but for"):
        decoded(goal, a=["1", "x", "2"], b=np.array([2, 2, 2]))


def test_rows_without_a_target_are_refused_or_left_out_as_in_the_run() -> None:
    with pytest.raises(DataError, match="1 of 2 rows have no y"):
        decoded(BINARY_GOAL, y=["yes", None])
    answer = decoded(BINARY_GOAL, "drop", y=["yes", None])
    assert (answer.keep.tolist(), answer.notes) == ([0], ("1 of 2 rows have no y: left out",))


def test_a_vector_of_another_length_is_no_target_of_the_run() -> None:
    goal = Goal(Task.REGRESSION, ("y_0", "y_1"))
    section = Target(column=("y",))
    assert decoded(goal, section=section, y=np.ones((3, 2))).values.shape == (3, 2)
    with pytest.raises(DataError, match="the run predicts y_0, y_1, but the target here is y_0, y_1, y_2"):
        decoded(goal, section=section, y=np.ones((3, 3)))
