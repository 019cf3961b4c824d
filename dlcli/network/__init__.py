"""The network: layers, heads, losses, and how a list of layers becomes a Keras model."""
