"""What is done to one part of the clips; a broken clip is a row that says why, and ends nothing.

Each step takes a part of the table with two columns more, local, the clips' paths on this machine,
and why, None or why a clip is not to be opened, and writes one Parquet file with one row a clip.
"""

from functools import lru_cache

import pandas as pd
from threadpoolctl import threadpool_limits

from helpers import audio, datasets, files, predict, windows
from helpers.datasets.large import store


def _each(clips, ask):
    """Ask something of each clip: DataFrame of path, what was answered, and error where it failed.

    Args:
        clips: a part of the table, with columns local and why.
        ask: of a path of this machine; returns a dict.
    """
    rows = []
    for path, local, why in zip(clips.path, clips.local, clips.why):
        if why:  # there is nothing to be asked, or it must not be
            rows.append({"path": path, "error": why})
            continue
        try:
            rows.append({"path": path, **ask(local), "error": None})
        except audio.AudioError as error:
            rows.append({"path": path, "error": str(error)})
        except Exception as error:  # whatever a file does to a library, the others count
            rows.append({"path": path, "error": f"{type(error).__name__}: {error}"})
    return pd.DataFrame(rows).astype({"error": "string"})


def report(clips, url):
    """Decode each clip, and say in words what is wrong with it.

    Args:
        clips: a part of the table, with columns local and why.
        url: of the Parquet file: path, finding, sha256, duration (seconds), sample_rate, channels.
    """

    def facts(local):
        _, findings = datasets.validate(pd.DataFrame({"path": [local]}, index=["clip"]))
        said = "; ".join(findings.finding)
        if said.startswith("left out"):
            return {"finding": said}
        waveform, rate = audio.load(local, sample_rate=None)  # a header may state any length
        return {
            "finding": said,
            "sha256": files.digest(local),
            "duration": len(waveform) / rate,
            "sample_rate": rate,
            "channels": audio.about(local)[2],
        }

    columns = ["path", "finding", "sha256", "duration", "sample_rate", "channels"]
    table = _each(clips, facts)
    table["finding"] = table.get("finding", table.error).fillna("left out: " + table.error)
    kinds = {"finding": "string", "sha256": "string"} | dict.fromkeys(columns[3:], float)
    store.write(url, table.reindex(columns=columns).astype(kinds))


def features(clips, url):
    """Write each clip's windows of log-mel into a TFRecord shard, and its row into a catalog.

    A record has path; levels, float32 (windows, 94, 64), dB; and rms, float32 (windows,).

    Args:
        clips: as report.
        url: of the Parquet file: path, windows, shard, error.
    """
    from helpers.quiet import tf  # takes seconds, for this step alone

    shard = f"{url.removesuffix('.parquet')}.tfrecord"

    def of_bytes(content):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))

    def write(local, path):
        levels, rms = windows.of_clip(audio.load(local)[0])
        record = {"path": path.encode(), "levels": levels.tobytes(), "rms": rms.tobytes()}
        record = tf.train.Features(feature={k: of_bytes(v) for k, v in record.items()})
        writer.write(tf.train.Example(features=record).SerializeToString())
        return {"windows": len(levels), "shard": shard}

    paths = dict(zip(clips.local, clips.path))
    with (
        threadpool_limits(1, "blas"),
        store.writing(shard) as part,
        tf.io.TFRecordWriter(str(part)) as writer,
    ):
        table = _each(clips, lambda local: write(local, paths[local]))
    table = table.reindex(columns=["path", "windows", "shard", "error"])
    table["windows"] = table.windows.fillna(0).astype(int)
    store.write(url, table.astype({"shard": "string"}))


def predictions(clips, url, model, card):
    """Answer for each clip by a model.

    Args:
        clips: as report.
        url: of the Parquet file: path, answer, reason, a column a class with its probability,
            seconds, error.
        model: path of a .tflite or .keras file, where the worker can read it.
        card: what identifies that file, and its card if it has one, as digests gives it.

    Raises:
        ValueError: the worker finds another model at that path.
    """
    if digests(model) != card:
        raise ValueError(f"{model} is another model on this worker than where the run began")
    classifier = _classifier(str(model), tuple(card))

    def ask(local):
        found = classifier.predict(local)
        of_clip = {"answer": found.label, "reason": found.reason, "seconds": found.seconds}
        return of_clip | {f"p({name})": p for name, p in found.probabilities.items()}

    shares = [f"p({name})" for name in classifier.card["names"]]
    columns = ["path", "answer", "reason", *shares, "seconds", "error"]
    table = _each(clips, ask).reindex(columns=columns)
    kinds = dict.fromkeys([*shares, "seconds"], float) | {"answer": "string", "reason": "string"}
    store.write(url, table.astype(kinds))


def digests(model):
    """What identifies a model's file, and the card beside it: a list of sha256."""
    return [files.digest(one) for one in (model, model.with_suffix(".json")) if one.is_file()]


@lru_cache(maxsize=1)  # a worker may outlive a model: its digests are in the key
def _classifier(model, _):
    return predict.Classifier.load(model)
