"""Hundreds of broken and odd files and tables through every entrance: an answer that is right, or
the documented error with a sentence; never a traceback of another kind, a hang, a wrong answer.
"""

import contextlib
import io
import json
import sys
import tempfile
from functools import partial
from pathlib import Path

import odd_files
import pitch_classifier
import pytest
import soundfile
import tones

from helpers import audio, datasets, files, predict
from helpers.demo import answers

STATED = files.ROOT / "benchmarks" / "results" / "odd_files.json"
CLASSIFIER = pitch_classifier.classifier()
ANSWERER = answers.Answerer(CLASSIFIER)


def by_load(path):
    try:
        waveform, rate = audio.load(path)
    except audio.AudioError as error:
        return str(error)
    return CLASSIFIER.predict(waveform, rate).label


def by_classifier(path):
    try:
        return CLASSIFIER.predict(path).label
    except audio.AudioError as error:
        return str(error)


def by_command(path):
    """A line of JSON and a line of text for the file, whatever it is called."""
    load = predict.Classifier.load
    predict.Classifier.load = classmethod(lambda *_: CLASSIFIER)
    try:
        said = []
        for options in (["--json"], []):
            with (
                contextlib.redirect_stdout(io.StringIO()) as out,
                contextlib.redirect_stderr(io.StringIO()) as err,
            ):
                status = predict.main([*options, "--", str(path)])
            said.append(out.getvalue())
            assert len(err.getvalue().splitlines()) == status, err.getvalue()
    finally:
        predict.Classifier.load = load
    (line,) = map(json.loads, said[0].splitlines())
    assert len(said[1].splitlines()) == 1 - status and line["file"] == str(path)
    assert ("error" in line) == bool(status)
    return line.get("label") or line["error"]


def by_page(path):
    """As a program gets it, and, for what is refused, as the page shows it."""
    ask = answers.gr.Error
    exists = path.is_file() if len(path.name) < 256 and "\0" not in path.name else False
    content = path.read_bytes() if exists else None
    try:
        label = ANSWERER.ask(str(path))["label"]
    except ask as error:
        if content is not None:
            path.write_bytes(content)
        shown, shares, picture = ANSWERER.answer(str(path))
        assert "No answer" in shown and shares is None and not picture
        assert "<b>a" not in shown and "<img" not in shown
        return str(error.message)
    finally:
        left = path.is_file() if exists else False
        assert not left, "the upload stays"
    return label


ENTRANCES = {
    "audio.load": by_load,
    "Classifier.predict": by_classifier,
    "python -m helpers.predict": by_command,
    "the page": by_page,
}


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_every_odd_file_is_answered_rightly_or_refused_in_words(entrance):
    count, wrong = odd_files.tried(ENTRANCES[entrance])
    print(f"{entrance}: {count} odd files, {len(wrong)} not as they should be")
    assert count >= 300
    assert wrong == {}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse some names")
def test_no_name_is_left_out_where_all_can_be_written():
    called = [case.name for case in odd_files.cases() if case.what.startswith("called ")]
    assert len(called) == 47 and "a: b.wav" in called and "\udcff\udcfe.wav" in called


def test_a_name_that_the_system_refuses_is_left_out(monkeypatch):
    write = Path.write_bytes

    def refuse(path, content):
        if ":" in path.name:
            raise OSError(22, "Invalid argument")
        return write(path if path.name != "con.wav" else path.with_name("other"), content)

    monkeypatch.setattr(Path, "write_bytes", refuse)
    called = [case.name for case in odd_files.cases() if "called '" in case.what]
    assert "a b.wav" in called and "con.wav" not in called
    assert not any(":" in name for name in called)


def catalog_of_all(folder):
    """Every case in a folder of its own below one set, with good clips around; {clip: case}."""
    for label in ("cat", "dog"):
        for k in range(4):
            (folder / "good" / label).mkdir(parents=True, exist_ok=True)
            tones.write(folder / "good" / label / f"{k}.wav", 300 + 100 * k)
    made = {}
    for k, case in enumerate(odd_files.cases()):
        place = folder / f"{k}" / ("cat" if k % 2 else "dog")
        place.mkdir(parents=True)
        with contextlib.suppress(OSError, ValueError):  # a name that this system cannot hold
            case.make(place / case.name)
            made[(place / case.name).relative_to(folder).as_posix()] = case
    return made


def load_and_validate(folder, monkeypatch):
    """(number of cases, {case: what is wrong}) for the catalog of all odd files at once."""
    made = catalog_of_all(folder)
    with monkeypatch.context() as patch, odd_files.no_hang(300):
        # who is alike is another test's business, and takes its time with hundreds of one tone
        patch.setattr("helpers.datasets.catalog._groups", lambda table, _: table.index.to_numpy())
        clips = datasets.load(str(folder), quiet=True)
        kept, findings = datasets.validate(clips)
    said, wrong = findings.groupby("file").finding.first(), {}
    assert set(kept.index) == set(clips.index)
    for clip, case in made.items():
        if clip in clips.index:
            wrong[case.what] = "kept" if case.right == "refused" else None
        elif case.right == "dog" and not case.name.startswith("."):
            wrong[case.what] = f"left out: {said.get(clip)}"
        elif clip in said:
            wrong[case.what] = odd_files.fault(case, said[clip].removeprefix("left out: "))
    assert clips.duration.between(0, 1e5).all()
    assert clips.sample_rate.between(*audio.RATES).all()
    return len(made), {what: why for what, why in wrong.items() if why}


