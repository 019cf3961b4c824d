"""The language: YAML files to one typed experiment, and every problem on the way at its place."""
