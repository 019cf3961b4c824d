"""Preprocessing: steps fitted on training rows, composed into one Keras model that takes raw rows."""
