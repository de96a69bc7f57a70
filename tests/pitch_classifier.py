"""A classifier for the tests of the demo page that anybody can check: high is cat, low is dog."""

import threading

import numpy as np

from helpers import predict, windows


class PitchClassifier:
    """The share of a window's energy above 1,200 Hz is its probability of cat.

    Attributes:
        most: how many clips it was ever asked about at the same time.
    """

    def __init__(self):
        self.now, self.most, self.lock = 0, 0, threading.Lock()

    def __call__(self, waveform):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            starts = range(0, waveform.shape[1], windows.HOP)
            padded = np.pad(waveform[0], (0, windows.LENGTH))
            cut = np.stack([padded[start : start + windows.LENGTH] for start in starts])
            power = np.abs(np.fft.rfft(cut)) ** 2
            high = power[:, 1_800:].sum(axis=1) / np.maximum(power.sum(axis=1), 1e-12)
            cat = np.clip(high, 0.03, 0.97)
            timeline = np.stack([cat, 1 - cat], axis=1)[None].astype(np.float32)
            level = np.sqrt(np.mean(cut**2, axis=1))[None].astype(np.float32)
            return {"probabilities": timeline.mean(1), "timeline": timeline, "level": level}
        finally:
            with self.lock:
                self.now -= 1


def classifier(**card):
    return predict.Classifier(PitchClassifier(), card)
