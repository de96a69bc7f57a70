"""Recordings from elsewhere, from ESC-50 and from several sources at once, against a stand-in."""

import dataclasses
import hashlib
import io
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import soundfile
from lessons import ROOT

from helpers import datasets, splits
from helpers.datasets import catalog, downloads


def sound(seed, seconds=0.5, rate=16_000):
    """The bytes of a WAV file of noise."""
    noise = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))
    written = io.BytesIO()
    soundfile.write(written, noise, rate, format="WAV")
    return written.getvalue()


class Host(BaseHTTPRequestHandler):
    """Gives what its server's `files` hold, by their addresses, and counts what is asked for."""

    def do_HEAD(self):
        self.send_error(405)

    def do_GET(self):
        content = self.server.files.get(unquote(self.path))
        self.server.asked.append(unquote(self.path))
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def host(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.files, server.asked = {}, []
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(downloads, "_GITHUB", server.address)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def stated(host, tmp_path, monkeypatch):
    """A manifest of nine files that the host has."""
    rows = []
    for k, label in enumerate(["cat", "dog", "other"] * 3):
        content, path = sound(k), f"sounds/a {label} {k}.wav"
        host.files[f"/someone/sounds/abc/{path}"] = content
        rows.append(
            {
                "file": f"{label}/{k}.wav",
                "label": label,
                "kind": f"kind {k}",
                "repository": "someone/sounds",
                "commit": "abc",
                "path": path,
                "sha256": hashlib.sha256(content).hexdigest(),
                "licence": "CC0",
                "group": f"g{k}",
                "shares_audio_with": "first" if k == 0 else None,
            }
        )
    table = pd.DataFrame(rows)
    table.to_csv(tmp_path / "stated.csv", index=False)
    monkeypatch.setattr(catalog, "_MANIFEST", tmp_path / "stated.csv")
    return table


def test_all_files_come_once_each(host, stated, tmp_path):
    clips = datasets.load("elsewhere", data=tmp_path / "data")
    assert list(clips.label) == sorted(stated.label)
    assert set(clips.source) == {"someone/sounds"}
    assert set(clips.licence) == {"CC0"}
    assert list(clips.kind[clips.label == "dog"]) == ["kind 1", "kind 4", "kind 7"]
    assert len(host.asked) == 9
    again = datasets.load("elsewhere", data=tmp_path / "data", quiet=True)
    pd.testing.assert_frame_equal(again, clips)
    assert len(host.asked) == 9


def test_what_is_gone_or_changed_is_left_out(host, stated, tmp_path, capsys, monkeypatch):
    names = sorted(host.files)
    del host.files[names[0]]
    host.files[names[3]] = sound(99)
    clips = datasets.load("elsewhere", data=tmp_path / "data")
    assert len(clips) == 7
    said = capsys.readouterr().out
    assert "left out, and tried again the next time: cat/0.wav: 404" in said
    assert (
        "tried again the next time: dog/1.wav: what its address gives today is another file" in said
    )
    assert not list((tmp_path / "data").rglob(".*"))
    host.files[names[0]] = sound(0)
    del host.asked[:]
    again = datasets.load("elsewhere", data=tmp_path / "data", quiet=True)
    assert (len(again), len(host.asked)) == (8, 2)
    monkeypatch.setattr(downloads, "_GITHUB", "http://127.0.0.1:9")
    assert len(datasets.load("elsewhere", data=tmp_path / "data", quiet=True)) == 8


def test_an_interrupted_download_goes_on(host, stated, tmp_path):
    folder = tmp_path / "data" / "elsewhere"
    downloads.fetch_files(stated.head(2), folder)
    (folder / stated.file[1]).write_bytes(b"cut off")
    del host.asked[:]
    clips = datasets.load("elsewhere", data=tmp_path / "data", quiet=True)
    assert len(clips) == 9
    assert len(host.asked) == 8


def test_a_host_that_has_nothing_is_one_sentence(host, stated, tmp_path):
    host.files.clear()
    with pytest.raises(ConnectionError, match=r"none of 9 files could be downloaded: 404.*choose"):
        datasets.load("elsewhere", data=tmp_path / "data")
    assert not (tmp_path / "data" / "elsewhere" / "manifest.csv").exists()


def test_a_copy_is_taken_by_its_path_and_a_changed_file_left_out(host, stated, tmp_path):
    datasets.load("elsewhere", data=tmp_path, quiet=True)
    (tmp_path / "elsewhere" / "dog" / "1.wav").write_bytes(sound(77))
    (tmp_path / "elsewhere" / "other" / "2.wav").unlink()
    clips = datasets.load(tmp_path / "elsewhere", quiet=True)
    assert len(clips) == 7
    assert ("other/2.wav", "missing: manifest.csv names it") in clips.attrs["findings"]
    assert ("dog/1.wav", "left out: not the file that manifest.csv names (sha256)") in (
        clips.attrs["findings"]
    )


@pytest.fixture
def home(tmp_path):
    """Two clips of one recording, of which one is cut from the other, and three others."""
    folder, wave = tmp_path / "home", soundfile.read(io.BytesIO(sound(5, 4)))[0]
    for label, name, part in (
        ("cat", "first", wave),
        ("cat", "second", wave[16_000:]),
        ("cat", "alone", soundfile.read(io.BytesIO(sound(8, 2)))[0]),
        ("dog", "third", soundfile.read(io.BytesIO(sound(6, 2)))[0]),
        ("dog", "fourth", soundfile.read(io.BytesIO(sound(7, 2)))[0]),
    ):
        (folder / label).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / label / f"{name}.wav", part, 16_000)
    return folder


