"""Layer Parts, a file per family."""
