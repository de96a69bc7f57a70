"""Any bytes, any array, any rate, any catalog: an answer in order, or the documented error."""

from pathlib import Path

import fuzz
import numpy as np
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


def test_the_fuzzer_sees_a_fault(monkeypatch, tmp_path):
    monkeypatch.setattr(audio, "load", lambda path: 1 / 0)
    assert "ZeroDivisionError" in fuzz.fault(b"", ".wav", tmp_path)
    monkeypatch.setattr(audio, "load", lambda path: (np.array([np.nan], np.float32), 16_000))
    assert "not finite" in fuzz.fault(b"", ".wav", tmp_path)
