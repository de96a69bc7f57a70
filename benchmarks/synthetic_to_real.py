"""Does a network trained on synthetic clips alone recognise real cats and dogs?

Three draws of 300 synthetic clips, three training seeds each; every network is tested on all the
real recordings of a folder laid out as Kaggle's. No real clip is trained on, and none chooses an
epoch or a threshold; but the generator's laws and this recipe were chosen with an eye on these
same recordings, so that the figures are no estimate for recordings of another origin. Writes
benchmarks/results/synthetic_to_real.json.

    python benchmarks/synthetic_to_real.py --dataset path/to/audio-cats-and-dogs
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import out_of_fold

from helpers import audio, augmentation, datasets, features, models, windows
from helpers.datasets import synthetic
from helpers.quiet import keras

SECONDS, WINDOWS = 1.5, 6  # of a window; windows a clip at most
EPOCHS, STEPS, BATCH = 18, 40, 32
VIEWS = 6  # augmented copies of a test window whose logits are averaged


def loud_log_mel(clips):
    """Log-mel of the clips' loud windows: dB (windows, frames, 64); clip_index (windows,)."""
    cut, clip_index = [], []
    for row, path in enumerate(clips.path):
        loud = windows.loudest(audio.load(path)[0], SECONDS, WINDOWS)
        energy = np.sum(loud**2, axis=1)
        loud = loud[energy >= 0.01 * energy[0]]  # 20 dB below the loudest there is no call
        cut.append(loud)
        clip_index += [row] * len(loud)
    return features.log_mel(np.concatenate(cut)), np.array(clip_index)


def augment(decibels, rng):
    """Another microphone, another noise floor, another moment, a masked band and a masked time."""
    n, frames, bands = decibels.shape
    knots = np.linspace(0, bands - 1, 5)
    curve = np.array([np.interp(np.arange(bands), knots, e) for e in np.eye(5)], np.float32)
    x = decibels + (rng.normal(0, 6, (n, 5)).astype(np.float32) @ curve)[:, None]
    x = augmentation.roll(augmentation.noise_floor(x, rng), rng)
    x = np.take_along_axis(
        x, (np.arange(bands) + rng.integers(-2, 3, (n, 1))).clip(0, bands - 1)[:, None], 2
    )
    x = np.array(windows.standardise(x))
    for one in x:  # SpecAugment (Park et al. 2019)
        band, width = rng.integers(bands - 8), rng.integers(8)
        time_, length = rng.integers(frames - 12), rng.integers(12)
        one[:, band : band + width] = 0
        one[time_ : time_ + length] = 0
    return x


def train(decibels, clip_index, label, seed):
    """A compact CNN on windows drawn evenly by class, then by clip, then by window.

    Windows are mixed in pairs with their labels (mixup, Zhang et al. 2018).
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    weight = 1 / np.bincount(clip_index)[clip_index] / np.bincount(label)[label[clip_index]]
    model = models.compact_cnn((*decibels.shape[1:], 1), 2)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * STEPS)
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-3),
        keras.losses.CategoricalCrossentropy(from_logits=True),
    )
    for _ in range(EPOCHS):
        drawn = rng.choice(len(decibels), STEPS * BATCH, p=weight / weight.sum())
        x, y = augment(decibels[drawn], rng), np.eye(2, dtype=np.float32)[label[clip_index[drawn]]]
        x, y = augmentation.mixup(x, y, rng)
        model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
    return model


def score(model, decibels, clip_index):
    """Logit of dog over cat, a clip: the mean over its windows and over views of each.

    The views pass through the augmentation of the training, because batch normalisation has seen
    no other windows: on bare ones the same network is less exact and leans to one class.
    """
    rng = np.random.default_rng(0)
    views = [model.predict(augment(decibels, rng), batch_size=256, verbose=0) for _ in range(VIEWS)]
    logits = np.mean(views, axis=0)
    return np.bincount(clip_index, logits[:, 1] - logits[:, 0]) / np.bincount(clip_index)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True, help="folder of the real recordings")
    parser.add_argument("--draws", type=int, nargs="+", default=[1, 2, 3], help="synthesis seeds")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="training seeds")
    parser.add_argument("--clips", type=int, default=300, help="synthetic clips a draw")
    parser.add_argument("--out", type=Path, default=out_of_fold.RESULTS / "synthetic_to_real.json")
    options = parser.parse_args(arguments)
    real = datasets.load(options.dataset, quiet=True)
    names = datasets.classes(real)
    truth = datasets.label_ids(real, names)
    real_windows, real_clip_index = loud_log_mel(real)
    runs, scores = [], []
    print("draw  seed  cat right  dog right  balanced accuracy  seconds")
    with tempfile.TemporaryDirectory() as scratch:
        for draw in options.draws:
            folder = synthetic.make_dataset(Path(scratch) / str(draw), draw, options.clips)
            clips = datasets.load(folder, quiet=True)
            made, clip_index = loud_log_mel(clips)
            for seed in options.seeds:
                start = time.perf_counter()
                model = train(made, clip_index, datasets.label_ids(clips, names), seed)
                logit = score(model, real_windows, real_clip_index)
                cat, dog = np.mean(logit[truth == 0] < 0), np.mean(logit[truth == 1] > 0)
                seconds = time.perf_counter() - start
                runs.append(
                    {
                        "draw": draw,
                        "seed": seed,
                        "cat": round(float(cat), 4),
                        "dog": round(float(dog), 4),
                        "balanced_accuracy": round(float(cat + dog) / 2, 4),
                        "seconds": round(seconds, 1),
                    }
                )
                scores.append(logit)
                print(
                    f"{draw:4}{seed:6}{cat:11.1%}{dog:11.1%}{(cat + dog) / 2:19.1%}{seconds:9.0f}",
                    flush=True,
                )
    balanced = [run["balanced_accuracy"] for run in runs]
    results = {
        "trained on": f"{options.clips} synthetic clips a draw",
        "tested on": f"{len(real)} recordings, {datasets.fingerprint(real)}",
        "mean": round(float(np.mean(balanced)), 4),
        "minimum": min(balanced),
        "parameters": model.count_params(),
        "runs": runs,
    }
    out_of_fold.write_json(options.out, results)
    print(f"mean {results['mean']:.1%}, minimum {results['minimum']:.1%}")
    return real, np.mean(scores, axis=0)


if __name__ == "__main__":
    main()
