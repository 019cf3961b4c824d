"""The only place where rooms meet: one file per verb. The Python API is made of these functions."""