def test_every_odd_file_is_in_the_catalog_or_named(tmp_path, monkeypatch):
    count, wrong = load_and_validate(tmp_path, monkeypatch)
    print(f"datasets.load and validate: {count} odd files, {len(wrong)} not as they should be")
    assert count >= 300
    assert wrong == {}


def try_tables(folder):
    """(number of tables, {table: what is wrong}): as many clips as are right, or a ValueError."""
    wrong, tables = {}, odd_files.tables()
    tones.write(folder / "outside.wav")
    for number, (what, (name, content, right)) in enumerate(tables.items()):
        place = folder / f"{number}"
        for label in ("cat", "dog"):
            (place / label).mkdir(parents=True)
            for k in range(4):
                tones.write(place / label / f"{k}.wav", 250 + 99 * k + len(label), 0.3)
        if callable(content):
            content(place / name)
        else:
            (place / name).write_bytes(content)
        try:
            with odd_files.no_hang():
                clips = datasets.load(str(place), quiet=True)
            if right not in (None, len(clips)):
                wrong[what] = f"{len(clips)} clips, where {right} is right"
            elif not all(place in Path(path).resolve().parents for path in clips.path):
                wrong[what] = "a clip from outside the folder"
            elif len(set(clips.label)) != 2:
                wrong[what] = f"labels {set(clips.label)}"
        except ValueError as error:
            said = str(error)
            if right not in (None, "refused"):
                wrong[what] = f"refused, where {right} clips are right: {error}"
            elif type(error) is not ValueError or any(word in said for word in odd_files.EXCUSES):
                wrong[what] = f"refused without a reason for users: {error!r}"
        except Exception as error:
            wrong[what] = f"{type(error).__name__}: {error}"[:200]
    return len(tables), wrong


def test_every_odd_table_is_read_or_refused_in_words(tmp_path):
    count, wrong = try_tables(tmp_path)
    print(f"datasets.load: {count} odd tables, {len(wrong)} not as they should be")
    assert wrong == {}


def test_a_file_of_two_labels_is_told(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(4):  # each a recording of its own
            hertz = 300 + 170 * number + (85 if label == "dog" else 0)
            tones.write(tmp_path / label / f"{number}.wav", hertz)
    listed = [f"{label}/{n}.wav,{label}" for label in ("cat", "dog") for n in range(4)]
    rows = "\n".join(["file,label", *listed, "cat/0.wav,dog", "../x.wav,dog", ""])
    (tmp_path / "manifest.csv").write_text(rows)
    findings = dict(datasets.load(str(tmp_path), quiet=True).attrs["findings"])
    assert findings["cat/0.wav"] == "manifest.csv gives it two labels; the first is taken"
    assert findings["../x.wav"] == "left out: it lies outside the folder of manifest.csv"


TABLES, CATALOG = "datasets.load, of odd tables", "datasets.load and validate"


def report():
    """What each entrance makes of all cases, written down for SECURITY.md by odd_files.py."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        (Path(folder) / "tables").mkdir()
        (Path(folder) / "set").mkdir()
        tries = {name: partial(odd_files.tried, ask) for name, ask in ENTRANCES.items()}
        tries[CATALOG] = partial(load_and_validate, Path(folder) / "set", patch)
        tries[TABLES] = partial(try_tables, Path(folder) / "tables")
        for entrance, attempt in tries.items():
            count, wrong = attempt()
            found[entrance] = {"tried": count, "wrong": len(wrong)}
            print(f"{entrance}: {count} tried, {len(wrong)} not as they should be")
            print(
                "".join(f"    {what}: {why}\n" for what, why in wrong.items()), end="", flush=True
            )
    about = {"libsndfile": soundfile.__libsndfile_version__, "entrances": found}
    files.write_json(STATED, about)


def test_what_is_stated_was_tried(tmp_path):
    """SECURITY.md shows these counts; each libsndfile writes files of other kinds."""
    stated = json.loads(STATED.read_text("utf-8"))
    tried = {name: row["tried"] for name, row in stated["entrances"].items()}
    assert list(tried) == [*ENTRANCES, CATALOG, TABLES]
    assert min(tried[name] for name in tried if name != TABLES) >= 300
    assert {row["wrong"] for row in stated["entrances"].values()} == {0}
    if sys.platform == "linux" and stated["libsndfile"] == soundfile.__libsndfile_version__:
        number = len(odd_files.cases())
        assert {tried[name] for name in ENTRANCES} == {number}
        assert tried[CATALOG] == len(catalog_of_all(tmp_path))
    assert tried[TABLES] == len(odd_files.tables())
