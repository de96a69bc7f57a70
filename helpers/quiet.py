"""TensorFlow and Keras, imported without the lines their C++ part writes to the terminal."""

import gc
import os

from helpers import files

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# An import throws little away, and looking for it takes a third of the import's time.
_collecting = gc.isenabled()
gc.disable()
try:
    with files.no_stderr():
        import keras
        import tensorflow as tf

        tf.constant(0.0) + 1.0  # the first operation writes lines of its own
finally:
    if _collecting:
        gc.enable()

tf.get_logger().setLevel("ERROR")  # lessons build many small models: retracing is expected

__all__ = ["keras", "tf"]
