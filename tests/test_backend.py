"""TensorFlow is imported one way in a process of our own, and another in a user's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dlcli import backend


def python(code: str) -> list[str]:
    """The words that a process of its own prints, which must end well."""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return process.stdout.split()


def test_in_a_process_of_our_own_keras_does_without_what_it_may_use_and_we_still_can() -> None:
    code = """
import gc, sys
from dlcli import backend
backend.own_this_process()
backend.import_quietly()
print(gc.isenabled(), *({"sklearn", "scipy", "matplotlib", "pandas"} & set(sys.modules)))
import matplotlib.figure, scipy.signal, sklearn.linear_model
print(sklearn.linear_model.LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0]).coef_[0].round())
"""
    assert python(code) == ["True", "2.0"]


@pytest.mark.slow
def test_in_a_users_process_keras_and_the_garbage_collector_are_left_alone() -> None:
    code = """
import gc
from dlcli import backend
gc.disable()
backend.load()
import keras
print(gc.isenabled(), gc.get_freeze_count(), keras.wrappers.SKLearnClassifier.__name__)
"""
    assert python(code) == ["False", "0", "SKLearnClassifier"]


def test_on_a_cpu_determinism_needs_no_switch() -> None:
    backend.load()
    from tensorflow.python.framework import config

    if backend.has_gpu():
        pytest.skip("there is a GPU")
    backend.make_deterministic()
    assert not config.is_op_determinism_enabled()


def test_threads_are_what_was_said_before_tensorflow_was_loaded() -> None:
    code = """
from dlcli import backend
print(backend.threads())
for count in (2, 3):
    backend.use_threads(count)
    print(backend.threads())
    backend.load()
    print(backend.threads())
"""
    assert python(code) == ["None", "2", "2", "2", "2"]


def test_threads_are_those_of_whoever_used_tensorflow_first() -> None:
    code = """
import tensorflow as tf
from dlcli import backend
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.constant(0.0)
backend.use_threads(3)
backend.load()
print(backend.threads())
"""
    assert python(code) == ["2"]


def test_garbage_is_collected_also_where_tensorflow_is_only_in_other_processes() -> None:
    code = """
import gc
from dlcli import backend
backend.own_this_process()
from dlcli.workflows.workers import Crew
with Crew(2) as crew:
    print(gc.isenabled(), list(crew.run(print, [], threads=1, emit=print, keep=print)), gc.isenabled())
"""
    assert python(code) == ["False", "[]", "True"]


def test_a_deferred_module_is_imported_by_the_first_call_of_what_was_taken_from_it() -> None:
    code = """
import sys
from dlcli import backend
backend.own_this_process()
with backend.deferred("colorsys"):
    from colorsys import rgb_to_yiq
print("colorsys" in sys.modules)
print(rgb_to_yiq(0, 0, 0)[0], "colorsys" in sys.modules)
"""
    assert python(code) == ["False", "0.0", "True"]


def test_nothing_is_deferred_in_a_users_own_process() -> None:
    code = """
import sys
from dlcli import backend
with backend.deferred("colorsys"):
    import colorsys
print(colorsys is sys.modules["colorsys"], colorsys.__file__ is not None)
"""
    assert python(code) == ["True", "True"]
