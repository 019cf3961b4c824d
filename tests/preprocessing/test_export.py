"""The exported model in plain Keras, in a process of its own where dlcli cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

from dlcli.preprocessing import pipeline
from tests.preprocessing.columns import rows, table
from tests.preprocessing.test_pipeline import PIPELINES, TRAIN, people

PLAIN_KERAS = """
import json, sys
sys.modules["dlcli"] = None
import keras, numpy as np, tensorflow as tf
model_path, rows_path, out = sys.argv[1:]
model = keras.saving.load_model(model_path, safe_mode=True)
columns = json.load(open(rows_path))
inputs = {
    name: tf.constant(column["values"], dtype=column["dtype"]) for name, column in columns.items()
}
np.save(out, model(inputs).numpy())
"""


def test_plain_keras_loads_the_model_without_dlcli_and_gives_the_same(tmp_path):
    samples, schema = table(people())
    original = pipeline.fit(PIPELINES["auto"], samples, schema, rows(TRAIN))
    original.as_model().save(tmp_path / "model.keras")
    raw = {}
    for name, tensor in original.tensors(samples).items():
        values = tensor.numpy()
        cells = np.vectorize(bytes.decode, otypes=[object])(values) if values.dtype == object else values
        raw[name] = {"values": cells.tolist(), "dtype": tensor.dtype.name}
    (tmp_path / "rows.json").write_text(json.dumps(raw))
    paths = [str(tmp_path / name) for name in ("model.keras", "rows.json", "out.npy")]
    subprocess.run([sys.executable, "-I", "-c", PLAIN_KERAS, *paths], check=True, capture_output=True, timeout=120)
    assert np.abs(np.load(tmp_path / "out.npy") - original.transform(samples)).max() <= 1e-6
