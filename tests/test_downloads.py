"""The one downloader against a host of this machine: whole and the right one, or not at all."""

import contextlib
import dataclasses
import hashlib
import io
import os
import signal
import socket
import tarfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from helpers import datasets, files
from helpers.datasets import downloads

CONTENT = {"data/cat/a.wav": b"meow" * 1000, "data/dog/b.wav": b"woof", "split.csv": b"cat,dog"}


def _zip(content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return packed.getvalue()


def _tar(content):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


class _Host(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_error(405)  # a refusal is an answer

    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
        elif self.path == "/gone":
            self.send_error(404)
        elif self.path == "/stalls":
            self._begin()
            self.wfile.flush()
            self.server.over.wait()
        else:
            self._begin()
            half = len(self.server.body) // 2 if self.path == "/truncated" else None
            self.wfile.write(self.server.body[:half])

    def _begin(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def host(monkeypatch):
    """A host whose `body` is sent from /whole; the environment's proxy is not asked for it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    server.body, server.over = _zip(CONTENT), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


def _download(host, path="/whole", **changes):
    address = f"http://127.0.0.1:{host.server_port}{path}"
    wavs = [data for name, data in CONTENT.items() if name.endswith(".wav")]
    same = _sha256("\n".join(sorted(map(_sha256, wavs))).encode())
    download = downloads._Download("The test's clips", address, "*.wav", same, False, "CC0")
    return dataclasses.replace(download, **changes)


def _all(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("path", ["/whole", "/moved"])
@pytest.mark.parametrize("pack", [_zip, _tar])
def test_a_folder_is_kept_whole(host, tmp_path, capsys, pack, path):
    host.body = pack(CONTENT)
    target = tmp_path / "deep" / "clips"
    assert downloads.fetch(_download(host, path), target) == target
    assert _all(tmp_path / "deep") == {f"clips/{name}": data for name, data in CONTENT.items()}
    assert capsys.readouterr() == ("", "")


def test_of_a_single_file_nothing_else_is_kept(host, tmp_path):
    host.body = _tar({"1.tflite": b"a network", "notes.txt": b"about it"})
    asked = _download(host, pattern="*.tflite", sha256=_sha256(b"a network"), single=True)
    downloads.fetch(asked, tmp_path / "own.tflite")
    assert _all(tmp_path) == {"own.tflite": b"a network"}


def test_other_recordings_are_kept_and_it_is_said(host, tmp_path, capsys):
    host.body = _zip({**CONTENT, "data/dog/c.wav": b"new"})
    downloads.fetch(_download(host), tmp_path / "clips")
    assert len(_all(tmp_path)) == 4
    assert "3 files came whose contents are others" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_what_a_killed_download_left_the_next_one_removes(host, tmp_path):
    child = os.fork()
    if child == 0:
        downloads.fetch(_download(host, "/stalls"), tmp_path / "clips")
    while not list(tmp_path.glob(".*/archive")):
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    downloads.fetch(_download(host), tmp_path / "clips")
    assert {path.name for path in tmp_path.iterdir()} == {"clips"}


def test_what_another_process_has_downloaded_meanwhile_stays(host, tmp_path, monkeypatch):
    """A reader may be in it; what lay there before is replaced."""
    target, unpack = tmp_path / "clips", downloads._unpack
    target.mkdir()
    (target / "old").touch()

    def and_another(archive, folder):
        unpack(archive, folder)
        if not (target / "theirs").exists():
            with files.atomic(target) as part:
                part.mkdir()
                (part / "theirs").touch()

    monkeypatch.setattr(downloads, "_unpack", and_another)
    downloads.fetch(_download(host), target)
    assert _all(tmp_path) == {"clips/theirs": b""}
    downloads.fetch(_download(host), target)
    assert "clips/data/cat/a.wav" in _all(tmp_path)


@pytest.mark.parametrize(
    ("body", "changes", "reason"),
    [
        (_zip(CONTENT), {"path": "/gone"}, "404"),
        (_zip(CONTENT), {"path": "/truncated"}, "IncompleteRead"),
        (_zip({"a.wav": b"other"}), {"single": True}, "is not The test's clips.*sha256"),
        (_zip({"notes.txt": b""}), {}, r"held no \*\.wav"),
        (b"<html>please log in</html>", {}, "not a zip file"),
    ],
    ids=["gone", "truncated", "wrong checksum", "empty", "no archive"],
)
def test_what_is_not_whole_or_not_right_leaves_nothing(host, tmp_path, body, changes, reason):
    host.body = body
    old = tmp_path / "clips"
    old.write_text("the old content")
    with pytest.raises(
        ConnectionError, match=f"the download of The test's clips failed: .*{reason}"
    ):
        downloads.fetch(_download(host, **changes), old)
    assert _all(tmp_path) == {"clips": b"the old content"}


def _hostile_tar(**facts):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for key, value in facts.items():
            entry = tarfile.TarInfo("a.wav")
            setattr(entry, key, value)
            archive.addfile(entry)
        archive.addfile(tarfile.TarInfo("b.wav"))
    return packed.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        _zip({"../out.wav": b"x"}),
        _zip({"/../../../out.wav": b"x"}),
        _zip({"a/../../../out.wav": b"x"}),
        _zip({"..\\out.wav": b"x"}),
        _tar({"../out.wav": b"x"}),
        _tar({"/out.wav": b"x"}),
        _hostile_tar(name="a/../../../out.wav"),
        _hostile_tar(type=tarfile.SYMTYPE, linkname="../../../out.wav"),
        _hostile_tar(type=tarfile.LNKTYPE, linkname="/etc/hosts"),
        _hostile_tar(type=tarfile.CHRTYPE),
        _hostile_tar(type=tarfile.FIFOTYPE),
    ],
    ids=range(11),
)
def test_no_archive_leaves_its_folder(host, tmp_path, body):
    """Whatever its names and links say: it is refused, or lands inside."""
    host.body, inner = body, tmp_path / "a" / "b"
    with contextlib.suppress(ConnectionError):
        downloads.fetch(_download(host), inner / "clips")
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert all(name in ("a", "a/b") or name.startswith("a/b/clips") for name in there)
    assert all(path.is_dir() or path.is_file() for path in inner.rglob("*"))
    assert not any(path.is_symlink() for path in inner.rglob("*"))


@pytest.mark.parametrize("pack", [_zip, _tar])
def test_an_archive_that_would_fill_the_disk_is_not_unpacked(host, tmp_path, monkeypatch, pack):
    """30 MB of zeros are packed into some kB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", bytes(30_000_000))
    host.body = packed.getvalue() if pack is _zip else _tar({"a.wav": bytes(30_000_000)})
    assert len(host.body) < 100_000
    monkeypatch.setattr(downloads, "_MOST", 20_000_000)
    monkeypatch.setattr(zipfile.ZipFile, "extractall", lambda *_: pytest.fail("it was unpacked"))
    monkeypatch.setattr(tarfile.TarFile, "extractall", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(ConnectionError, match="has more than the 20 MB that there is room for"):
        downloads.fetch(_download(host), tmp_path / "clips")
    assert _all(tmp_path) == {}


def test_a_download_that_does_not_end_is_cut(host, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_MOST", 1_000_000)
    host.body = bytes(3_000_000)
    with pytest.raises(ConnectionError, match="more than 1 MB were sent"):
        downloads.fetch(_download(host), tmp_path / "clips")
    assert _all(tmp_path) == {}


def test_a_manifests_names_do_not_lead_out_of_the_folder(host, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_GITHUB", f"http://127.0.0.1:{host.server_port}")
    monkeypatch.setattr(downloads, "_MOST_OF_A_FILE", 10)
    row = {"repository": "a", "commit": "b", "path": "c.wav", "sha256": "0"}
    names = ["../out.wav", str(tmp_path / "out.wav"), "in.wav"]
    rows = pd.DataFrame([row | {"file": name} for name in names])
    with pytest.raises(ConnectionError, match=r"none of 3 files.*its name leads out of the folder"):
        downloads.fetch_files(rows, tmp_path / "clips")
    reasons = [downloads._fetch_file(row, tmp_path / "clips") for row in rows.itertuples()]
    assert "leads out" in reasons[0] and "leads out" in reasons[1] and "more than" in reasons[2]
    assert _all(tmp_path) == {}


def test_a_download_that_stalls_is_given_up(host, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_SILENCE", 0.2)
    with pytest.raises(ConnectionError, match="timed out"):
        downloads.fetch(_download(host, "/stalls"), tmp_path / "clips")
    assert not list(tmp_path.iterdir())


def test_a_host_that_never_answers_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/whole"
        asked = dataclasses.replace(downloads.RECORDINGS, url=url)
        with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:\d+ cannot be reached"):
            downloads.fetch(asked, tmp_path / "clips")
    assert not list(tmp_path.iterdir())


def test_the_wait_is_limited_even_where_the_look_up_hangs(monkeypatch):
    asked, over = threading.Event(), threading.Event()

    def hang(*_, **__):
        asked.set()
        over.wait()
        raise OSError("given up")

    monkeypatch.setattr("urllib.request.urlopen", hang)
    with pytest.raises(ConnectionError, match=r"no answer within 0\.2 s"):
        downloads._check_connection("http://example.invalid/whole", seconds=0.2)
    assert asked.is_set()
    over.set()


def test_where_somebody_can_see_it_there_is_a_bar(host, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    downloads.fetch(_download(host), tmp_path / "clips")
    assert "The test's clips" in capsys.readouterr().err


def test_the_checksum_is_of_contents_whatever_their_names(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"1")
    two.write_bytes(b"2")
    assert downloads._checksum([one]) == files.digest(one)
    assert downloads._checksum([one, two]) == downloads._checksum([two, one])
    assert downloads._checksum([one, two]) != downloads._checksum([one, one])


def test_md5_is_asked_for_where_a_system_allows_it_for_no_secrets_alone(tmp_path, monkeypatch):
    new = hashlib.new

    def strict(name, data=b"", *, usedforsecurity=True):
        if name == "md5" and usedforsecurity:
            raise ValueError("[digital envelope routines] unsupported")
        return new(name, data, usedforsecurity=usedforsecurity)

    (tmp_path / "one").write_bytes(b"1")
    monkeypatch.setattr(hashlib, "new", strict)
    found = downloads._checksum([tmp_path / "one"], "md5")
    assert found == new("md5", b"1", usedforsecurity=False).hexdigest()


@pytest.mark.recordings
def test_the_checksum_of_the_real_recordings(recordings):
    clips = datasets.load(recordings, quiet=True)
    assert downloads._checksum(list(clips.path)) == downloads.RECORDINGS.sha256
