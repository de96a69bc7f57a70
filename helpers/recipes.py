"""Ways to train a classifier: each step from the article's way to the best is a field.

A clip is cut into windows, a network answers for each, and the clip's answer is their mean.
"""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from helpers import (
    article,
    audio,
    augmentation,
    datasets,
    evaluation,
    features,
    models,
    resume,
    splits,
    transfer,
    windows,
)
from helpers.quiet import keras, tf
from helpers.training import set_seed

_ROUND = ("chroma", "pitch_shift")  # above B comes C
_MASK = "mask"  # the one augmentation of normalised pictures
_CALL = {"roll", "pitch_shift", "crop"}  # change the call by itself; then comes what is around it
_LITTLE = (augmentation.roll, 0.5), (augmentation.pitch_shift, 0.3), (augmentation.equalise, 0.3)
_BANDS = {  # what the power of FFT bins is gathered into, and augmented; MFCCs follow in the model
    "log_mel": features.mel_bands,
    "mfcc": features.mel_bands,
    "chroma": features.pitch_classes,
    "stft": features.linear_bands,
}


@dataclass(frozen=True)
class Recipe:
    """All that a training run consists of; the defaults are the best found for one source.

    Taught in notebooks/04_train_cnn.ipynb.
    """

    network: str = "compact"  # or "article"
    features: str = "log_mel"  # or "stft", "mfcc", "chroma"
    width: int = 16  # channels of the compact network's first block
    by_level: bool = True  # windows are drawn, and count, by their level; else all alike
    by_clip: bool = True  # classes are drawn evenly, then clips; else every window alike
    normalise: bool = True  # each picture by itself; else one scale for all
    augment: tuple = (
        "roll",
        "pitch_shift",
        "crop",
        "equalise",
        "reverberate",
        "noise_floor",
        _MASK,
    )
    untouched: float = 0.2  # share of the drawn windows that are not augmented
    mixup: bool = False  # pictures, and their labels, are laid over one another
    cosine: bool = True  # the learning rate falls along a cosine, and weights decay
    averaged: bool = False  # at the end stands a moving average of the weights (with cosine)
    learning_rate: float = 2e-3
    pretrain: int = 0  # epochs on synthetic clips before the first on these
    epochs: int = 32
    steps: int = 40  # batches an epoch
    batch_size: int = 32
    overlap: bool = True  # a clip's answer is made of windows every 0.384 s; else every 1.536 s
    bands: bool = False  # the network keeps high and low apart up to its last layer
    even: bool = False  # within a class, sources and kinds are drawn by the root of their number
    background: float = 0.0  # share of the windows under which one of an "other" sound is laid
    made: float = 0.0  # share of the "other" windows that are silence, noise, hum and beeps
    by_odds: bool = False  # a window counts by its level times the odds that it is no "other"
    taught: float = 0.0  # weight of a second aim: the embeddings of a larger network, its teacher
    heard: int = 0  # half of each batch comes from so many windows, changed as waveforms, that the
    # teacher heard too; what is said above of shares holds for the other half


BEST = Recipe()
# One network for sounds of other sources too, where some are "other"; measured by leaving whole
# sources out (benchmarks/shipped.py).
HOLDS = Recipe(
    width=19,
    untouched=0.1,
    epochs=40,
    steps=100,
    batch_size=64,
    bands=True,
    even=True,
    background=0.6,
    made=0.15,
    by_odds=True,
    taught=4.0,
    heard=60_000,
)


