"""The demo page, which runs without TensorFlow."""