def test_several_sources_are_one_catalog(host, stated, home, tmp_path):
    copy = tmp_path / "data" / "elsewhere"
    datasets.load("elsewhere", data=tmp_path / "data", quiet=True)
    soundfile.write(copy / "other/2.wav", soundfile.read(home / "dog/third.wav")[0], 16_000)
    table = pd.read_csv(copy / "manifest.csv").drop(columns="sha256")
    table.to_csv(copy / "manifest.csv", index=False)
    clips = datasets.load(f"{home}+{copy}", quiet=True)
    assert len(clips) == 14
    assert datasets.classes(clips) == ["cat", "dog", "other"]
    assert set(clips.source) == {"home", "someone/sounds"}
    group = clips.group
    assert group["home/cat/first.wav"] == group["home/cat/second.wav"]  # heard
    assert group["elsewhere/cat/0.wav"] == group["home/cat/first.wav"]  # stated
    assert group["elsewhere/other/2.wav"] == group["home/dog/third.wav"]  # heard across sources
    assert group.nunique() == 11
    assert clips.kind["home/cat/first.wav"] == "cat"


def test_a_source_leaves_as_a_whole_with_what_shares_its_audio(host, stated, home, tmp_path):
    clips = datasets.load(f"{home}+elsewhere", data=tmp_path / "data", quiet=True)
    clips = clips[clips.label != "other"]
    seen = []
    for rest, held in splits.each_fold(clips, 2, by="source"):
        seen += list(held.index)
        assert not set(rest.source) & set(held.source)
        assert not set(rest.group) & set(held.group)
        assert "elsewhere/cat/0.wav" not in rest.index
    assert sorted(seen) == sorted(clips.index)
    with pytest.raises(ValueError, match="'cat' has only 2 sources, too few for 3 folds"):
        splits.folds(clips, 3, by="source")


