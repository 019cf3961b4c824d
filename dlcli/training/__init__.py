"""Training: arrays and settings in, events and the best weights out."""
