"""A long training that was killed goes on after its last epoch, to the same weights."""

import hashlib
import json
import zipfile
from contextlib import suppress

import numpy as np

from helpers import files
from helpers.quiet import keras

_LONG = 1_000  # steps: what takes fewer is done again sooner than it is looked after
_MOST = 16  # files, of a megabyte or two each, of trainings that were not taken up again


class Resume(keras.callbacks.Callback):
    """Keep all that a training has come to, after each epoch, until `done`.

    In one file of the folder that runs leave behind, named by what decides the training: its
    settings, its first weights and what is drawn from. A training of the same begins there. Where
    nobody trains the same again the file stays, until others have left _MOST newer ones.

    Args:
        network: compiled, with its optimizer built, as it stands before its first step.
        steps: of the whole training; where they are fewer than _LONG nothing is kept.
        facts: what else decides the training: arrays, and what repr tells apart.

    Attributes:
        epoch: the epochs that are behind it: 0, or those of the one that was killed.
        past: {measure: its value after each epoch}.
    """

    def __init__(self, network, steps, *facts):
        super().__init__()
        self._state = [*network.variables, *network.optimizer.variables]
        self.epoch, self.past, self._path = 0, {}, None
        if steps < _LONG:
            return
        content = hashlib.sha256()
        for fact in (steps, *facts, *self._state):
            known = np.asarray(fact) if hasattr(fact, "shape") else None
            content.update(repr(fact).encode() if known is None else known.tobytes())
        self._path = files.runs() / "unfinished" / f"{content.hexdigest()[:16]}.npz"
        self._take_up()
        if not self.epoch:
            _tidy(self._path.parent)

    def _take_up(self):
        with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):  # none, or a broken one
            with np.load(self._path) as kept:
                values = [kept[str(number)] for number in range(len(self._state))]
                epoch, past = int(kept["epoch"]), json.loads(str(kept["past"]))
            for variable, value in zip(self._state, values):
                variable.assign(value)
            self.epoch, self.past = epoch, past

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras."""
        for name, value in (logs or {}).items():
            self.past.setdefault(name, []).append(float(value))
        if self._path is None:
            return
        values = {str(number): np.asarray(one) for number, one in enumerate(self._state)}
        about = {"epoch": epoch + 1, "past": json.dumps(self.past)}
        # a full disk ends no training
        with suppress(OSError), files.atomic(self._path) as part, part.open("wb") as opened:
            np.savez(opened, **about, **values)

    def done(self):
        """Let go of the file: the training has come to its end."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _tidy(folder):
    """Remove the oldest files, so that with the next one there are no more than _MOST.

    What a killed write left beside them, of that age or older, goes too. Where another process
    still wrote to one, its training goes on, and writes it anew.
    """
    ages = {}
    for path in folder.glob("*.npz*"):
        with suppress(OSError):  # another process tidies up too
            ages[path] = path.stat().st_mtime
    whole = sorted((ages[path] for path in ages if path.name[0] != "."), reverse=True)
    for path in ages:
        if len(whole) >= _MOST and ages[path] <= whole[_MOST - 1]:
            with suppress(OSError):  # or holds it open
                path.unlink()
