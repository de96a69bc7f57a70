"""Draw the README's picture: a meowing cat and a barking dog of the synthetic clips."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from helpers import audio, datasets, plots

TARGET = Path(__file__).resolve().parent.parent / "notebooks" / "images" / "meow_and_bark.png"
CLIPS = {"cat": "cat_113.wav", "dog": "dog_barking_100.wav"}  # of seed 0, for their clear calls
SECONDS = 3


def main():
    """Write the picture."""
    clips = datasets.load("synthetic", quiet=True)
    figure, axes = plt.subplots(2, 2, figsize=(11, 4.6), sharex=True, height_ratios=(2, 3))
    for (upper, lower), (label, name) in zip(axes.T, CLIPS.items(), strict=True):
        path = clips.path[clips.index.str.endswith(f"/{name}")].item()
        samples = audio.load(path)[0][: SECONDS * audio.SAMPLE_RATE]
        plots.waveform(samples, title=f"a {label}", label=label, ax=upper)
        upper.set_xlabel("")
        plots.log_mel(samples, ax=lower)
        lower.set_xlim(0, SECONDS)
    TARGET.parent.mkdir(exist_ok=True)
    figure.savefig(TARGET, dpi=110)


if __name__ == "__main__":
    main()
