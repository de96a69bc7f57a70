"""How the pipeline for a million clips grows: workers, clips, and the audit. Needs `make large`.

The sounds are made here. Seconds of the processor are summed over the workers, so that whoever
else uses the machine hardly counts; the scheduler's are those of this process. Writes
benchmarks/results/large.json.

    python benchmarks/large.py
"""

import argparse
import json
import os
import resource
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import soundfile

from helpers import audio, files, splits
from helpers.datasets.large import audit, engine, pipeline, store

STEPS = "report", "features", "predictions"
SECONDS = 1.5  # of a stretch in the audit
SHARED = 1.2  # of two planted ones


def table(folder, clips, different=50):
    """A CSV of clips of one second, views of some files."""
    rng, rows = np.random.default_rng(0), []
    for k in range(different):
        noise = rng.integers(-9000, 9000, audio.SAMPLE_RATE).astype(np.int16)
        soundfile.write(folder / f"{k}.wav", noise, audio.SAMPLE_RATE)
    for k in range(clips):
        link = folder / f"view{k}.wav"
        if not link.exists():
            link.symlink_to(folder / f"{k % different}.wav")
        rows.append((str(link), ("cat", "dog")[k % 2]))
    url = folder / f"{clips}.csv"
    pd.DataFrame(rows, columns=["path", "label"]).to_csv(url, index=False)
    return str(url)


def worker_seconds():
    used = psutil.Process().cpu_times()
    return used.user + used.system


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in kB


def measured(client, function, *arguments):
    """What a function returned; its seconds on the clock, of the workers and of the scheduler."""
    before = sum(client.run(worker_seconds).values())
    start, own = time.perf_counter(), time.process_time()
    found = function(*arguments)
    taken = {"wall": time.perf_counter() - start, "scheduler": time.process_time() - own}
    taken["workers"] = sum(client.run(worker_seconds).values()) - before
    return found, taken


def ready(client, folder, out):
    """Imports and first calls, on every worker, are not what is measured."""
    clips = table(folder, 16)
    for _ in client.run(worker_seconds):
        pipeline.run(clips, f"{out}/{time.time()}", client, STEPS, size=2)


def grown(clips):
    """The same steps on so many clips, by two fresh workers; and reading their shards."""
    with tempfile.TemporaryDirectory() as folder, engine.client(2) as client:
        folder, out = Path(folder), f"{folder}/out"
        ready(client, folder, f"{folder}/first")
        ask = partial(pipeline.run, table(folder, clips), out, client, STEPS, size=50)
        _, taken = measured(client, ask)
        assert ask()["tasks"] == 0
        size = sum(path.stat().st_size for path in Path(out, "parts").rglob("*.tfrecord"))
        row = {"size": clips, "peak": max(client.run(peak).values()), "bytes": size} | taken
        return row | (reading(out) if clips < 1000 else {})


def reading(out):
    """Windows a second from the shards, and in a training step of a compact network."""
    from helpers import models, training  # not above: a worker of the audit has no TensorFlow
    from helpers.datasets.large import shards

    catalog = store.read([f"{out}/catalog.parquet"])
    data = shards.batches(catalog, ["cat", "dog"], 32, seed=0)
    model = training.compile_classifier(models.compact_cnn((94, 64, 1), 2, stride=2))
    model.fit(data.take(1), verbose=0, shuffle=False)
    taken = []
    for function in (lambda: sum(len(y) for _, y in data), lambda: model.fit(data, verbose=0)):
        start = time.perf_counter()
        function()
        taken.append(int(catalog.windows.sum()) / (time.perf_counter() - start))
    return dict(zip(("windows a second", "windows a second in fit"), taken))


class Only:
    """A client whose tasks all go to some of the workers."""

    def __init__(self, client, workers):
        self.client, self.workers = client, workers

    def submit(self, *task, **options):
        return self.client.submit(*task, workers=self.workers, **options)


def scaling(clips, walls):
    """The same clips by one worker, then by two: seconds on the clock, added to those of before."""
    with tempfile.TemporaryDirectory() as folder, engine.client(2) as client:
        folder, some = Path(folder), list(client.scheduler_info()["workers"])
        url = table(folder, clips)
        ready(client, folder, folder)
        for workers, taken in zip((1, 2), walls):
            start = time.perf_counter()
            only = Only(client, some[:workers])
            pipeline.run(url, f"{folder}/out{workers}", only, STEPS, size=10)
            taken.append(time.perf_counter() - start)
    return walls


