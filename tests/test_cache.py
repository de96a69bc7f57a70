"""A kept result is used again for the same clips, settings and code, and for nothing else."""

import functools
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
import types

import numpy as np
import pandas as pd
import pytest
import sklearn.preprocessing
from lessons import ROOT

from helpers import cache, datasets, training
from helpers.quiet import keras, tf

pytestmark = pytest.mark.slow

CELL = '''
from helpers import windows

WIDTH = 4


def network(width):
    """Build it."""
    return [width] * 2  # two layers


def train():
    return network(WIDTH), windows.standardise
'''


def cell(text, name="train"):
    """A function as a cell of a notebook defines it: with its source, in the module __main__."""
    place = {"__name__": "__main__"}
    file = f"<cell {hash(text)}>"
    import linecache

    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    exec(compile(text, file, "exec"), place)
    return place[name]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("", "", True),
        ("[width] * 2", "[width] * 3", False),  # a function that is called
        ("WIDTH = 4", "WIDTH = 5", False),  # a setting
        ("network(WIDTH)", "network(WIDTH + 1)", False),
        ("windows.standardise", "windows.sliding", False),
        ('"""Build it."""', '"""Build the network."""', True),
        ('    """Build it."""\n', "", True),
        ("  # two layers", "", True),
        ("[width] * 2", "[width]  *  2", True),
        ("WIDTH = 4\n", "WIDTH = 4\nELSE = 1\n", True),  # not used
    ],
)
def test_what_a_cell_is_told_by(old, new, same):
    assert old in CELL
    assert (cache.key(cell(CELL)) == cache.key(cell(CELL.replace(old, new)))) == same


def test_the_key_is_the_same_in_another_session(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import sys
            sys.path.insert(0, {str(ROOT)!r})
            from helpers import cache, windows
            kinds = {{"one", "two", "three"}}
            class Net:
                def __init__(self): self.width = 3
            net = Net()
            def make():
                return sorted(kinds), windows.sliding, [x for x in "ab"], print, net
            print(cache.key(make, lambda: net, object()))
            """
        )
    )
    found = {
        subprocess.run(
            [sys.executable, str(program)], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(found) == 1


def closed(value):
    return lambda: value


def test_what_a_function_holds_counts():
    catalog = pd.DataFrame({"a": [1, 2]})
    pairs = [
        (1, 2),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": 2}),
        (np.arange(3), np.arange(1, 4)),
        (catalog, catalog + 1),
        (np.sum, np.max),
        (closed(1), closed(2)),
        (functools.partial(max, 1), functools.partial(max, 2)),
        (functools.partial(cell, "a"), functools.partial(closed, "a")),
        (keras.layers.Dense(2), keras.layers.Dense(3)),
        (network(2), network(3)),
        (tf.data.Dataset.range(3).batch(2), tf.data.Dataset.range(3)),
    ]
    for one, other in pairs:
        assert cache.key(closed(one)) == cache.key(closed(one))
        assert cache.key(closed(one)) != cache.key(closed(other)), one


class Twice(keras.layers.Layer):
    """A layer of the caller's own, whose body counts."""

    def call(self, x):
        return 2 * x


def twice_otherwise():
    class Twice(keras.layers.Layer):
        def call(self, x):
            return x + x + 0

    return Twice


def wired(straight):
    one, two = keras.layers.Dense(3), keras.layers.Dense(3)
    x = keras.Input((3,))
    out = two(one(x)) if straight else one(two(x))
    return keras.Model(x, out)


def compiled(loss):
    model = network(2)
    model.compile("adam", loss)
    return model


def scaler(*rows):
    return sklearn.preprocessing.StandardScaler().fit(np.array(rows)[:, None])


def limit(low):
    class Range:
        @property
        def low(self):
            return low

    return Range()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda: range(3), lambda: range(4)),
        (lambda: slice(1), lambda: slice(2)),
        (lambda: types.SimpleNamespace(a=1), lambda: types.SimpleNamespace(a=2)),
        (lambda: tf.constant([1.0]), lambda: tf.constant([2.0])),
        (lambda: np.random.default_rng(1), lambda: np.random.default_rng(2)),
        (lambda: keras.optimizers.Adam(1e-3), lambda: keras.optimizers.Adam(1e-2)),
        (
            lambda: keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
            lambda: keras.losses.CategoricalCrossentropy(label_smoothing=0.2),
        ),
        (lambda: Twice(), lambda: twice_otherwise()()),
        (lambda: compiled("mse"), lambda: compiled("mae")),
        (lambda: scaler(1.0, 2.0), lambda: scaler(1.0, 3.0)),
        (lambda: limit(1), lambda: limit(2)),
        (lambda: {1, 2}, lambda: {1, 3}),
    ],
)
def test_content_that_no_name_tells(one, other):
    assert cache.key(closed(one())) == cache.key(closed(one()))
    assert cache.key(closed(one())) != cache.key(closed(other()))