def esc50(rate=44_100):
    """The bytes of an archive laid out as ESC-50 is at the commit that its address names."""
    packed, rows, top = io.BytesIO(), [], f"ESC-50-{Path(downloads.ESC50.url).stem}"
    with zipfile.ZipFile(packed, "w") as archive:
        for k, category in enumerate(["dog", "cat", "rain"] * 5):
            name = f"{k % 5 + 1}-{100 + k // 2}-A-{k}.wav"
            archive.writestr(f"{top}/audio/{name}", sound(k, 5, rate))
            rows.append((name, k % 5 + 1, 0, category, False, 100 + k // 2, "A"))
        columns = ["filename", "fold", "target", "category", "esc10", "src_file", "take"]
        table = pd.DataFrame(rows, columns=columns).to_csv(index=False)
        archive.writestr(f"{top}/meta/esc50.csv", table)
    return packed.getvalue()


@pytest.fixture
def of_host(host, monkeypatch):
    place = f"/{Path(downloads.ESC50.url).name}"
    with zipfile.ZipFile(io.BytesIO(esc50())) as archive:
        clips = [archive.read(name) for name in archive.namelist() if name.endswith(".wav")]
    digests = sorted(hashlib.md5(clip).hexdigest() for clip in clips)
    there = {"sha256": hashlib.sha256("\n".join(digests).encode()).hexdigest()}
    there["url"] = host.address + place
    monkeypatch.setattr(downloads, "ESC50", dataclasses.replace(downloads.ESC50, **there))
    host.place = place
    return host


def test_esc50_is_asked_for_by_its_commit():
    assert re.search("/karolpiczak/ESC-50/archive/[0-9a-f]{40}[.]zip$", downloads.ESC50.url)


def test_other_clips_than_esc50_s_are_said_and_kept(of_host, tmp_path, capsys, monkeypatch):
    of_host.files[of_host.place] = esc50()
    datasets.load("esc50", data=tmp_path / "same", quiet=True)
    assert "not those" not in capsys.readouterr().out
    other = dataclasses.replace(downloads.ESC50, sha256="0" * 64)
    monkeypatch.setattr(downloads, "ESC50", other)
    assert len(datasets.load("esc50", data=tmp_path / "other", quiet=True)) == 15
    assert "ESC-50 are not those that this course knows: 15 files" in capsys.readouterr().out


def test_esc50_comes_with_its_official_folds(of_host, tmp_path):
    of_host.files[of_host.place] = esc50()
    clips = datasets.load("esc50:dog,cat", data=tmp_path, quiet=True)
    assert datasets.classes(clips) == ["cat", "dog"]
    assert len(clips) == 10
    assert (clips.split == np.where(clips.fold.astype(int) == 5, "test", "train")).all()
    assert clips.group.nunique() < 10
    assert all("NC" in licence for licence in clips.licence)
    with pytest.raises(ValueError, match="no class wolf: there are cat, dog, rain"):
        datasets.load("esc50:dog,wolf", data=tmp_path, quiet=True)


def test_an_archive_that_is_not_esc50_is_refused(of_host, tmp_path):
    of_host.files[of_host.place] = esc50(rate=16_000)
    with pytest.raises(ConnectionError, match="15 of 15 clips are not as stated"):
        datasets.load("esc50", data=tmp_path, quiet=True)


def test_the_committed_manifest_states_what_a_licence_asks_for():
    stated = pd.read_csv(ROOT / "data" / "elsewhere.csv")
    asked = ["file", "label", "kind", "repository", "commit", "path", "sha256", "licence", "group"]
    assert stated[asked].notna().all().all()
    assert stated.file.is_unique
    assert stated.sha256.str.fullmatch("[0-9a-f]{64}").all()
    assert stated.commit.str.fullmatch("[0-9a-f]{40}").all()
    assert not stated.licence.str.contains("NC").any()
    credited = stated[stated.licence.str.contains("BY")]
    assert credited.author.notna().all() or credited.source_url.notna().all()


# ---- what a manifest may hold, and what several sources may be called


def write(folder, rows, **columns):
    """A folder of clips and its manifest; returns the folder."""
    folder.mkdir(parents=True)
    for k, name in enumerate(rows):
        (folder / name).write_bytes(sound(k, 1))
    table = pd.DataFrame({"file": rows, "label": ["cat", "dog"] * (len(rows) // 2)} | columns)
    table.to_csv(folder / "manifest.csv", index=False)
    return folder


EIGHT = [f"{k}.wav" for k in range(8)]


def test_gaps_in_a_manifest_are_filled_or_said(tmp_path):
    clips = datasets.load(
        write(
            tmp_path / "a",
            EIGHT,
            group=["g", "g", "h", "h", "i", "i", None, None],
            sha256=[None] * 7 + ["0" * 64],
            split=["Train"] * 4 + ["TEST", "never", "val", "test"],
        ),
        quiet=True,
    )
    assert list(clips.group[:3]) == ["g", "g", "h"]
    assert clips.group["6.wav"] == "alone: 6.wav"
    assert clips.split["0.wav"] == clips.split["6.wav"] == "train"
    assert clips.split["4.wav"] == "test"
    assert not {"5.wav", "7.wav"} & set(clips.index)
    found = dict(clips.attrs["findings"])
    assert found["7.wav"] == "left out: not the file that manifest.csv names (sha256)"
    assert found["manifest.csv"] == "no split: never; say train or test"


def test_a_clip_without_a_label_is_left_out(tmp_path):
    folder = write(tmp_path / "a", EIGHT)
    table = pd.read_csv(folder / "manifest.csv")
    table.loc[0, "label"] = None
    table.to_csv(folder / "manifest.csv", index=False)
    clips = datasets.load(folder, quiet=True)
    assert ("0.wav", "left out: manifest.csv states no label") in clips.attrs["findings"]
    assert len(clips) == 7


def test_two_sources_of_one_name_are_refused(tmp_path):
    one, other = (write(tmp_path / place / "sounds", EIGHT) for place in "xy")
    with pytest.raises(ValueError, match="two sources are called sounds: rename a folder"):
        datasets.load(f"{one}+{other}", quiet=True)


def test_what_stands_on_both_sides_of_two_splits_is_in_training(tmp_path, monkeypatch):
    splits_of = ["train", "train", "test", "test"] * 2
    one = write(tmp_path / "one", EIGHT, split=splits_of)
    other = write(tmp_path / "two", EIGHT, split=splits_of[::-1])  # the same sounds, otherwise
    monkeypatch.setenv("DATASET", f"{one}+{other}")
    clips = datasets.load("auto", quiet=True)
    assert clips.groupby("group").split.nunique().max() == 1
    assert clips.attrs["findings"][-1] == (
        "all clips",
        "16 of recordings on both sides are in training",
    )


def test_stated_pairs_outlive_a_second_joining(host, stated, home, tmp_path):
    parts = [
        datasets.load(source, data=tmp_path / "data", quiet=True)
        for source in ("elsewhere", write(tmp_path / "more", EIGHT), home)
    ]
    clips = datasets.joined([datasets.joined(parts[:2]), parts[2]])
    names = {name.split("/")[-1]: name for name in clips.index}
    first = clips.group[names["first.wav"]]
    assert clips.group[next(n for n in clips.index if n.endswith("cat/0.wav"))] == first