def train(clips, recipe=BEST, seed=0, *, start=None, teacher=None, heard=None):
    """Train a classifier on all clips of a catalog.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        clips: a catalog.
        recipe: Recipe.
        seed: of the first weights, the draws and the augmentation.
        start: a network whose weights to begin with, as from pretrain; by default random ones.
        teacher: for `taught`: gives the embeddings of a catalog's windows, float32, shape (windows,
            embeddings), as transfer.of_windows; by default the network is not taught.
        heard: with a teacher: as from teacher.hear, of what drawn_for says; windows in which other
            clips are heard are left out.

    Returns:
        keras.Model: pictures (batch, 94, 64, 1) to one logit a class. A long training that was
        killed goes on after its last epoch when it is called again, to the same weights.
    """
    set_seed(seed)
    names = datasets.classes(clips)
    taught = teacher(clips) if recipe.taught and teacher is not None else None
    heard = heard.of(clips) if taught is not None and heard is not None else None
    batches = Batches(clips, recipe, seed, taught, heard)
    pictures = keras.Input(batches.element_spec[0].shape[1:])
    seen = _seen(pictures, batches, recipe)
    shape = seen.shape[1:]
    if recipe.network == "article":
        same = keras.layers.Normalization(mean=0.0, variance=1.0)  # the pictures are scaled already
        model = article.network(shape, len(names), same)
    else:
        model = models.compact_cnn(shape, len(names), recipe.width, stride=2, bands=recipe.bands)
    if seen is not pictures:
        model = keras.Model(pictures, model(seen))
    if start is not None:
        model.set_weights(start.get_weights())
    optimizer = keras.optimizers.Adam(recipe.learning_rate)
    if recipe.cosine:
        steps = recipe.epochs * recipe.steps
        rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
        optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3, use_ema=recipe.averaged)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    pupil, losses, weights = model, loss, None
    if taught is not None:  # from the values before the last layer, by one that is thrown away
        inner = model.layers[-2].output
        aim = keras.layers.Dense(taught.shape[1], name="aim")(inner)
        pupil = keras.Model(model.inputs, [model.outputs[0], aim])
        losses, weights = [loss, keras.losses.CosineSimilarity()], [1.0, recipe.taught]
    trained = _compiled_like(pupil, optimizer, losses, weights, batches.element_spec)
    drawn_from = batches.share, batches.target, *batches.first
    unfinished = resume.Resume(trained, len(batches), recipe, seed, *drawn_from)
    begun = unfinished.epoch
    options = {"steps_per_epoch": recipe.steps, "shuffle": False, "verbose": 0}
    model.history = trained.fit(
        batches.dataset(start=begun * recipe.steps),
        initial_epoch=begun,
        epochs=recipe.epochs,
        callbacks=[unfinished],
        **options,
    )
    batches.let_go()  # TensorFlow keeps a dataset's function, and that what it draws from
    pupil.set_weights(trained.get_weights())
    unfinished.done()
    model.history.set_model(model)  # the other one goes on
    model.history.history = unfinished.past
    return model


_COMPILED = {}  # networks by their structure and way of training, with the optimizer's first state


def _compiled_like(network, optimizer, losses, weights, batch):
    """A compiled network of this structure, with its weights, as if it had never been trained.

    One is kept of each kind and shape of batch, and used again: TensorFlow takes seconds to prepare
    a new one. (For batches of another size it would prepare other code, which rounds differently.)
    """
    about = network.to_json() + json.dumps([optimizer.get_config(), weights, str(batch)])
    kind = re.sub(r"_\d+", "", about)  # Keras numbers the names of all that there ever were
    if kind not in _COMPILED:
        if len(_COMPILED) == 8:  # each takes some megabytes
            _COMPILED.clear()
        kept = keras.models.clone_model(network)
        # XLA takes twice as long on a processor
        kept.compile(optimizer, losses, loss_weights=weights, jit_compile=False)
        kept.optimizer.build(kept.trainable_variables)  # else the first step is traced twice
        _COMPILED[kind] = kept, [value.numpy() for value in kept.optimizer.variables]
    kept, first = _COMPILED[kind]
    for old, new in zip(kept.variables, network.variables, strict=True):
        old.assign(new)
    for old, new in zip(kept.optimizer.variables, first, strict=True):
        old.assign(new)
    return kept


def pretrain(synthetic, recipe=BEST, seed=0):
    """Train on synthetic clips first, so that few recordings need only correct the network.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        synthetic: a catalog of synthetic clips, or None.
        recipe, seed: as train.

    Returns:
        keras.Model; None without clips or where the recipe asks for no such epochs.
    """
    if synthetic is None or not recipe.pretrain:
        return None
    return train(synthetic, replace(recipe, epochs=recipe.pretrain, learning_rate=2e-3), seed)


