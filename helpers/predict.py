"""Cat, dog, neither or unsure: a trained model as one object, and as a command; any classes.

`python -m helpers.predict FILE...` prints a table, with --json one line of JSON a file. Its exit
status is 1 if a file could not be read.
"""

import argparse
import json
import os
import shutil
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import audio, files
from helpers.audio import SAMPLE_RATE

# Neither TensorFlow nor Keras is imported before a .keras file asks for them: the demo page, which
# goes with the LiteRT file, starts quickly, and runs where they are not installed.
SHIPPED = files.ROOT / "data" / "pretrained" / "cat_dog_cnn.tflite"
_YAMNET = "yamnet"  # the name of a model: the course's own head on YAMNet, a network by others
# What a model's card, the JSON file beside it, may say otherwise.
_CARD = {
    "names": ["cat", "dog"],
    "other": None,  # the place among the names of the class that stands for anything else
    "other_from": 0.5,
    "temperature": 1.0,
    "unsure_below": 0.6,
    "min_seconds": 0.1,
    "silence_dbfs": -80.0,
    "window_seconds": 1.5,
    "window_hop_seconds": 0.384,
    "files": None,
    "licence": None,
}
_MOST = 6  # classes are named in a sentence; of more, the number is said
_WINDOWS = 64  # at a time: 24 s of sound, so that an hour does not fill the memory
_MAX_CHANNELS = 32


NEITHER = "neither"  # how a model calls what is of none of two classes
NONE = "none of these"  # and of more
RESERVED = frozenset({"start", "end", "level", "weight", "unsure"})  # what an answer uses itself


def check_names(names):
    """See that no class is called what an answer uses for something else, and no two alike.

    Args:
        names: of the classes.

    Raises:
        ValueError: some are; the message names them.
    """
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two classes are called {', '.join(twice)}")
    if taken := sorted(RESERVED & set(names)):
        raise ValueError(f"a class cannot be called {', '.join(taken)}, which an answer uses")


def question(names):
    """What a model of these classes answers: "Cat or dog?", "Cat, dog or neither?".

    Args:
        names: of the classes.
    """
    if len(names) > _MOST:
        return f"Which of {len(names)} sounds?"
    known, rest = _parted(names)
    asked = f"{_listed(known + rest, 'or')}?"
    return asked[:1].upper() + asked[1:]


def about(names):
    """What a user of a model of these classes has to know, in two sentences.

    Args:
        names: as question.
    """
    classes, rest = _parted(names)
    known = _listed(classes, "and")
    if len(classes) > _MOST:
        known = f"{len(classes)} sounds"
    if rest:
        return (
            f"It knows {known}, and calls anything else {rest[0]}, mostly: its figures say how "
            "often it is mistaken. Unsure is an answer, too."
        )
    return f"It knows {known} alone, and calls anything else one of them. Unsure is an answer, too."


def _listed(names, word):
    """Names in a sentence: "cat", "cat or dog", "cat, dog or neither"."""
    *rest, last = names
    return f" {word} ".join(filter(None, [", ".join(rest), last]))


