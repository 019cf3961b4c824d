"""Where Parts differ from the Keras class that they stand for. A test reads this table beside the installed Keras."""

from __future__ import annotations

from collections.abc import Mapping

DEPARTURES: Mapping[tuple[str, str], str] = {
    ("dense", "activation"): "auto: a hidden layer without an activation is rarely meant",
    ("dense", "kernel_initializer"): "auto: what goes with the activation",
    ("conv2d", "activation"): "auto: a hidden layer without an activation is rarely meant",
    ("conv2d", "kernel_initializer"): "auto: what goes with the activation",
    ("conv2d", "kernel_size"): "3 by default: the usual window",
    ("embedding", "input_dim"): "by default the number of codes that preprocessing found",
}
"""Fields with another default than Keras's, by part and field name, and why."""

NOT_OFFERED: Mapping[str, str] = {
    "name": "layers are named by their place",
    "dtype": "training.precision says it for the whole network",
    "seed": "every draw has a seed from the experiment's",
    "data_format": "channels are last; data.channels turns them",
    "noise_shape": "it counts the batch axis, whose length varies",
    "renorm": "newer than the oldest Keras that dlcli runs with",
    "renorm_clipping": "as renorm",
    "renorm_momentum": "as renorm",
    "input_axes": "newer than the oldest Keras that dlcli runs with",
    "output_axes": "as input_axes",
    "weights": "weights come from training",
    "lora_rank": "for fine-tuning large models",
    "lora_alpha": "as lora_rank",
    "quantization_config": "for deployed models",
    "from_logits": "networks give probabilities",
    "axis": "classes and targets are on the last axis",
    "reduction": "the mean over rows",
    "ignore_class": "every row has a class",
}
"""Arguments of Keras that no field stands for, and why."""