def predict(model, clips, recipe=BEST, names=None):
    """One row a clip, from the weighted mean of its windows' logits.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        model: as from train.
        clips: a catalog.
        recipe: the one that it was trained with.
        names: of the model's outputs, in order; by default the labels of these clips.

    Returns:
        DataFrame as from evaluation.predict.
    """
    levels, clip_index, weight = windows_of(clips, recipe)
    names = datasets.classes(clips) if names is None else names
    if recipe.by_odds and datasets.OTHER not in names:
        raise ValueError(f"no {datasets.OTHER!r} among these clips: give the names of the training")
    other = names.index(datasets.OTHER) if recipe.by_odds else None
    if not recipe.overlap:
        place = np.arange(len(clip_index)) - np.searchsorted(clip_index, clip_index)
        every = place % round(windows.LENGTH / windows.HOP) == 0
        levels, clip_index, weight = levels[every], clip_index[every], weight[every]
    pictures = np.concatenate(
        [_pictures(part, recipe) for part in np.array_split(levels, 1 + len(levels) // 512)]
    )
    logits = model.predict(pictures, batch_size=256, verbose=0)
    ends = np.searchsorted(clip_index, np.arange(1, len(clips)))
    of_clips = zip(np.split(logits, ends), np.split(weight, ends))
    mean = [audio.level_weighted_mean(*of_clip, other) for of_clip in of_clips]
    return evaluation.table(softmax(mean, axis=1), clips, names)


def fold_models(clips, recipe=BEST, n=5, seed=0, synthetic=None, by="group"):
    """Train a classifier for each fold, on all the others.

    Args:
        clips: a catalog.
        recipe: as train.
        synthetic: a catalog of synthetic clips for `pretrain`; by default none is asked for.
        n: number of folds; no recording is parted.
        seed: of the folds and of the training.
        by: as splits.folds; "source" leaves out whole sources.

    Yields:
        held: a catalog, the clips of this fold.
        model: as from train.
    """
    start = pretrain(synthetic, recipe, seed)
    for rest, held in splits.each_fold(clips, n, seed, by):
        yield held, train(rest, recipe, seed, start=start)


def cross_validate(clips, recipe=BEST, n=5, seed=0, synthetic=None, after=None, by="group"):
    """Predict every clip by a classifier that was trained on the other folds.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        clips, recipe, n, seed, synthetic, by: as fold_models.
        after: called with each fold's predictions, for those who wait.

    Returns:
        DataFrame as from predict; its attrs name a model's parameters.
    """
    names, parts = datasets.classes(clips), []
    for held, model in fold_models(clips, recipe, n, seed, synthetic, by):
        parts.append(predict(model, held, recipe, names))
        if after is not None:
            after(parts[-1])
    table = pd.concat(parts).loc[clips.index]
    table.attrs["parameters"] = model.count_params()
    return table


class Batches:
    """All batches of one training: number i is the same for the same seeds, whoever asks and when.

    Args:
        clips: a catalog.
        recipe: Recipe.
        seed: a whole number.
        taught: float32, shape (windows of the clips, embeddings): a second target, or None.
        heard: as from teacher.hear, of these clips: half of each batch is drawn from it; or None.

    Attributes:
        first: batch number 0.
        element_spec: of what `dataset` gives, as tf.data names it.
    """

    def __init__(self, clips, recipe, seed, taught=None, heard=None):
        self.recipe, self.seed, self.taught, self.heard = recipe, seed, taught, heard
        names = datasets.classes(clips)
        self.levels, self.clip_index, weight = windows_of(clips, recipe)
        label = datasets.label_ids(clips, names)
        count = _by_source_and_kind(clips) if recipe.even else np.ones(len(clips))
        self.share = self._shares(self.clip_index, weight, label, count)
        self.target = np.eye(len(names), dtype=np.float32)[label]
        if (recipe.background or recipe.made) and datasets.OTHER not in names:
            raise ValueError(f"this recipe needs clips of the class {datasets.OTHER!r}, too")
        if recipe.background or recipe.made:
            self.other = names.index(datasets.OTHER)
            share = np.where(label[self.clip_index] == self.other, self.share, 0)
            self.share_of_others = share / share.sum()
        if heard is not None:
            true = np.eye(len(names), dtype=np.float32)[label[clips.index.get_indexer(heard.clip)]]
            some = slice(None, None, 4)
            if not true[some].any(axis=0).all():
                raise ValueError("of some class too few windows were heard: hear more, or fewer")
            self.share_of_heard = true @ (1 / true.sum(axis=0)) / len(names)
            # the teacher's own answers, of a head on a part of the same windows, count as much
            few = heard.embeddings[some].astype(np.float32)
            head = transfer.fit_head(few, true[some].argmax(axis=1))
            self.target_of_heard = (true + head.predict_proba(heard.embeddings)) / 2
        self.first = self.batch(0)
        self.element_spec = tuple(tf.TensorSpec(part.shape) for part in self.first)

    def __len__(self):
        return self.recipe.epochs * self.recipe.steps

    def let_go(self):
        """Forget what batches are drawn from: hundreds of megabytes."""
        self.levels = self.taught = self.heard = self.target_of_heard = None

    def dataset(self, threads=2, start=0):
        """The batches in order from one on, each once, made ahead by threads: a tf.data.Dataset."""

        def make(index):
            made = tf.numpy_function(
                lambda i: self.batch(int(i)),
                [index],
                [s.dtype for s in self.element_spec],
                stateful=False,
            )
            x, *y = (tf.ensure_shape(x, s.shape) for x, s in zip(made, self.element_spec))
            return x, tuple(y) if len(y) > 1 else y[0]

        # stateful=False above: else op determinism would make one batch at a time
        order = tf.data.Dataset.range(start, len(self))
        return order.map(make, num_parallel_calls=threads, deterministic=True).prefetch(4)

    def batch(self, index):
        """Batch number index: windows (batch, frames, bins, 1) and targets (batch, classes).

        Where the network is taught, embeddings (batch, embeddings) besides.
        """
        recipe, rng = self.recipe, np.random.default_rng([self.seed, index])
        half = 0 if self.heard is None else recipe.batch_size // 2
        drawn = rng.choice(len(self.levels), recipe.batch_size - half, p=self.share)
        x, y = self.levels[drawn], self.target[self.clip_index[drawn]]
        asked = np.zeros((len(x), 0)) if self.taught is None else self.taught[drawn]
        if recipe.made:
            made = (y[:, self.other] == 1) & (rng.random(len(x)) < recipe.made)
            x[made] = augmentation.lifeless(x[made], rng)
            asked[made] = 0
        touched = rng.random(len(x)) >= recipe.untouched
        self._change(x, touched, _CALL, rng)
        if recipe.background:
            under = rng.random(len(x)) < recipe.background
            behind = rng.choice(len(self.levels), under.sum(), p=self.share_of_others)
            behind = augmentation.roll(self.levels[behind], rng)
            x[under] = augmentation.lay_under(x[under], behind, rng)
        self._change(x, touched, set(recipe.augment) - _CALL - {_MASK}, rng)
        x = _pictures(x, recipe)
        if _MASK in recipe.augment:
            x[touched] = augmentation.mask(x[touched], rng)
        if recipe.mixup:
            x, y = augmentation.mixup(x, y, rng)
        made = x, y, *([] if self.taught is None else [asked])
        if half:
            made = [np.concatenate(parts) for parts in zip(made, self._of_heard(half, rng))]
        return tuple(np.asarray(part, np.float32) for part in made)

    def _of_heard(self, count, rng):
        """So many of the windows that the teacher heard, moved and masked a little more.

        What is aimed at stays what the teacher made of their middle as it was.
        """
        drawn = rng.choice(len(self.heard), count, p=self.share_of_heard)
        x = self.heard.levels[drawn].astype(np.float32)
        for change, share in _LITTLE:
            some = rng.random(count) < share
            x[some] = change(x[some], rng)
        x = augmentation.mask(_pictures(x, self.recipe), rng)
        return x, self.target_of_heard[drawn], self.heard.embeddings[drawn]

    def _change(self, x, touched, which, rng):
        """Augment the touched windows in place, by the ways that are asked for."""
        for name in self.recipe.augment:
            if name in which:
                way = {"cyclic": True} if (self.recipe.features, name) == _ROUND else {}
                x[touched] = getattr(augmentation, name)(x[touched], rng, **way)

    def _shares(self, clip_index, weight, label, count):
        """Probability of each window to be drawn; they sum to 1. count: by how much a clip does."""
        if not self.recipe.by_clip:
            first = np.searchsorted(clip_index, np.unique(clip_index))
            share = weight / np.maximum.reduceat(weight, first)[clip_index]
            return share / share.sum()
        share = weight / np.bincount(clip_index, weight)[clip_index]
        count = count / np.bincount(label, count)[label] / (label.max() + 1)
        return share * count[clip_index]


def drawn_for(clips, recipe, seed=0):
    """Which windows a teacher should hear changed: as many as a recipe asks for.

    Drawn as its batches draw theirs; what is laid behind comes from the class "other" alone. They
    are the arguments of teacher.hear.

    Args:
        clips: a catalog.
        recipe: Recipe.
        seed: of the draw.

    Returns:
        drawn, behind: (rows of the catalog, places among the clip's windows) each, int, shape
        (recipe.heard,); behind is None where the recipe lays nothing under.
    """
    batches, rng = Batches(clips, recipe, seed), np.random.default_rng(seed)
    place = np.arange(len(batches.clip_index))
    place -= np.searchsorted(batches.clip_index, batches.clip_index)

    def draw(share):
        windows = rng.choice(len(place), recipe.heard, p=share)
        return batches.clip_index[windows], place[windows]

    return draw(batches.share), draw(batches.share_of_others) if recipe.background else None


def _by_source_and_kind(clips):
    """How often a clip is drawn, so that a large source or a common kind does not drown the rest.

    Clips of one recording together count by the root of their number, and so do all clips of one
    kind from one source.
    """
    kind = clips.get("kind", clips.label)
    by = [clips.label, clips.source, kind]
    count = clips.groupby("group").label.transform("size") ** -0.5
    return (count / count.groupby(by).transform("sum") ** 0.5).to_numpy()


def windows_of(clips, recipe):
    """The windows of all clips, as a recipe has them, one below the other.

    Args:
        clips: a catalog.
        recipe: Recipe.

    Returns:
        levels: float32, shape (windows, frames, bins), dB.
        clip_index: int, shape (windows,): the row of each window's clip, rising.
        weight: float, shape (windows,): by how much each counts.
    """

    def of_file(path):
        about = Path(path).stat()
        version = about.st_size, about.st_mtime_ns
        return _of_file(path, version, recipe.normalise, recipe.features)

    # a thread a clip: BLAS with threads of its own would only get in their way
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        levels, weight = zip(*pool.map(of_file, clips.path))
    clip_index = np.repeat(np.arange(len(clips)), [len(part) for part in levels])
    weight = np.concatenate(weight) if recipe.by_level else np.ones(len(clip_index))
    return np.concatenate(levels), clip_index, weight


@lru_cache(maxsize=4096)  # some 0.5 MB each; the folds of a cross-validation ask again and again
def _of_file(path, version, normalise, kind):
    """Windows (dB) and RMS of one file; its size and times are in the key."""
    levels, rms = windows.of_clip(audio.load(path)[0], normalise, _BANDS[kind])
    return levels, rms + 1e-9


def forget():
    """Let go of the windows and the networks that are kept from earlier calls."""
    _of_file.cache_clear()
    _COMPILED.clear()


def _pictures(levels, recipe):
    """What the network gets: float32, shape (windows, frames, bins, 1)."""
    if not recipe.normalise:
        return levels[..., None] / 40 + 1  # -80 to 0 dB become -1 to 1
    return windows.standardise(levels)


def _seen(pictures, batches, recipe):
    """What the network sees of the pictures, by the model's first layers: a symbolic tensor."""
    if recipe.features == "chroma":  # each class five rows high, so that all networks pool alike
        return keras.ops.repeat(pictures, 5, axis=2)
    if recipe.features != "mfcc":
        return pictures
    some = np.random.default_rng(batches.seed).choice(len(batches.levels), 1000, p=batches.share)
    clean = features.mfcc_with_deltas(_pictures(batches.levels[some], recipe)[..., 0])
    scale = keras.layers.Normalization(mean=clean.mean((0, 1)), variance=clean.var((0, 1)))
    return scale(features.mfcc_with_deltas(pictures[..., 0]))[..., None]
