"""Start from a network trained by others: its embeddings are features, a small head decides."""

import json
import os
import threading
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from helpers import audio, datasets, evaluation, features, files, windows
from helpers.datasets import downloads

_CHOICES = '"auto", "none" or the path of the .tflite file'
FRAME, HOP = 15_600, 7_680  # samples: 0.975 s, which is what YAMNet takes, every 0.48 s
HEAD = files.ROOT / "data" / "pretrained" / "yamnet_head.npz"  # the course's own, on YAMNet
_EMBEDDING = [1, 1, 1, 1024]  # shape of the values between YAMNet's convolutions and its classes
_SCORES = 521  # its classes
_KEPT = {"recordings": "yamnet_embeddings.npz", "synthetic": "yamnet_synthetic.npz"}
_OWN = {
    "cat": ("Cat", "Meow", "Purr", "Hiss", "Caterwaul"),
    "dog": ("Dog", "Bark", "Yip", "Howl", "Bow-wow", "Growling", "Whimper (dog)"),
}


def yamnet(source="auto", *, data=files.ROOT / "data"):
    """Load YAMNet, and print whether it was taken and why.

    A file named by the caller is loaded or is an error. `"auto"` follows the environment variable
    YAMNET where that is set; else it takes the file already on disk, else Kaggle's.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        source: "auto", "none" or the path of the .tflite file.
        data: folder in whose subfolder yamnet the downloaded file is kept.

    Returns:
        a function of one waveform (float32, shape (samples,), 16 kHz) that gives its loud frames'
        embeddings, shape (frames, 1024), and scores, shape (frames, 521), both float32. Its
        `.labels` name the 521 classes, its `.name` is "YAMNet". None if it is not to be had.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not the one that Google published.

    Source: Hershey et al. (2017); AudioSet by Gemmeke et al. (2017).
    """
    path, why = _choose(str(source).strip(), Path(data))
    if path is None:
        how = 'set YAMNET to "auto" or the path of the .tflite file'
        print(f"YAMNet: not taken ({why}).\n  To take it: {how}.")
        return None
    model = _Yamnet(_checked(path))
    print(f"YAMNet: {len(model.labels)} classes of sound.\n  Taken: {why}.")
    return model