def test_the_wiring_of_a_network_counts_and_the_numbers_of_its_layers_do_not():
    def keyed(model):
        for w in model.weights:
            w.assign(np.zeros(w.shape))
        return cache.key(closed(model))

    assert keyed(wired(True)) == keyed(wired(True))
    assert keyed(wired(True)) != keyed(keras.Model(*two_branches()))
    nested = [keras.Sequential([keras.Input((3,)), wired(True)]) for _ in range(2)]
    assert keyed(nested[0]) == keyed(nested[1])


def two_branches():
    one, two, x = keras.layers.Dense(3), keras.layers.Dense(3), keras.Input((3,))
    return x, [one(x), two(x)]


WRAPPED = """
import functools


def louder(function):
    @functools.wraps(function)
    def changed(*given):
        return function(*given) + 1

    return changed


@louder
def train():
    return 2
"""


def test_what_a_decorator_does_counts():
    assert cache.key(cell(WRAPPED)) == cache.key(cell(WRAPPED))
    assert cache.key(cell(WRAPPED)) != cache.key(cell(WRAPPED.replace("+ 1", "+ 5")))


def test_equal_values_have_equal_keys_however_they_were_made():
    line = np.arange(10.0)
    loss = keras.losses.SparseCategoricalCrossentropy
    for one, other in [
        (line[::2], line[::2].copy()),
        (loss(from_logits=True), loss(from_logits=True)),
        (keras.Variable(line), keras.Variable(line)),
    ]:
        assert cache.key(closed(one)) == cache.key(closed(other))


def test_long_arrays_in_a_table_count():
    one, other = np.zeros(5000), np.zeros(5000)
    other[2500] = 1
    tables = [pd.DataFrame({"wave": [wave]}) for wave in (one, other)]
    assert cache.key(closed(tables[0])) != cache.key(closed(tables[1]))


def test_what_has_no_content_of_its_own_is_refused(tmp_path):
    with (tmp_path / "file").open("w") as file:
        named = keras.layers.Activation(closed)
        gone = pd.DataFrame({"path": [str(tmp_path / "gone.wav")]})
        for value in (file, (x for x in "ab"), threading.Lock(), named, gone):
            with pytest.raises(cache.Unkeyable):
                cache.key(closed(value))


def network(units, seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])


def test_a_network_counts_by_its_layers_and_weights_not_by_its_number():
    assert cache.key(network, network(2)) == cache.key(network, network(2))
    assert cache.key(network, network(2)) != cache.key(network, network(2, seed=1))


def test_a_function_that_calls_itself_ends():
    def fall(n):
        return fall(n - 1) if n else 0

    assert cache.key(fall) == cache.key(fall)


