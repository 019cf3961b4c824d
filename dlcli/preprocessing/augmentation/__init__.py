"""Random changes of training rows: Parts by subject, and `composed`, which makes one function of several."""