def _parted(names):
    """The classes, and what stands for none of them, wherever it stands among the names."""
    known = [name for name in names if name not in (NEITHER, NONE)]
    return known, [name for name in names if name not in known]


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The answer for one clip.

    Taught in notebooks/08_demo_app.ipynb.

    Attributes:
        label: a class, which may be "neither", or "unsure".
        reason: in words, why unsure, or why neither though another class is likelier; else None.
        probabilities: dict by class, calibrated, complete also when unsure.
        timeline: DataFrame, one row a window: start and end in seconds, a column a class with its
            probability, level, its RMS (1 at full scale), and weight, its share in the answer, from
            its level (and where there is a "neither" from the odds against it).
        seconds: the clip's length.
    """

    label: str
    reason: str | None
    probabilities: dict
    timeline: pd.DataFrame
    seconds: float

    @property
    def best(self):
        """The label; when unsure, the class with the largest probability."""
        if self.label in self.probabilities:
            return self.label
        return max(self.probabilities, key=self.probabilities.get)

    def __repr__(self):
        shares = ", ".join(f"{name} {100 * p:.0f} %" for name, p in self.foremost().items())
        return f"{self.label} ({shares})" + (f": {self.reason}" if self.reason else "")

    def foremost(self, most=3):
        """The probabilities as they are, or, of more classes, the largest, falling: a dict."""
        if len(self.probabilities) <= most:
            return self.probabilities
        falling = sorted(self.probabilities, key=self.probabilities.get, reverse=True)
        return {name: self.probabilities[name] for name in falling[:most]}


class Classifier:
    """A model of waveforms and its card.

    Taught in notebooks/08_demo_app.ipynb.

    Args:
        run: float32 (1, samples) at 16 kHz to the dict of arrays that export.from_waveform names.
        card: dict; what it leaves out of names, other (the place of "neither" among them),
            other_from (probability from which it is the answer), unsure_below (probability of
            the best among the others), temperature, min_seconds, silence_dbfs (peak),
            window_seconds, window_hop_seconds, files (sha256 of those in
            training), licence, title, question, about and examples (paths of sound files, or
            "voices", the course's own) has the default, the texts one made of the names.
        network: the keras.Model behind `run`, for those who look inside; None in LiteRT.

    Raises:
        ValueError: the model takes no waveform, does not give one probability a name, or a name is
            one that an answer uses for something else.
    """

    def __init__(self, run, card=None, network=None):
        self.run, self.card, self.network = run, _CARD | (card or {}), network
        check_names(self.card["names"])
        try:
            classes = run(np.zeros((1, 1), np.float32))["probabilities"].shape[-1]
        except (MemoryError, OSError):
            raise
        except Exception as error:  # what a network of pictures says of a waveform may be anything
            raise ValueError(
                "it takes no waveform, or gives no probabilities: name a model that make model or "
                "cards.write wrote"
            ) from error
        if classes != len(self.card["names"]):
            raise ValueError(f"{classes} classes, but the card names {self.card['names']}")
        names = self.card["names"]
        ours = names[:2] == _CARD["names"] and names[2:] in ([], [NEITHER])
        texts = {
            "title": "Barks & Meows" if ours else question(names).rstrip("?"),
            "question": question(names),
            "about": about(names),
            "examples": "voices" if ours else [],
        }
        self.card = texts | self.card

    @classmethod
    def load(cls, path=None):
        """Read a model, and the card of the same name ending in .json if there is one.

        Args:
            path: of a .keras or a .tflite file, or of a folder that `make model` wrote; by default
                the model that the course ships, the .tflite of it. For a .keras file that is too
                new for the Keras at hand the .tflite beside it serves. Or "yamnet": the head that
                the course ships for YAMNet, where that is to be had.

        Raises:
            FileNotFoundError: there is no such file; the message says how to make or get it.
            ValueError: it is no model, or its card is not as one should be.
        """
        if path == _YAMNET:
            from helpers import transfer  # takes longer to import than all of the rest

            return cls(*transfer.with_head())
        path = Path(path or SHIPPED)
        asked = path
        if path.is_dir():
            path = path / "model.tflite"
        if not path.is_file():
            there = sorted(str(one.parent) for one in asked.glob("*/model.tflite"))
            say = "`make model` trains one of your own sounds"
            raise FileNotFoundError(
                f"{asked}: no such model; {'there are ' + ', '.join(there) if there else say}"
            )
        if path.suffix not in (".keras", ".tflite"):
            raise ValueError(
                f"{asked} is no model: name its folder, its .keras or its .tflite file"
            )
        card = path.with_suffix(".json")
        card = _read_card(card) if card.is_file() else {}
        network = None if path.suffix == ".tflite" else _keras(path)
        if network is None:  # or this Keras is too old for it; the other file says the same
            path = path.with_suffix(".tflite")
            if not path.is_file():
                raise ValueError(f"this Keras is too old for {asked}, and its .tflite is missing")
        try:
            return cls(network.predict_on_batch if network else _litert(path), card, network)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def predict(self, source, sample_rate=None):
        """Answer for one clip.

        Args:
            source: path of a WAV, FLAC, OGG or MP3 file; or an array, shape (samples,) or
                (samples, channels): floats with full scale at +-1, int16, int32 or uint8.
            sample_rate: Hz, of an array; a file has its own.

        Returns:
            Prediction.

        Raises:
            audio.AudioError: the file cannot be read.
            ValueError: the array is empty, not of this shape or type, or not finite, or the
                sample rate is missing or out of audio.RATES.
        """
        if isinstance(source, (str, Path)):
            waveform, rate = audio.load(source, None)
        else:
            waveform, rate = _mono(source), _checked_rate(sample_rate)
        seconds = len(waveform) / rate
        silent = self.is_silent(waveform)
        loudest = max(1.0, float(np.abs(waveform).max()))  # squares of 1e38 would overflow
        waveform = audio.resample(waveform / np.float32(loudest), rate, SAMPLE_RATE)
        answer, timeline = self._answer(waveform if len(waveform) else np.zeros(1, np.float32))
        timeline["end"] = np.minimum(timeline.end, seconds)
        probabilities = dict(zip(self.card["names"], answer.tolist()))
        label, reason = self._verdict(silent, seconds, probabilities)
        return Prediction(label, reason, probabilities, timeline, seconds)

    def is_silent(self, waveform):
        """Whether nothing in a waveform is as loud as the card's silence_dbfs.

        Args:
            waveform: float, shape (samples,), full scale at +-1.
        """
        peak = np.ptp(waveform) / 2 if len(waveform) else 0.0  # a constant makes no sound
        return bool(peak < 10 ** (self.card["silence_dbfs"] / 20))

    def predict_many(self, paths):
        """Answer for many files, as many at a time as there are cores (in Keras one).

        Args:
            paths: of files, as predict reads them.

        Yields:
            Prediction, or the audio.AudioError of a file that cannot be read, in the order given.
        """

        def answer(path):
            try:
                return self.predict(path)
            except audio.AudioError as error:
                return error

        with ThreadPoolExecutor(1 if self.network else os.cpu_count()) as pool:
            yield from pool.map(answer, paths)

    def knows(self, path):
        """Whether the model was trained on this very file, so that its answer proves nothing.

        Args:
            path: of a file; a copy in another format is not recognised.

        Returns:
            bool, or None where the card does not list the files.
        """
        known = self.card["files"]
        return None if known is None else files.digest(path) in known

    def _answer(self, waveform):
        """Run the model on stretches of a clip; join them as the model joins its windows.

        Args:
            waveform: float32, shape (samples,), 16 kHz.

        Returns:
            probabilities: float, shape (classes,).
            timeline: DataFrame as in Prediction.
        """
        length, hop = self.card["window_seconds"], self.card["window_hop_seconds"]
        step, tail = (round(n * SAMPLE_RATE) for n in (_WINDOWS * hop, length - hop))
        parts = [
            self.run(np.asarray(waveform[start : start + step + tail], np.float32)[None])
            for start in range(0, len(waveform), step)
        ]
        shares = np.concatenate([part["timeline"][0, :_WINDOWS] for part in parts])
        level = np.concatenate([part["level"][0, :_WINDOWS] for part in parts])
        # the softmax of mean logits is the same as the windows' geometric mean, scaled to sum 1
        warmth = self.card["temperature"]  # the model weighs by the logits as they were
        logits = warmth * np.log(np.maximum(shares, 1e-30, dtype=np.float64))
        weight = audio.window_weights(logits, level, self.card["other"])
        answer = weight @ logits / warmth
        answer = np.exp(answer - answer.max())
        start = np.arange(len(shares)) * hop
        timeline = pd.DataFrame({"start": start, "end": start + length})
        shares = dict(zip(self.card["names"], shares.T))
        timeline = timeline.assign(**shares, level=level, weight=weight)
        return answer / answer.sum(), timeline

    def _verdict(self, silent, seconds, probabilities):
        """The label, and in words why it is "unsure", or why what was hardly heard is "neither"."""
        card, known = self.card, dict(probabilities)
        other = None if card["other"] is None else card["names"][card["other"]]
        if silent:
            return other or "unsure", "silence: nothing in it is loud enough to be heard"
        if seconds < card["min_seconds"]:
            asked = f"less than the {card['min_seconds']:g} s asked for"
            return "unsure", f"too short: {seconds:.3f} s, {asked}"
        best = max(known, key=known.get)
        if other and known.pop(other) >= card["other_from"]:
            limit = f"{other} from {100 * card['other_from']:.0f} % on, lest other sounds be let in"
            return other, None if best == other else limit
        best = max(known, key=known.get)
        share = known[best] / max(sum(known.values()), 1e-30)  # among the classes that are known
        if share < card["unsure_below"]:
            where = "near the middle" if len(known) == 2 else "no class stands out"
            return (
                "unsure",
                f"{where}: {share:.3f}, less than the {card['unsure_below']:g} asked for",
            )
        return best, None


def _read_card(path):
    """A model's card, which may be a stranger's; its examples as paths in its folder.

    Raises:
        ValueError: it is no card; the message names the file, and what is wrong in it.
    """
    try:
        card = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no card: it cannot be read as JSON ({error})") from None
    if not isinstance(card, dict):
        raise ValueError(f"{path} is no card: it holds no names with their values")
    for name, value in card.items():
        if not _RIGHT.get(name, lambda _: True)(value):
            raise ValueError(
                f"{path}: {name} cannot be {str(value)[:60]!r}; mend it, or leave it out"
            )
    whole, folder = _CARD | card, path.parent.resolve()
    if whole["other"] is not None and whole["other"] >= len(whole["names"]):
        raise ValueError(f"{path}: other is {whole['other']}, of {len(whole['names'])} names")
    if whole["window_hop_seconds"] > whole["window_seconds"]:
        raise ValueError(f"{path}: window_hop_seconds is more than window_seconds")
    try:
        check_names(whole["names"])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if isinstance(card.get("examples"), list):
        for name in card["examples"]:
            if "\0" in name or not (folder / name).resolve().is_relative_to(folder):
                raise ValueError(f"{path}: the example {name!r} lies outside its folder")
        card["examples"] = [str(path.parent / name) for name in card["examples"]]
    return card


def _number(low, high):
    return lambda value: type(value) in (int, float) and low <= value <= high


def _texts(value):
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _line(value):
    return isinstance(value, str) and value.isprintable()


_RIGHT = {  # what a card may say
    "names": lambda value: _texts(value) and 0 < len(value) == len(set(value)),
    "other": lambda value: value is None or (type(value) is int and value >= 0),
    "other_from": _number(0, 1),
    "temperature": _number(1e-3, 1e3),
    "unsure_below": _number(0, 1),
    "min_seconds": _number(0, 1e6),
    "silence_dbfs": _number(-1e3, 1e3),
    "window_seconds": _number(0.01, 1e3),
    "window_hop_seconds": _number(0.01, 1e3),
    "files": lambda value: value is None or _texts(value),
    "licence": lambda value: value is None or _line(value),
    "title": _line,
    "question": _line,
    "about": lambda value: isinstance(value, str),
    "trained on": lambda value: isinstance(value, str),
    "examples": lambda value: value == "voices" or _texts(value),
}


def _keras(path):
    from helpers.quiet import keras

    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except TypeError:
        return None
    except Exception as error:  # what is inside may be anything
        code = "Lambda" in str(error) or "unsafe" in str(error)
        why = "it holds Python code, which is not run" if code else "Keras cannot read it"
        raise ValueError(f"{path} is refused: {why}") from error


def _litert(path):
    from ai_edge_litert.interpreter import Interpreter

    content = path.read_bytes()  # it takes no path whose letters the locale does not have
    # an interpreter answers one thread at a time: as many as are asked at once, of which those
    # are kept that the processor can use at once: each holds some megabytes
    free, most = [], os.cpu_count() or 1

    def run(waveform):
        try:
            runner = free.pop()
        except IndexError:
            runner = Interpreter(model_content=content).get_signature_runner()
        try:
            return runner(waveform=waveform)
        finally:
            if len(free) < most:
                free.append(runner)

    # Its delegate for speed, XNNPACK, says that it is there, once a process: here, and not in a
    # thread, for while stderr is away what others write there is lost.
    try:
        with files.no_stderr():
            run(np.zeros((1, 1), np.float32))
    except (ValueError, KeyError, RuntimeError) as error:
        raise ValueError(f"it is no model that takes a waveform ({error})") from error
    return run


def _mono(array):
    """An array as float32, shape (samples,), full scale at +-1, channels averaged.

    Raises:
        ValueError: see Classifier.predict.
    """
    array = np.asarray(array)
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] > _MAX_CHANNELS):
        raise ValueError(f"shape {array.shape} is neither (samples,) nor (samples, channels)")
    if not array.size:
        raise ValueError("the waveform is empty")
    if array.dtype in (np.int16, np.int32):
        array = array / -float(np.iinfo(array.dtype).min)
    elif array.dtype == np.uint8:  # as in a WAV file of 8 bits, where silence is 128
        array = array / 128 - 1
    elif not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{array.dtype} samples: give floats, int16, int32 or uint8")
    with np.errstate(over="ignore", invalid="ignore"):  # it is told below
        waveform = array.reshape(len(array), -1).mean(axis=1).astype(np.float32)
    if not np.isfinite(waveform).all():
        raise ValueError("the waveform holds NaN or infinite samples")
    return waveform


def _checked_rate(rate):
    if rate is None:
        raise ValueError("an array needs its sample_rate in Hz")
    low, high = audio.RATES
    if not low <= rate <= high:
        raise ValueError(f"sample_rate must be from {low:,} to {high:,} Hz, not {rate}")
    return rate


def _files_of(given):
    """A file as it was named; of a folder, the sound files in it."""
    if not os.path.isdir(given):
        return [given]
    inside = sorted(p for p in Path(given).glob("*") if p.suffix.lower() in audio.FORMATS)
    return list(map(str, inside)) or [given]


def _printable(name):
    """A name on one line: line ends and a terminal's commands in it are spelt out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def _fitted(line):
    """A line as it is, or, on a terminal that is narrower, broken between words."""
    columns = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or len(line) <= columns:
        return line
    rest = {"subsequent_indent": "    ", "replace_whitespace": False, "break_on_hyphens": False}
    return textwrap.fill(line, columns, **rest)


def main(arguments=None):
    """Answer for the files that the command line names; exit status 1 if one cannot be read."""
    parser = argparse.ArgumentParser(
        "python -m helpers.predict",
        description="What is heard in a sound: cat or dog, or a class of your own model.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="WAV, FLAC, OGG or MP3, or a folder of such"
    )
    parser.add_argument("--json", action="store_true", help="print a line of JSON a file")
    parser.add_argument(
        "--model", metavar="PATH", help="a model's folder, its .keras or .tflite file, or yamnet"
    )
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # a name may hold what the terminal cannot show
        with suppress(AttributeError):  # in a notebook
            stream.reconfigure(errors="backslashreplace")
    try:
        classifier = Classifier.load(options.model)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    names = [name for given in options.files for name in _files_of(given)]
    try:
        failed = _print_answers(classifier, names, options.json)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads it has read enough, as head does; at exit it is flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return int(failed)


def _print_answers(classifier, names, as_json):
    """Print a line a file; True if one could not be read."""
    width, failed = max(len(_printable(name)) for name in names), False
    long = max(map(len, ["unsure", *classifier.card["names"]]))
    for file, answer in zip(names, classifier.predict_many(names)):
        if isinstance(answer, audio.AudioError):
            reason = str(answer).removeprefix(f"{Path(file).name}: ")
            print(f"{_printable(file)}: {_printable(reason)}", file=sys.stderr)
            if as_json:  # still a line a file
                print(json.dumps({"file": file, "error": reason}))
            failed = True
            continue
        if as_json:
            fields = ("label", "best", "probabilities", "reason", "seconds")
            about = {"file": file, "known": classifier.knows(file)}
            print(json.dumps(about | {name: getattr(answer, name) for name in fields}))
        else:
            shares = answer.foremost()
            pad = long if len(shares) < len(answer.probabilities) else 0  # their order changes
            shares = "  ".join(f"{name:{pad}} {100 * p:5.1f} %" for name, p in shares.items())
            name = f"{_printable(file):{width}}"
            line = f"{name}  {answer.label:{long}}  {shares}  {answer.seconds:6.1f} s"
            known = "was in the training: proves nothing" if classifier.knows(file) else ""
            print(_fitted(f"{line}  {answer.reason or known}".rstrip()))
    return failed


if __name__ == "__main__":
    sys.exit(main())
