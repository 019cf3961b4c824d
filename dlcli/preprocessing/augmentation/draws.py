"""Random numbers that are a pure function of a key: the same key gives the same numbers.

A key is a stateless TensorFlow seed, whole numbers of shape (2,). The n-th draw of a Part has the key
`fold_in(key, n)`. Philox is asked for by name: where TensorFlow may choose, it chooses the same, but XLA
on CPU then compiles slow code. What XLA draws is another stream than a graph's.
"""

from __future__ import annotations

from typing import Any

_ALGORITHM = "philox"


def fold_in(key: Any, number: int) -> Any:
    """The key of the `number`-th draw."""
    import tensorflow as tf

    return tf.random.experimental.stateless_fold_in(key, number, alg=_ALGORITHM)


def uniform(key: Any, number: int, shape: Any, bounds: tuple[float, float] = (0.0, 1.0)) -> Any:
    """float32 between the bounds, the upper one left out."""
    import tensorflow as tf

    return tf.random.stateless_uniform(shape, fold_in(key, number), *bounds, alg=_ALGORITHM)


def normal(key: Any, number: int, shape: Any) -> Any:
    """float32 of the standard normal distribution."""
    import tensorflow as tf

    return tf.random.stateless_normal(shape, fold_in(key, number), alg=_ALGORITHM)


def beta(key: Any, number: int, rows: Any, alpha: float) -> Any:
    """float32 (rows,) of Beta(alpha, alpha), as a ratio of two gamma variables; two keys."""
    import tensorflow as tf

    one, other = (
        tf.random.stateless_gamma([rows], fold_in(key, number + each), alpha, dtype=tf.float64) for each in (0, 1)
    )
    # With a tiny alpha both can underflow to 0; the distribution is all but 0 or 1 then.
    share = tf.where(one + other > 0, one / tf.maximum(one + other, tf.float64.min), tf.ones_like(one))
    return tf.cast(share, tf.float32)


def permutation(key: Any, number: int, rows: Any) -> Any:
    """int32 (rows,): the row numbers in random order."""
    import tensorflow as tf

    return tf.argsort(uniform(key, number, [rows]), stable=True)
