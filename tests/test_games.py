"""The sounds of free games that the shipped model learns from: read from stand-ins of packages."""

import hashlib
import io
import sys
import tarfile
import zipfile

import numpy as np
import pytest
import requests
import soundfile as sf

from helpers.files import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import games


def _sound(seconds, seed=0):
    wave, opened = np.random.default_rng(seed).normal(0, 0.1, round(seconds * 8_000)), io.BytesIO()
    sf.write(opened, wave, 8_000, format="WAV")
    return opened.getvalue()


def _tar(members):
    opened = io.BytesIO()
    with tarfile.open(fileobj=opened, mode="w:xz") as packed:
        for name, content in members.items():
            about = tarfile.TarInfo(f"./{name}")
            about.size = len(content)
            packed.addfile(about, io.BytesIO(content))
    return opened.getvalue()


def _package(path, members):
    """A Debian package: three members behind headers of 60 bytes, odd ones padded to even."""
    with path.open("wb") as opened:
        opened.write(b"!<arch>\n")
        parts = {"debian-binary": b"2.0", "control.tar.xz": _tar({}), "data.tar.xz": _tar(members)}
        for name, content in parts.items():
            opened.write(
                f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
            )
            opened.write(content + b"\n" * (len(content) % 2))
    return path


@pytest.fixture
def packages(tmp_path, monkeypatch):
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as packed:
        packed.writestr("audio/sea/wave.wav", _sound(1, 7))
        packed.writestr("art/wave.wav", _sound(1, 8))
    made = {
        "plain": _package(
            tmp_path / "plain.deb",
            {
                "usr/s/steps/grass.wav": _sound(1, 1),
                "usr/s/steps/again.wav": _sound(1, 1),
                "usr/s/voices/catapult_ready.WAV": _sound(2, 2),
                "usr/s/voices/guard_dog.wav": _sound(1, 3),
                "usr/s/wolves/one.wav": _sound(1, 4),
                "usr/s/music/theme.wav": _sound(11, 5),
                "usr/s/steps/broken.wav": b"RIFF and no more",
                "usr/s/steps/readme.txt": b"no sound",
                "usr/other/steps.wav": _sound(1, 6),
            },
        ),
        "zipped": _package(tmp_path / "zipped.deb", {"usr/mods/public.zip": zipped.getvalue()}),
    }
    asked = []

    def retrieve(url, known_hash, fname, path, **_):
        assert path == tmp_path / "kept" and url.endswith(f"/{fname}")
        asked.append((url, known_hash))
        return made[fname.removesuffix(".deb")]

    monkeypatch.setattr(games.pooch, "retrieve", retrieve)
    monkeypatch.setattr(games.out_of_fold, "KEPT", tmp_path / "kept")
    about = {"licence": "CC BY-SA 3.0", "credit": "nobody"}
    monkeypatch.setattr(
        games,
        "GAMES",
        {
            "Plain": games.Game("p/plain.deb", "12", "usr/s/", "", **about),
            "Zipped": games.Game("z/zipped.deb", "34", "audio/", "public.zip", **about),
        },
    )
    return asked


def test_short_sounds_that_are_no_kin_of_cats_and_dogs(packages):
    clips = games.games()
    assert [*clips.index] == [
        "Plain/steps/grass.wav",
        "Plain/voices/catapult_ready.WAV",
        "Zipped/sea/wave.wav",
    ]
    assert set(clips.label) == {"other"} and [*clips.source] == ["Plain", "Plain", "Zipped"]
    assert [*clips.kind] == ["steps", "voices", "sea"] and clips.group.nunique() == 3
    assert set(clips.licence) == {"CC BY-SA 3.0"}
    assert packages == [
        (f"{games.POOL}/p/plain.deb", "sha256:12"),
        (f"{games.POOL}/z/zipped.deb", "sha256:34"),
    ]


def test_what_lies_in_elsewhere_too_is_left_out(packages, monkeypatch):
    digest = hashlib.sha256(_sound(1, 7)).hexdigest()
    monkeypatch.setattr(games, "_ALSO_ELSEWHERE", (digest,))
    assert [*games.games().index] == ["Plain/steps/grass.wav", "Plain/voices/catapult_ready.WAV"]


def test_a_package_that_left_the_pool_comes_from_the_archive(packages, monkeypatch):
    pool = games.pooch.retrieve

    def retrieve(url, *args, **kwargs):
        if url.startswith(games.POOL):
            raise requests.HTTPError("404 Client Error: Not Found")
        return pool(url, *args, **kwargs)

    monkeypatch.setattr(games.pooch, "retrieve", retrieve)
    assert len(games.games()) == 3
    assert packages[0] == (f"{games.ARCHIVE}/p/plain.deb", "sha256:12")


def test_an_archive_within_is_not_read_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(games.out_of_fold, "KEPT", tmp_path)  # /tmp may be memory, too

    class Large(io.BytesIO):
        def read(self, size=-1):
            assert 0 <= size <= 2**20
            return super().read(size)

    zipped, game = io.BytesIO(), games.GAMES["0 A.D."]
    with zipfile.ZipFile(zipped, "w") as packed:
        packed.writestr("audio/sea/wave.wav", b"sound")
    assert [*games._zipped(Large(zipped.getvalue()), game)] == [("audio/sea/wave.wav", b"sound")]


def test_they_are_unpacked_once_and_whole_or_not_at_all(packages, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setitem(games.GAMES, "Zipped", games.GAMES["Zipped"]._replace(package="none.deb"))
        with pytest.raises(KeyError):
            games.games()
    assert not (games.out_of_fold.KEPT / "games").exists()
    first = games.games()
    asked = len(packages)
    assert games.games().equals(first) and len(packages) == asked


def test_every_package_lets_a_model_of_it_ship():
    import pandas as pd
    import sources_left_out

    about = pd.DataFrame([game._asdict() for game in games.GAMES.values()])
    assert sources_left_out.may_ship(about).all()
    assert about.sha256.str.fullmatch("[0-9a-f]{64}").all() and about.credit.all()
