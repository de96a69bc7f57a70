"""TensorFlow and Keras, imported without the lines their C++ part writes to the terminal."""

import os
from contextlib import contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def _stderr_to_null():
    """Redirect file descriptor 2: the lines come from C++, before any Python setting is read."""
    try:
        saved = os.dup(2)
    except OSError:  # no stderr at all (pythonw on Windows)
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


with _stderr_to_null():
    import keras
    import tensorflow as tf

    tf.constant(0.0) + 1.0  # the first operation writes lines of its own

tf.get_logger().setLevel("ERROR")  # lessons build many small models: retracing is expected

__all__ = ["keras", "tf"]
