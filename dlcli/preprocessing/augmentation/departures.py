"""Where augmentations differ from the Keras layer that they stand for. A test reads this beside the installed Keras."""

from __future__ import annotations

from collections.abc import Mapping

KERAS_NAMES: Mapping[str, str] = {
    "mix_up": "MixUp",
    "cut_mix": "CutMix",
    "random_flip": "RandomFlip",
    "random_rotation": "RandomRotation",
    "random_zoom": "RandomZoom",
    "random_translation": "RandomTranslation",
    "random_shear": "RandomShear",
    "random_crop": "RandomCrop",
    "random_contrast": "RandomContrast",
    "random_brightness": "RandomBrightness",
    "random_erasing": "RandomErasing",
    "random_grayscale": "RandomGrayscale",
    "random_saturation": "RandomSaturation",
    "random_hue": "RandomHue",
    "gaussian_noise": "GaussianNoise",
}
"""The layer of Keras, by part name."""

DEPARTURES: Mapping[tuple[str, str], str] = {
    ("random_translation", "width_factor"): "by default as height_factor, so that one number is enough",
    (
        "random_crop",
        "height",
    ): "by default the image's; a smaller window is stretched to the size that the network takes",
    ("random_crop", "width"): "as height",
    ("random_crop", "padding"): "pixels on every side, as for small photographs; Keras has none",
    ("random_crop", "fill_mode"): "what the padding is; Keras has none",
    ("random_crop", "interpolation"): "of a stretched window",
    ("random_crop", "fill_value"): "as fill_mode",
    ("cut_mix", "alpha"): "of Beta(alpha, alpha), as in the paper, instead of factor",
}
"""Fields that Keras lacks or has another default for, by part and field name, and why."""

NOT_OFFERED: Mapping[str, str] = {
    "seed": "every draw has a key from the experiment's seed, the epoch and the batch",
    "value_range": "follows from the preprocessing",
    "data_format": "channels are last; data.channels turns them",
    "name": "augmentations are named by their place",
    "factor": "cut_mix: see alpha",
}
"""Arguments of Keras that no field stands for, and why."""
