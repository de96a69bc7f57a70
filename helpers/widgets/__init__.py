"""Interactive views, each with a still picture and a plain player to fall back on.

A view's module is imported when it is first asked for: the ear brings TensorFlow, which a lesson
about waveforms does without.
"""

from importlib import import_module

from helpers.widgets.panel import players

_HOME = {
    "Explorer": "explorer",
    "SampleRateLab": "labs",
    "SpectrogramLab": "labs",
    "AugmentationPreview": "augmentation",
    "Ear": "activation",
    "Quiz": "quiz",
    "LongQuiz": "quiz",
    "Trade": "trade",
    "Labeller": "labeller",
}
__all__ = ["players", *_HOME]


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
