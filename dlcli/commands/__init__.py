"""One file per command: options in, one workflow called, the result printed."""