def sound(stretch, planted):
    """A stretch of noise of a colour of its own; of the planted ones each second is a late cut."""
    number = stretch // 2 * 2 if stretch < 2 * planted else stretch
    rng, samples = np.random.default_rng(number), int(SECONDS * audio.SAMPLE_RATE)
    late = int((SECONDS - SHARED) * audio.SAMPLE_RATE)
    noise = rng.integers(-1000, 1000, samples + late + 16).astype(np.float32)
    width = int(rng.integers(1, 8))
    noise = np.cumsum(noise)
    noise = noise[width:] - noise[:-width]
    start = late if number != stretch else 0
    return noise[start : start + samples] * np.float32((2 if start else 1) / 32768)


def names_of(start, count, url, settings, planted):
    """On a worker: the names of some stretches' runs; nothing is read from a disk."""
    clips = pd.DataFrame({"local": range(start, start + count)}, index=range(start, start + count))
    audit.names(clips, url, *settings, load=partial(sound, planted=planted))


def agreed(pairs, planted):
    """On a worker: the candidates that share a second."""

    def steps(i):
        return splits.steps(sound(i, planted))

    return [(a, b) for a, b, at in pairs if splits.agreement(steps(a), steps(b), at)[0] >= 1.0]


def audited(stretches):
    """The audit of so many stretches, one in a hundred of them planted, by two fresh workers."""
    with tempfile.TemporaryDirectory() as folder, engine.client(2) as client:
        found, taken = measured(client, audit_of, client, folder, stretches)
        return found | {"peak": max(client.run(peak).values())} | taken


def audit_of(client, folder, stretches, size=1000):
    """Names, their join, and the candidates listened to: how many, and how many rightly."""
    planted, starts = stretches // 200, range(0, stretches, size)
    buckets = max(8, len(starts) // 8)
    names = [f"{folder}/names{k}.parquet" for k in starts]
    votes = [f"{folder}/votes{k}.parquet" for k in range(buckets)]
    settings = (*audit.settings(10**6), buckets)
    tasks = [(k, min(size, stretches - k), url, settings, planted) for k, url in zip(starts, names)]
    _, taken = measured(client, engine.run, client, names_of, tasks, "stretches")
    tasks = [(names, k, url, buckets) for k, url in enumerate(votes)]
    engine.run(client, audit.join, tasks, "names")
    met = engine.run(client, audit.meet, [(votes, k) for k in range(buckets)], "votes")
    found = [pair for some in met for pair in some]
    tasks = [(found[k : k + 100], planted) for k in range(0, len(found), 100)]
    kept = {pair for some in engine.run(client, agreed, tasks, "pairs") for pair in some}
    wanted = {(2 * k, 2 * k + 1) for k in range(planted)}
    return {
        "size": stretches,
        "planted": planted,
        "candidates": len(found),
        "found": len(wanted & kept),
        "false": len(kept - wanted),
        "names": taken["workers"],
        "bytes": sum(os.path.getsize(url) for url in names),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--stretches", type=int, nargs="*", default=[1000, 10_000, 100_000])
    parser.add_argument("--runs", type=int, default=3, help="of one worker and two")
    parser.add_argument("--out", type=Path, default=files.ROOT / "benchmarks/results/large.json")
    options = parser.parse_args()
    results = {"cores": os.cpu_count(), "load before": psutil.getloadavg()[0], "walls": [[], []]}
    results |= {"clips of walls": 200, "growth": [], "audit": []}
    if options.out.is_file():  # an interrupted measurement goes on where it stopped
        results = json.loads(options.out.read_text("utf-8"))

    def keep(name, value):
        results[name] = value
        print(name, value, flush=True)
        files.write_json(options.out, rounded(results))

    tasks = [("growth", grown, n) for n in options.clips]
    tasks += [("audit", audited, n) for n in options.stretches]
    for name, function, size in sorted(tasks, key=lambda task: task[2]):
        if size not in [row["size"] for row in results[name]]:
            keep(name, [*results[name], function(size)])
    for _ in range(len(results["walls"][0]), options.runs):
        keep("walls", scaling(results["clips of walls"], results["walls"]))


def rounded(value):
    """Three digits are enough of whatever was measured."""
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.3g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
