"""How fast is the course's own code? Each figure beside what it is measured against, in one run.

A machine's speed drifts, so both sides of a ratio are timed in turn, and medians are kept. Writes
benchmarks/results/speed.json.

    python benchmarks/speed.py --dataset path/to/audio-cats-and-dogs
"""

import argparse
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path

import librosa
import out_of_fold
import soundfile

from helpers import audio, datasets, files, models, predict, recipes, widgets
from helpers.quiet import keras, tf

RUNS = 5


def seconds(*functions, runs=RUNS):
    """Median seconds of each function, called in turn after one call that is not counted."""
    taken = [[] for _ in functions]
    for run in range(runs + 1):
        for function, times in zip(functions, taken):
            start = time.perf_counter()
            function()
            if run:
                times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in taken]


def features(clips):
    """From files to log-mel windows in dB, beside librosa's log-mel of the same files."""

    def ours():
        recipes.forget()
        recipes.windows_of(clips, recipes.BEST)

    def decode():
        for path in clips.path:
            soundfile.read(path, dtype="float32")

    def theirs():
        for path in clips.path:
            mel = librosa.feature.melspectrogram(
                y=soundfile.read(path, dtype="float32")[0],
                sr=audio.SAMPLE_RATE,
                n_fft=512,
                hop_length=256,
                n_mels=64,
            )
            librosa.power_to_db(mel)

    mine, librosas, decoding = seconds(ours, theirs, decode)
    return {"windows": mine, "librosa": librosas, "decoding": decoding}


def prediction(clips):
    """One clip of 10 s from file to answer, and all clips in bulk, by the shipped model."""
    classifier = predict.Classifier.load()
    in_keras = predict.Classifier.load(predict.SHIPPED.with_suffix(".keras"))
    ten = (clips.duration - 10).abs().idxmin()
    one, keras_one, bulk = seconds(
        lambda: classifier.predict(clips.path[ten]),
        lambda: in_keras.predict(clips.path[ten]),
        lambda: [classifier.predict(path) for path in clips.path],
        runs=3,
    )
    return {
        "clip (s)": float(clips.duration[ten]),
        "one clip": one,
        "one clip in Keras": keras_one,
        "times real time": float(clips.duration.sum() / bulk),
    }


def training(clips, steps=100):
    """A step of a compact network, its batches made on the way, beside one on a ready batch."""
    recipe = replace(recipes.BEST, epochs=2 + RUNS, steps=steps)
    batches = recipes.Batches(clips, recipe, 0)
    shape = batches.element_spec[0].shape[1:]
    ready = tf.data.Dataset.from_tensors(batches.batch(0)).repeat()
    options = {"epochs": 1, "steps_per_epoch": steps, "shuffle": False, "verbose": 0}
    runs = []
    for _ in range(2):
        model = models.compact_cnn(shape, len(datasets.classes(clips)), recipe.width, stride=2)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.AdamW(1e-3, weight_decay=1e-3), loss, jit_compile=False)
        runs.append(model)
    made, alone = seconds(
        lambda: runs[0].fit(batches.dataset().take(steps), **options),
        lambda: runs[1].fit(ready, **options),
    )
    return {"with its input": made / steps, "on ready batches": alone / steps}


def redraw(clips):
    """The explorer's next clip of some 10 s."""
    explorer = widgets.Explorer(clips[(clips.duration - 10).abs() < 0.7])
    (taken,) = seconds(explorer.next.click, runs=20)
    return {"explorer": taken}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", required=True, help="folder of the recordings")
    parser.add_argument("--out", type=Path, default=out_of_fold.RESULTS / "speed.json")
    options = parser.parse_args()
    clips = datasets.load(options.dataset, quiet=True)
    results = {"clips": len(clips), "seconds of sound": round(float(clips.duration.sum()), 1)}
    results["cores"], results["model"] = os.cpu_count(), files.digest(predict.SHIPPED)
    for measure in (features, prediction, training, redraw):
        found = {name: float(f"{value:.3g}") for name, value in measure(clips).items()}
        print(measure.__name__, found, flush=True)
        results[measure.__name__] = found
    out_of_fold.write(options.out, results)


if __name__ == "__main__":
    main()