def frames(waveform):
    """Cut a clip into YAMNet's frames, keep those with something in them, and level them.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        waveform: float32, shape (samples,), 16 kHz.

    Returns:
        float32, shape (frames, 15600): one every 7,680 samples, the last padded with zeros; those
        more than 20 dB below the loudest left out, the others at a level of -20 dB, clipped at +-1.
    """
    count = 1 + max(0, -(-(len(waveform) - FRAME) // HOP))
    padded = audio.fit_length(waveform, (count - 1) * HOP + FRAME)
    cut = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    cut, root = _loud(cut)
    return np.clip(cut * (0.1 / np.maximum(root, 1e-5)), -1, 1).astype(np.float32)


def _loud(cut):
    """The frames at most 20 dB below the loudest, and their root-mean-square (frames, 1)."""
    root = np.sqrt(np.mean(cut.astype(np.float64) ** 2, axis=1, keepdims=True))
    loud = root[:, 0] >= 0.1 * root.max()
    return cut[loud], root[loud]


def embed(backbone, clips):
    """One row of numbers a clip: the backbone's embeddings and scores, averaged over the clip.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        backbone: as from yamnet or Cnn.
        clips: a catalog.

    Returns:
        embeddings: float32, shape (clips, embeddings): the square root of the mean.
        scores: float32, shape (clips, classes of the backbone).
    """
    rows = [backbone(audio.load(path)[0]) for path in clips.path]
    embeddings, scores = (
        np.stack([np.mean(part, axis=0) for part in parts]) for parts in zip(*rows)
    )
    return np.sqrt(embeddings), scores


def by_frame(backbone, waveform):
    """One row of numbers for each frame of a clip, none left out, and how loud the frame is.

    Args:
        backbone: as from yamnet or Cnn.
        waveform: float32, shape (samples,), 16 kHz, one sample or more.

    Returns:
        numbers: float32, shape (frames, embeddings + classes of the backbone): the square root of
            the embedding, then the scores; a frame every 7,680 samples, each levelled by itself.
        level: float32, shape (frames,): root-mean-square of each frame as it was.
    """
    cut = windows.sliding(waveform, HOP, FRAME)
    heard = [[part.mean(axis=0) for part in backbone(frame)] for frame in cut]
    numbers = np.stack([np.concatenate([np.sqrt(inner), scores]) for inner, scores in heard])
    return numbers, np.sqrt(np.mean(np.square(cut), axis=1))


def with_head(path=HEAD, source="auto", *, data=files.ROOT / "data"):
    """YAMNet with a small head of our own on it, as a model of waveforms: cat, dog or neither.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        path: of the head, an .npz file with its card beside it; by default the one that the
            course ships.
        source, data: where YAMNet is to be had, as yamnet.

    Returns:
        run: float32 (1, samples) at 16 kHz to a dict: probabilities (1, classes), timeline
            (1, frames, classes), level (1, frames), as export.from_waveform gives them.
        card: dict, of the head.

    Raises:
        FileNotFoundError: YAMNet is not to be had; the message says why and what to do.
        ValueError: a file is not what it should be.
    """
    card = json.loads(path.with_suffix(".json").read_text("utf-8"))
    coefficients, intercepts = _head(path, card["names"])
    file, why = _choose(str(source).strip(), Path(data))
    if file is None:
        raise FileNotFoundError(
            f"the head needs YAMNet, which is not to be had here ({why}): set YAMNET to the path "
            "of its .tflite file, or to auto where there is a network"
        )
    backbone = _Yamnet(_checked(file))

    def run(waveform):
        numbers, level = by_frame(backbone, waveform[0])
        logits = numbers @ coefficients.T + intercepts
        mean = audio.level_weighted_mean(logits, level, card["other"])
        warmth = card["temperature"]
        return {
            "probabilities": softmax(mean / warmth)[None],
            "timeline": softmax(logits / warmth, axis=1)[None],
            "level": level[None],
        }

    return run, card


def _head(path, names):
    """The coefficients (classes, values) and intercepts (classes,) of a head for these classes.

    Raises:
        ValueError: the file is no such head. Nothing in it is ever run.
    """
    try:
        with np.load(path, allow_pickle=False) as kept:
            found = [kept[name] for name in ("coefficients", "intercepts", "classes")]
    except (ValueError, TypeError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name} is no head for YAMNet: {error}") from None
    coefficients, intercepts, classes = found
    shapes = [(len(names), _EMBEDDING[-1] + _SCORES), (len(names),)]
    numbers = all(part.dtype == np.float32 and np.isfinite(part).all() for part in found[:2])
    if not numbers or [part.shape for part in found[:2]] != shapes or list(classes) != names:
        raise ValueError(f"{path.name} is no head for YAMNet that answers {', '.join(names)}")
    return coefficients, intercepts


def mfcc_statistics(clips):
    """Mean and deviation over time of each clip's 20 MFCCs: a few numbers for a small network.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        clips: a catalog.

    Returns:
        float32, shape (clips, 40): first the 20 means, then the 20 deviations, dB.
    """
    each = [features.mfcc(features.log_mel(audio.load(path)[0])) for path in clips.path]
    return np.stack([np.concatenate([mfcc.mean(axis=0), mfcc.std(axis=0)]) for mfcc in each])


def kept(of="recordings"):
    """What YAMNet made of clips that are not at hand: numbers that come with the course, no sound.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        of: "recordings", the 277 of Audio Cats and Dogs, or "synthetic", the course's own.

    Returns:
        clips: DataFrame indexed by clip: label, group.
        embeddings: float32, shape (clips, 1024), as embed gives them.
        mfcc: float32, shape (clips, 40), as mfcc_statistics gives them.

    Raises:
        ValueError: no such clips are kept.
    """
    if of not in _KEPT:
        raise ValueError(f"of {of!r} nothing is kept: choose {' or '.join(_KEPT)}")
    numbers = np.load(files.ROOT / "data" / "pretrained" / _KEPT[of])
    columns = {name: numbers[name] for name in ("label", "group")}
    clips = pd.DataFrame(columns, pd.Index(numbers["clip"], name="clip"))
    return clips, numbers["embeddings"].astype(np.float32), numbers["mfcc"].astype(np.float32)


def of_windows(backbone, clips, most=40):
    """Embeddings of the windows that recipes trains on: what a small network learns from a large.

    Args:
        backbone: as from yamnet or Cnn.
        clips: a catalog.
        most: windows a clip; of a longer one every second, third ... is asked, and stands for those
            after it.

    Returns:
        float32, shape (windows, embeddings), the square root, in the order of recipes.windows_of.

    Source: Hinton, Vinyals and Dean (2015) for learning from a larger network.
    """
    rows = []
    for path in clips.path:
        cut = windows.sliding(audio.load(path)[0])
        middle = cut[:, (windows.LENGTH - FRAME) // 2 :][:, :FRAME]
        step = -(-len(cut) // most)
        asked = [np.sqrt(backbone(wave)[0].mean(axis=0)) for wave in middle[::step]]
        rows.append(np.repeat(asked, step, axis=0)[: len(cut)])
    return np.concatenate(rows).astype(np.float32)


def own_classes(backbone, name):
    """Which of a backbone's own classes mean a label.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        backbone: as from yamnet or Cnn.
        name: a label; other ones than cat and dog must be called so by the backbone too.

    Returns:
        list of positions in backbone.labels, empty if there is none.
    """
    wanted = {word.lower() for word in _OWN.get(name, (name,))}
    return [i for i, label in enumerate(backbone.labels) if label.lower() in wanted]


def zero_shot(scores, backbone, clips):
    """Classify clips by the backbone's own classes alone: the strongest one's label wins.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        scores, backbone, clips: as embed gave and got them.

    Returns:
        DataFrame as from evaluation.predict; probabilities are shares of the strongest scores.
    """
    names = datasets.classes(clips)
    places = [own_classes(backbone, name) for name in names]
    best = np.stack([scores[:, own].max(axis=1, initial=1e-6) for own in places], axis=1)
    return evaluation.table(best / best.sum(axis=1, keepdims=True), clips, names)


def fit_head(embeddings, labels, weight=None):
    """Fit the head, a logistic regression in which each class weighs alike.

    Args:
        embeddings: float, shape (clips, values).
        labels: of the clips.
        weight: of the clips within their class, above 0; by default alike. The larger all of them
            are, the less the penalty on large coefficients counts.

    Returns:
        sklearn LogisticRegression, whose classes_ are the sorted labels.
    """
    names, place = np.unique(labels, return_inverse=True)
    weight = np.ones(len(place)) if weight is None else np.asarray(weight, float)
    of_class = np.bincount(place, weight)
    head = LogisticRegression(C=1.0, max_iter=2000)
    with threadpool_limits(1):  # on so few numbers threads take ten times as long
        balanced = weight * weight.sum() / (len(names) * of_class[place])
        return head.fit(embeddings, labels, balanced)


def cross_validate(embeddings, clips, n=5, seed=0):
    """Predict each clip by a head that was fitted on the other folds.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        embeddings, clips: as embed gave and got them.
        n, seed: of the folds.

    Returns:
        DataFrame as from evaluation.predict.
    """
    names, rows = datasets.classes(clips), pd.DataFrame(embeddings, index=clips.index)

    def learn(rest, held, _):
        head = fit_head(rows.loc[rest.index], rest.label)
        return evaluation.table(head.predict_proba(rows.loc[held.index]), held, names)

    return evaluation.out_of_fold(clips, learn, n, seed)


def sample(clips, count, seed=0):
    """Draw as many clips of each class, from as many different recordings as there are.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        clips: a catalog.
        count: clips a class.
        seed: same seed, same clips; a larger count adds to what a smaller one drew.

    Returns:
        the catalog of the clips drawn.

    Raises:
        ValueError: a class has fewer clips.
    """
    fewest = clips.label.value_counts()
    if fewest.min() < count:
        raise ValueError(f"{count} clips a class: there are only {fewest.min()} {fewest.idxmin()}")
    shuffled = clips.iloc[np.random.default_rng(seed).permutation(len(clips))]
    turn = shuffled.groupby(["label", "group"]).cumcount().to_numpy()
    return shuffled.iloc[np.argsort(turn, kind="stable")].groupby("label").head(count)


def _choose(source, data):
    """(path, why), or (None, why not)."""
    why, asked = "asked for with YAMNET", os.environ.get("YAMNET", "").strip()
    if source == "auto" and asked:
        source, why = asked, "asked for by the environment variable YAMNET"
    if source == "none":
        return None, why
    if source != "auto":
        path = Path(source).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"YAMNET {source!r} is no file found here: choose {_CHOICES}")
        return path, why
    on_disk = data / "yamnet" / "yamnet.tflite"
    if on_disk.is_file():
        return on_disk, "already on disk"
    try:
        return downloads.fetch(downloads.YAMNET, on_disk), "downloaded just now"
    except Exception as error:  # auto must end with a backbone, whatever a network does
        return None, str(error)


def _checked(path):
    known = downloads.YAMNET.sha256
    if files.digest(path) != known:
        raise ValueError(
            f"{path.name} is not Google's YAMNet (its sha256 should begin with {known[:8]}): "
            "delete it or choose another"
        )
    return path


class _Yamnet(threading.local):
    """One in each thread that asks, for an interpreter hears one frame at a time."""

    name = "YAMNet"

    def __init__(self, path):
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self.path = path
        self._net = Interpreter(
            model_content=Path(path).read_bytes(),
            num_threads=1,
            experimental_preserve_all_tensors=True,
            # the default would hand over to XNNPACK, which differs by processor
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._scores = self._net.get_output_details()[0]["index"]
        embeddings = [t for t in self._net.get_tensor_details() if list(t["shape"]) == _EMBEDDING][
            -1
        ]
        self._embedding, (self._step, self._zero) = embeddings["index"], embeddings["quantization"]
        with zipfile.ZipFile(path) as packed:  # appended to the network, in the same file
            self.labels = packed.read("yamnet_label_list.txt").decode().splitlines()

    def __call__(self, waveform):
        embeddings, scores = [], []
        for frame in frames(waveform):
            self._net.set_tensor(self._input, frame)
            self._net.invoke()
            levels = self._net.get_tensor(self._embedding).ravel().astype(np.float32)  # 8-bit steps
            embeddings.append((levels - self._zero) * np.float32(self._step))
            scores.append(self._net.get_tensor(self._scores)[0])
        return np.stack(embeddings), np.stack(scores)


class CnnBackbone:
    """A trained classifier of pictures as a backbone: called as what yamnet gives.

    Rows are loud windows of 1.5 s, embeddings what the last layer gets, scores probabilities.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        model: keras.Model, pictures (batch, 94, 64, 1) to one logit a class.
        labels: of its classes, in the order of its outputs.
    """

    name = "our CNN"

    def __init__(self, model, labels):
        from helpers.quiet import keras, tf  # YAMNet does without

        self.labels = list(labels)
        net = keras.Model(model.inputs[0], [model.layers[-1].input, model.outputs[0]])
        shape = [tf.TensorSpec((None, windows.LENGTH))]  # one graph for clips of any length
        self._net = tf.function(lambda cut: net(windows.network_input(cut)), shape, autograph=False)

    def __call__(self, waveform):
        embeddings, logits = self._net(_loud(windows.sliding(waveform))[0])
        return embeddings.numpy(), softmax(logits.numpy(), axis=1)
