"""Any bytes, any array, any rate, any catalog: an answer in order, or the documented error."""

import pickle
import sys
from pathlib import Path

import fuzz
import numpy as np
import odd_files
import pandas as pd
import pitch_classifier
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from helpers import audio, datasets, predict
from helpers.datasets import folders

CLASSIFIER = pitch_classifier.classifier()
FEW = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
KINDS = ["float16", "float32", "float64", "int16", "int32", "uint8", "int8", "int64", "bool"]
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@FEW
@given(st.binary(max_size=400), st.sampled_from(audio.FORMATS), st.sampled_from(fuzz.BEGINNINGS))
def test_any_bytes(tmp_path_factory, content, ending, beginning):
    assert fuzz.fault(beginning + content, ending, tmp_path_factory.getbasetemp()) is None


@FEW
@given(
    st.sampled_from(KINDS).flatmap(
        lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, max_dims=3, max_side=40))
    ),
    st.one_of(st.none(), st.integers(-5, 10**6), st.floats()),
)
def test_any_array_at_any_rate(array, rate):
    try:
        answer = CLASSIFIER.predict(array, rate)
    except ValueError as error:
        assert str(error)
        return
    assert np.isfinite(array).all() and audio.RATES[0] <= rate <= audio.RATES[1]
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.label in ("cat", "dog", "unsure") and answer.seconds == len(array) / rate


@FEW
@given(st.lists(st.one_of(TEXT, st.sampled_from(["a.wav", "b.wav", "", ".", "\0.wav"]))))
def test_any_catalog_is_validated(tmp_path_factory, names):
    folder = tmp_path_factory.getbasetemp()
    clips = pd.DataFrame({"path": [f"{folder}/{name}" for name in names]}, dtype=object)
    kept, findings = datasets.validate(clips)
    assert len(kept) == 0 and len(findings) == len(names)


@FEW
@given(st.one_of(st.binary(max_size=200), st.lists(st.lists(TEXT, max_size=4), max_size=5)))
def test_any_table(tmp_path_factory, content):
    if isinstance(content, list):
        rows = [["file", "label"], *content]
        content = "\n".join(",".join(row) for row in rows).encode()
    path = Path(tmp_path_factory.getbasetemp(), folders.MANIFEST)
    path.write_bytes(content)
    try:
        table, _ = folders.from_manifest(path.parent)
    except ValueError as error:
        assert folders.MANIFEST in str(error)
    else:
        assert all(Path(path).is_file() for path in table.path)


@FEW
@given(TEXT)
def test_any_name_stays_on_one_line(name):
    assert len(predict._printable(name).splitlines()) <= 1


# ---- found by `make fuzz`


@pytest.mark.parametrize("path", sorted(fuzz.FOUND.glob("*.hex")), ids=lambda path: path.stem)
def test_what_the_fuzzer_found_stays_mended(path, tmp_path):
    content = bytes.fromhex(path.read_text())
    assert fuzz.fault(content, f".{path.stem.split('-')[0]}", tmp_path) is None


def test_the_fuzzer_runs_where_memory_cannot_be_bounded(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    fuzz._bounded()


STUB = """
import os, sys, time
from pathlib import Path
folder = Path(sys.argv[-1])
(folder / "now").write_bytes(b"the very bytes")
(folder / "ending").write_text(".ogg")
{does}
"""
ENDS = {
    "print(41, flush=True); print(42, flush=True); os._exit(3)": "42 ended the process (3)",
    "print(42, flush=True); time.sleep(99)": "42 ended the process (no end): not ready after",
}


@pytest.mark.parametrize("does", ENDS)
def test_the_fuzzer_keeps_the_bytes_that_end_its_process(monkeypatch, tmp_path, capsys, does):
    (tmp_path / "stub.py").write_text(STUB.format(does=does))
    monkeypatch.setattr(fuzz, "__file__", str(tmp_path / "stub.py"))
    monkeypatch.setattr(fuzz, "FOUND", tmp_path / "found")
    count, wrong = fuzz.run(tmp_path, 0, 200, seconds=5)
    (kept,) = (tmp_path / "found").glob("ogg-*.hex")
    assert bytes.fromhex(kept.read_text()) == b"the very bytes"
    assert (count, wrong) == (does.count("print"), 1) and ENDS[does] in capsys.readouterr().out


def test_a_batch_that_cannot_begin_is_told(monkeypatch, tmp_path):
    (tmp_path / "stub.py").write_text("raise SystemExit('no such module')")
    monkeypatch.setattr(fuzz, "__file__", str(tmp_path / "stub.py"))
    with pytest.raises(RuntimeError, match=r"no batch can be begun \(1\): no such module"):
        fuzz.run(tmp_path, 0, 200)


def test_the_fuzzer_damages_further_what_is_answered_in_a_new_way(monkeypatch, tmp_path):
    known, answers = tmp_path / "known.pickle", iter([(None, {n}) for n in (1, 1, 2, 2)])
    known.write_bytes(pickle.dumps(([(b"0" * 99, ".wav")], {2})))
    monkeypatch.setattr(fuzz, "tried", lambda *_: next(answers))
    monkeypatch.setattr(fuzz, "_bounded", lambda: None)
    fuzz.batch(tmp_path, 0, 4)
    seeds, seen = pickle.loads(known.read_bytes())
    assert len(seeds) == 2 and seen == {1, 2}


def test_what_is_alike_has_one_signature(tmp_path):
    def alike(content, ending=".wav"):
        return fuzz.answered(content, ending, tmp_path)[1]

    tone, rate = odd_files.pcm(), {"rate": 8_000}
    assert alike(odd_files.wav(tone)) == alike(odd_files.wav(tone[:-2]))
    assert alike(odd_files.wav(tone)) != alike(odd_files.wav(tone, **rate))
    assert alike(odd_files.wav(tone, size=10**6)) == alike(odd_files.wav(tone, size=10**7))
    assert alike(b"") != alike(b"1")


def test_the_fuzzer_sees_which_lines_an_input_reaches(tmp_path):
    before = sys.gettrace()
    whole = odd_files.wav(odd_files.pcm())
    good, cut = (fuzz.tried(content, ".wav", tmp_path)[1] for content in (whole, whole[:50]))
    assert len(good) > 20 and {name for name, *_ in good} >= {"audio.py", "soundfile.py"}
    assert any(name == "audio.py" for name, *_ in cut - good)  # that it is cut off is said
    assert sys.gettrace() is before


def test_the_fuzzer_sees_a_fault(monkeypatch, tmp_path):
    monkeypatch.setattr(audio, "load", lambda path: 1 / 0)
    assert "ZeroDivisionError" in fuzz.fault(b"", ".wav", tmp_path)
    monkeypatch.setattr(audio, "load", lambda path: (np.array([np.nan], np.float32), 16_000))
    assert "not finite" in fuzz.fault(b"", ".wav", tmp_path)