@pytest.fixture
def house(tmp_path):
    """A copy of this package, of which a program may change a module."""
    shutil.copytree(ROOT / "helpers", tmp_path / "helpers")

    def key(**changes):
        for module, (old, new) in changes.items():
            path = tmp_path / "helpers" / f"{module}.py"
            text = path.read_text("utf-8")
            assert old in text
            path.write_text(text.replace(old, new), "utf-8")
        program = "from helpers import cache, article\nprint(cache.key(article.train))"
        done = [sys.executable, "-c", program]
        return subprocess.run(done, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    return key


def test_the_helpers_that_are_called_count_and_their_docstrings_do_not(house):
    first = house()
    assert house(article=('"""The article', '"""Of the article')) == first
    assert house(audio=("SAMPLE_RATE = 16_000", "SAMPLE_RATE = 16_000  # Hz")) == first
    assert house(plots=("import numpy as np", "import numpy as np\nNEW = 1")) == first  # not called
    deeper = house(audio=("SAMPLE_RATE = 16_000", "SAMPLE_RATE = 22_050"))
    assert deeper != first


# ---- what it is for


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))


FIT = """
import pandas as pd
from helpers.quiet import keras


def build():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])


def train():
    return build(), pd.DataFrame({"loss": [1.0]}, index=pd.RangeIndex(1, 2, name="epoch"))
"""


def test_who_edits_the_network_gets_theirs(runs, synthetic, capsys):
    said = []
    for text in (FIT, FIT, FIT.replace("Dense(2)", "Dense(3)"), FIT):
        model, _ = training.load_or_train("net", synthetic, cell(text), seed=0)
        said.append((capsys.readouterr().out.split()[0], model.output_shape[1]))
    assert said == [("trained", 2), ("loaded", 2), ("trained", 3), ("loaded", 2)]


def test_what_cannot_be_told_is_trained_and_not_kept(runs, synthetic, capsys):
    lock = threading.Lock()

    def train():
        assert lock is not None
        return cell(FIT)()

    model, _ = training.load_or_train("net", synthetic, train)
    assert model.output_shape[1] == 2
    assert "not kept for the next time: " in capsys.readouterr().out
    assert not list(training.files.runs().rglob("*.keras"))


def test_a_script_edited_while_it_runs_is_not_what_ran(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, time\nfrom helpers import cache\n\n\ndef train():\n    return 1\n\n\n"
        "print(len(cache.key(train)))\nos.utime(__file__, (time.time() + 60,) * 2)\n"
        "cache.key(train)\n"
    )
    os.utime(script, (0, 0))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.stdout == "8\n"
    assert "script.py was edited after this session began: restart it" in done.stderr


def test_a_helper_edited_while_the_session_runs_is_not_what_ran(house, tmp_path):
    house()
    later = time.time() + 60
    program = (
        "import os; from helpers import cache, article; "
        f"os.utime('helpers/audio.py', ({later}, {later})); cache.key(article.train)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert "helpers.audio was edited after this session began: restart it" in done.stderr


def test_other_audio_under_the_same_names_is_other_clips(runs, synthetic, tmp_path, capsys):
    """Same names, labels, splits and durations."""
    clips = synthetic.head(2)
    (tmp_path / "other").mkdir()
    first, second = clips.path
    for path in (first, second):
        shutil.copy(second, tmp_path / "other" / path.split("/")[-1])
    other = clips.assign(path=[str(tmp_path / "other" / p.split("/")[-1]) for p in clips.path])
    same = clips.assign(path=[first, str(tmp_path / "other" / second.split("/")[-1])])
    assert datasets.fingerprint(clips) == datasets.fingerprint(same)
    assert datasets.fingerprint(clips) != datasets.fingerprint(other)
    for catalog in (clips, same, other):
        training.load_or_train("net", catalog, cell(FIT))
    said = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert said == ["trained", "loaded", "trained"]


def test_a_group_is_part_of_the_clips(synthetic):
    moved = synthetic.assign(group=synthetic.group.to_numpy()[::-1])
    assert datasets.fingerprint(moved) != datasets.fingerprint(synthetic)


def test_a_helper_dated_in_the_future_does_not_count_as_edited(tmp_path):
    """As files of another clock are, or of an archive: nothing tells when they were written."""
    path, now = tmp_path / "a.py", time.time()
    path.write_text("")
    os.utime(path, (now + 86_400, now + 86_400))
    cache._check_unedited(path, "a")
    for written in (now, now + 60):
        os.utime(path, (written, written))
        with pytest.raises(cache.Unkeyable, match="edited"):
            cache._check_unedited(path, "a")
