"""The exported model in plain Keras, in a process of its own where dlcli cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from dlcli.preprocessing import pipeline
from tests.preprocessing.columns import rows, table
from tests.preprocessing.test_pipeline import PIPELINES, TRAIN, people

PLAIN_KERAS = """
import json, pathlib, sys
sys.modules["dlcli"] = None
import keras, numpy as np, tensorflow as tf
folder = pathlib.Path(sys.argv[1])
for path in folder.glob("*.keras"):
    model = keras.saving.load_model(path, safe_mode=True)
    columns = json.loads(path.with_suffix(".json").read_text())
    inputs = {
        name: tf.constant(column["values"], dtype=column["dtype"]) for name, column in columns.items()
    }
    np.save(path.with_suffix(".npy"), model(inputs).numpy())
"""


@pytest.mark.slow
def test_plain_keras_loads_every_step_without_dlcli_and_gives_the_same(tmp_path):
    samples, schema = table(people())
    expected = {}
    for name, steps in PIPELINES.items():
        original = pipeline.fit(steps, samples, schema, rows(TRAIN))
        original.as_model().save(tmp_path / f"{name}.keras")
        raw = {}
        for column, tensor in original.tensors(samples).items():
            values = tensor.numpy()
            cells = np.vectorize(bytes.decode, otypes=[object])(values) if values.dtype == object else values
            raw[column] = {"values": cells.tolist(), "dtype": tensor.dtype.name}
        (tmp_path / f"{name}.json").write_text(json.dumps(raw))
        expected[name] = original.transform(samples)
    code = [sys.executable, "-I", "-c", PLAIN_KERAS, str(tmp_path)]
    subprocess.run(code, check=True, capture_output=True, timeout=240)
    for name, result in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), result, atol=1e-6, rtol=1e-6, err_msg=name)
