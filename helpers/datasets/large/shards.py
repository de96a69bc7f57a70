"""Back from TFRecord shards: batches of windows, read from many files side by side."""

import hashlib

from helpers import datasets, files, windows
from helpers.datasets.large import store
from helpers.quiet import tf

_FEATURES = {name: tf.io.FixedLenFeature([], tf.string) for name in ("path", "levels", "rms")}
_SHAPE = (-1, 94, 64)
_TURNS = 8  # shards read side by side; a number of its own, lest the order follow the cores


def batches(catalog, names, batch_size, seed=None, buffer=2000):
    """Batches of windows and label ids, of some of a catalog's clips.

    Labels and sides are the catalog's as it is now: the shards hold neither, so that a label that
    was mended asks for no new features.

    Args:
        catalog: rows of catalog.parquet: columns path, label, shard.
        names: the labels in the order of their ids.
        batch_size: windows.
        seed: of the order, another one each time, and the same for the same seed; None: eight
            shards take turns, clip by clip, always alike.
        buffer: windows among which the next is drawn; some 24 kB each.

    Returns:
        tf.data.Dataset of (float32 (batch, 94, 64, 1), as windows.standardise makes them,
        int64 (batch,)).

    Raises:
        ValueError: a clip has a label that names does not hold.
    """
    auto = tf.data.AUTOTUNE
    catalog = catalog[catalog.shard.notna()]
    ids = datasets.label_ids(catalog, names)
    keys = tf.constant(catalog.path.to_numpy(str)), tf.constant(ids)
    wanted = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(*keys), -1)
    shards = tf.data.Dataset.from_tensor_slices(sorted(catalog.shard.unique()))
    if seed is not None:
        shards = shards.shuffle(len(shards), seed=seed)

    def here(shard):
        return tf.numpy_function(lambda url: _here(url.decode()), [shard], tf.string)

    def labelled(record):
        found = tf.io.parse_single_example(record, _FEATURES)
        return found["levels"], wanted.lookup(found["path"])

    def of_clip(levels, label):
        levels = tf.reshape(tf.io.decode_raw(levels, tf.float32), _SHAPE)
        label = tf.repeat(label, tf.shape(levels)[0])
        return tf.data.Dataset.from_tensor_slices((levels, label))

    def standardised(levels, label):
        return windows.standardise(levels), label

    options = {"num_parallel_calls": auto, "deterministic": True}
    records = shards.map(here, **options)
    records = records.interleave(tf.data.TFRecordDataset, cycle_length=_TURNS, **options)
    clips = records.map(labelled, **options).filter(lambda _, label: label >= 0)
    cut = clips.flat_map(of_clip)
    if seed is not None:
        cut = cut.shuffle(buffer, seed=seed)
    return cut.batch(batch_size).map(standardised, **options).prefetch(auto)


def _here(url):
    """A path of this machine: TensorFlow reads no other, so that others are fetched and kept.

    In runs/shards, as many as there are. To bound it, hand `batches` a part of the catalog at a
    time and remove that folder between, or let COURSE_RUNS be on a disk that holds all.
    """
    if store.is_local(url):
        return url.encode()
    kept = files.runs() / "shards" / f"{hashlib.sha256(url.encode()).hexdigest()}.tfrecord"
    if not kept.exists():
        fs, path = store.place(url)
        with files.atomic(kept, keep=kept.exists) as part:
            fs.get_file(path, str(part))
    return str(kept).encode()
