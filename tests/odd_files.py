"""Broken and odd files, hundreds of them, and what each entrance may say to them.

    python tests/odd_files.py    counts by entrance, and each case that is not as it should be;
                                 kept in benchmarks/results, shown in SECURITY.md by tables.py

A case is a file and what is right: "dog", for all of them hold a tone of 440 Hz which the tests'
classifier calls so; "refused", with a sentence; or "either", where a file is damaged in a way that
a decoder may overcome, and where it answers it must be "dog" or "unsure". "any" is for bytes turned
at random: whatever is answered, it must be an answer.
"""

import os
import shutil
import signal
import socket
import struct
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import tones

from helpers import audio

SECONDS = 0.5
# What no sentence for a user may hold: libsndfile's own excuses, and the words of a traceback.
EXCUSES = (
    "regular file",
    "System error",
    "nternal",
    "Unspecified",
    "Traceback",
    "Errno",
    "object at 0x",
)
WRITTEN = {  # formats whose files are cut, and have bytes turned
    "PCM": (".wav", {}),
    "float": (".wav", {"subtype": "FLOAT"}),
    "extensible": (".wav", {"format": "WAVEX", "channels": 2}),
    "ADPCM": (".wav", {"subtype": "IMA_ADPCM"}),
    "RF64": (".wav", {"format": "RF64"}),
    "FLAC": (".flac", {}),
    "Vorbis": (".ogg", {"format": "OGG", "subtype": "VORBIS"}),
    "Opus": (".ogg", {"format": "OGG", "subtype": "OPUS", "rate": 48_000}),
    "MP3": (".mp3", {"rate": 44_100}),
}
_HEADERS = {"PCM", "float", "extensible", "ADPCM", "RF64"}  # no checksum tells of turned bytes


@dataclass(frozen=True)
class Case:
    """One odd file: what is odd, its name, how it is made at a path, and what is right."""

    what: str
    name: str
    make: Any
    right: str


def cases():
    """Every case, in a fixed order."""
    found = [
        *_subtypes(),
        *_rates(),
        *_channels(),
        *_cut(),
        *_turned(),
        *_headers(),
        *_samples(),
        *_no_sound(),
        *_kinds(),
        *_names(),
    ]
    assert len({case.what for case in found}) == len(found)
    return found


def wav(data, *, rate=16_000, channels=1, tag=1, bits=16, align=None, **lies):
    """The bytes of a WAV file, whose header may lie.

    Args:
        data: bytes of samples.
        rate, channels, tag, bits, align: as its header states them.
        lies: riff, fmt, size: the lengths that it states; before, after: bytes around the data.
    """
    align = channels * bits // 8 if align is None else align
    pack = struct.pack
    head = pack("<HHIIHH", tag, channels, rate, rate * align % 2**32, align % 2**16, bits)
    body = b"WAVEfmt " + pack("<I", lies.get("fmt", 16)) + head + lies.get("before", b"")
    body += b"data" + pack("<I", lies.get("size", len(data))) + data + lies.get("after", b"")
    return b"RIFF" + pack("<I", lies.get("riff", len(body))) + body


def pcm(seconds=SECONDS, rate=16_000, channels=1):
    """The tone as int16 bytes."""
    samples = np.round(32_767 * tones.tone(440, seconds, rate=rate)).astype("<i2")
    return np.repeat(samples, channels).tobytes()


def _bytes(content):
    return lambda path: path.write_bytes(content)


def _tone(**options):
    return lambda path: tones.write(path, 440, SECONDS, **options)


def _whole(name):
    """The bytes of a good file in one of the formats."""
    ending, options = WRITTEN[name]
    with tempfile.TemporaryDirectory() as folder:
        return tones.write(Path(folder, f"a{ending}"), 440, SECONDS, **options).read_bytes()


def whole_files():
    """{name: bytes} of a good file in each of the formats."""
    return {name: _whole(name) for name in WRITTEN}


def _subtypes():
    """All that libsndfile writes, under a name that the course reads: it goes by the content."""
    for form in soundfile.available_formats():
        for subtype in soundfile.available_subtypes(form):
            if not soundfile.check_format(form, subtype):
                continue
            rate = 48_000 if subtype == "OPUS" else 8_000 if "G72" in subtype else 16_000
            options = {"format": form, "subtype": subtype, "rate": rate}

            def make(path, options=options):
                with suppress(soundfile.LibsndfileError):  # some are begun, and then not written
                    tones.write(path, 440, SECONDS, **options)

            right = {"RAW": "refused", "XI": "any"}.get(form, "either")  # an XI has no sample rate
            if form in ("WAV", "WAVEX", "FLAC", "OGG") and "MPEG" not in subtype:
                right = "dog"
            yield Case(f"{form} {subtype}", "a.wav", make, right)


def _rates():
    for rate in (1, 2, 10, 100, 500, 999, 1_000, 2_000, 4_000, 8_000, 11_025, 12_000, 16_000,
                 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 384_000,
                 768_000, 768_001, 1_000_000):  # fmt: skip
        right = "dog" if audio.RATES[0] <= rate <= audio.RATES[1] else "refused"
        yield Case(f"{rate} Hz", "a.wav", _bytes(wav(pcm(rate=max(rate, 16)), rate=rate)), right)
        if rate <= 655_350:
            yield Case(f"FLAC of {rate} Hz", "a.flac", _tone(rate=rate), right)
    for rate in (0, 2**31 - 1, 2**31, 2**32 - 1):
        yield Case(f"header of {rate} Hz", "a.wav", _bytes(wav(pcm(), rate=rate)), "refused")


def _channels():
    for count in (1, 2, 3, 4, 5, 6, 8, 9, 16, 32, 33, 64, 255, 256, 1_000, 1_024):
        content = wav(pcm(0.2, channels=count), channels=count)
        yield Case(f"{count} channels", "a.wav", _bytes(content), "dog")
    for count in (0, 1_025, 4_096, 32_768, 65_535):
        yield Case(f"header of {count} channels", "a.wav", _bytes(wav(pcm(), channels=count)),
                   "refused")  # fmt: skip
    for count in (3, 8):
        yield Case(f"FLAC of {count} channels", "a.flac", _tone(channels=count), "dog")


def _cut():
    for name, (ending, _) in WRITTEN.items():
        whole = _whole(name)
        for end in (1, 4, 11, 12, 20, 35, 43, 44, 60, 100, -1):
            yield Case(f"{name} cut at {end}", f"a{ending}", _bytes(whole[:end]), "either")
        for share in (0.25, 0.5, 0.93):
            end = int(share * len(whole))
            yield Case(f"{name} cut at {share:.0%}", f"a{ending}", _bytes(whole[:end]), "refused")
        yield Case(f"{name} without its first 50 bytes", f"a{ending}", _bytes(whole[50:]), "either")
        right = "refused" if ending in (".ogg", ".mp3") else "either"
        yield Case(f"{name} twice", f"a{ending}", _bytes(2 * whole), right)
        right = "either" if name == "FLAC" else "dog"
        yield Case(f"{name} and 1,000 zeros", f"a{ending}", _bytes(whole + bytes(1_000)), right)


def _turned():
    for name, (ending, _) in WRITTEN.items():
        whole = _whole(name)
        for seed in range(8):
            rng = np.random.default_rng(seed)
            content = bytearray(whole)
            for at in rng.integers(0, 120 if seed < 5 else len(whole), 1 + 3 * seed):
                content[at] ^= 1 << rng.integers(8)
            yield Case(f"{name} with bits turned, {seed}", f"a{ending}", _bytes(content), "any")


def _headers():
    data = pcm()
    lies = {
        "RIFF length 0": ({"riff": 0}, "dog"),
        "RIFF length unknown": ({"riff": 2**32 - 1}, "dog"),
        "RIFF length negative": ({"riff": 2**31}, "dog"),
        "RIFF length 7": ({"riff": 7}, "dog"),
        "data length 0": ({"size": 0}, "either"),
        "data length unknown": ({"size": 2**32 - 1}, "dog"),
        "data length negative": ({"size": 2**31}, "dog"),
        "data length of SoX in a pipe": ({"size": 0x7FFFF000, "riff": 0x7FFFF024}, "dog"),
        "data length that counts the header": ({"size": len(data) + 44}, "dog"),
        "data of an hour": ({"size": 3_600 * 32_000}, "refused"),
        "odd data length": ({"size": len(data) - 1}, "dog"),
        "fmt length 0": ({"fmt": 0}, "refused"),
        "fmt length 15": ({"fmt": 15}, "refused"),
        "fmt length unknown": ({"fmt": 2**32 - 1}, "refused"),
        "0 bits": ({"bits": 0}, "either"),
        "1 bit": ({"bits": 1}, "any"),
        "7 bits": ({"bits": 7}, "any"),
        "12 bits": ({"bits": 12}, "any"),
        "64 bits": ({"bits": 64}, "either"),
        "255 bits": ({"bits": 255}, "either"),
        "block of 0": ({"align": 0}, "either"),
        "block of 65,535": ({"align": 65_535}, "either"),
        "format 0": ({"tag": 0}, "refused"),
        "format 0x1234": ({"tag": 0x1234}, "refused"),
        "MP3 in a WAV header": ({"tag": 0x55}, "either"),
        "extensible without its extension": ({"tag": 0xFFFE}, "either"),
        "float of 16 bits": ({"tag": 3}, "either"),
        "junk before the data": ({"before": b"JUNK\x03\0\0\0abc\0"}, "dog"),
        "an hour of junk": ({"before": b"JUNK\xff\xff\xff\x7f"}, "refused"),
        "50 lists": ({"before": b"LIST\x04\0\0\0INFO" * 50}, "dog"),
        "junk after the data": ({"after": b"junk" * 99}, "dog"),
        "a second data chunk": ({"after": b"data\x04\0\0\0\xff\x7f\xff\x7f"}, "either"),
    }
    for what, (lie, right) in lies.items():
        yield Case(what, "a.wav", _bytes(wav(data, **lie)), right)
    yield Case("no data chunk", "a.wav", _bytes(wav(data).replace(b"data", b"dada")), "refused")
    yield Case("no fmt chunk", "a.wav", _bytes(wav(data).replace(b"fmt ", b"fmx ")), "refused")
    yield Case("RIFX", "a.wav", _bytes(wav(data).replace(b"RIFF", b"RIFX")), "refused")
    yield Case("AVI", "a.wav", _bytes(wav(data).replace(b"WAVE", b"AVI ")), "refused")
    yield Case("header alone", "a.wav", _bytes(wav(b"")), "refused")
    yield Case("half a sample", "a.wav", _bytes(wav(b"\1")), "refused")
    yield Case("one sample", "a.wav", _bytes(wav(b"\1\1")), "either")
    whole = bytearray(_whole("FLAC"))
    for what, length in (("unknown", 0), ("an hour", 57_600_000), ("1,193 hours", 2**36 - 1),
                         ("a tenth", 800)):  # fmt: skip
        content = whole.copy()
        content[21] = content[21] & 0xF0 | length >> 32
        content[22:26] = (length % 2**32).to_bytes(4, "big")
        right = "either" if what in ("unknown", "a tenth") else "refused"
        yield Case(f"FLAC whose length is {what}", "a.flac", _bytes(content), right)
    content = whole.replace(b"fLaC", b"fLaX")
    yield Case("FLAC with another magic", "a.flac", _bytes(content), "refused")
    yield Case("ID3 before FLAC", "a.flac", _bytes(b"ID3\3\0\0\0\0\0\0" + whole), "either")
    tag = b"ID3\3\0\0\0\0\x07\x76" + bytes(1_014)
    yield Case("MP3 with a large tag", "a.mp3", _bytes(tag + _whole("MP3")), "dog")
    yield Case("a tag alone", "a.mp3", _bytes(tag), "refused")
    yield Case("MP3 after 3,000 zeros", "a.mp3", _bytes(bytes(3_000) + _whole("MP3")), "either")


def _samples():
    values = {"NaN": np.nan, "infinity": np.inf, "minus infinity": -np.inf, "1e30": 1e30}
    for what, value in values.items():
        for subtype in ("FLOAT", "DOUBLE"):
            for where in ("one", "last", "all", "of one channel"):
                samples = np.stack([tones.tone(440, SECONDS)] * 2, axis=1).astype(float)
                place = {"one": 100, "last": -1, "all": slice(None)}.get(where, (slice(9), 0))
                samples[place] = value

                def make(path, samples=samples, subtype=subtype):
                    soundfile.write(path, samples, tones.RATE, subtype)

                yield Case(f"{subtype} {what}: {where}", "a.wav", make, "refused")
    both = np.stack([tones.tone(440, SECONDS)] * 2, axis=1)
    both[100] = np.inf, -np.inf
    odd = {
        "infinities that cancel": (both, "FLOAT", "refused"),
        "beyond float32": (1e300 * tones.tone(440, SECONDS).astype(float), "DOUBLE", "refused"),
        "of 16 bits in floats": (32_767 * tones.tone(440, SECONDS), "FLOAT", "dog"),
        "of 32 bits in floats": (2.0**31 * tones.tone(440, SECONDS), "FLOAT", "dog"),
        "denormal": (1e-40 * tones.tone(440, SECONDS), "FLOAT", "either"),
        "silent": (np.zeros(8_000), "PCM_16", "either"),
        "constant": (np.ones(8_000), "FLOAT", "either"),
        "clipped": (np.sign(tones.tone(440, SECONDS)), "PCM_16", "any"),
        "with a large offset": (tones.tone(440, SECONDS) + 1_000, "FLOAT", "either"),
    }
    for what, (samples, subtype, right) in odd.items():

        def make(path, samples=samples, subtype=subtype):
            soundfile.write(path, samples, tones.RATE, subtype)

        yield Case(f"samples {what}", "a.wav", make, right)


def _no_sound():
    random = np.random.default_rng(0).bytes(5_000)
    contents = {
        "nothing": b"",
        "a letter": b"a letter, not a sound\n" * 50,
        "zeros": bytes(5_000),
        "ones": b"\xff" * 5_000,
        "random bytes": random,
        "HTML": b"<!doctype html><html><body>please log in</body></html>",
        "JSON": b'{"error": "not found"}',
        "PNG": b"\x89PNG\r\n\x1a\n" + random,
        "PDF": b"%PDF-1.7\n" + random,
        "ZIP": b"PK\x03\x04" + random,
        "a program": b"\x7fELF\x02\x01\x01" + random,
        "a pointer to Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "an OGG page of video": b"OggS\0\2" + bytes(20) + b"\1\x2a\x80theora" + random,
        "MP3 sync words": b"\xff\xfb\x90\x64" * 2_000,
    }
    for what, content in contents.items():
        for ending in audio.FORMATS:
            yield Case(f"{what}, called {ending}", f"a{ending}", _bytes(content), "refused")
    whole = _whole("PCM")
    for ending in (".m4a", ".txt", "", ".wav.part", ".wave"):
        yield Case(f"WAV called {ending!r}", f"a{ending}", _bytes(whole), "refused")
    for ending in (".mp3", ".flac", ".ogg", ".WAV", ".Wav"):
        yield Case(f"WAV called {ending}", f"a{ending}", _bytes(whole), "dog")


def _kinds():
    """What is named like a file: folders, pipes, sockets, devices, links."""

    def folder(path):
        path.mkdir()

    def listen(path):
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket may have 107 letters
        try:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(path.name)
        finally:
            os.chdir(here)

    def link(target, *, make=None):
        def linked(path):
            if make:
                make(path.with_name("target.bin"))
            path.symlink_to(target)

        return linked

    def unreadable(path):
        _tone()(path)
        path.chmod(0)

    good = _tone(format="WAV")
    yield Case("missing", "a.wav", lambda path: None, "refused")
    yield Case("a folder", "a.wav", folder, "refused")
    yield Case("a hidden file", ".wav", _bytes(_whole("PCM")), "refused")
    if os.name == "nt":
        return
    yield Case("a pipe", "a.wav", os.mkfifo, "refused")
    yield Case("a socket", "a.wav", listen, "refused")
    yield Case("a link to nothing", "a.wav", link("nothing.wav"), "refused")
    yield Case("a link to itself", "a.wav", link("a.wav"), "refused")
    yield Case("a link to a folder", "a.wav", link("target.bin", make=Path.mkdir),
               "refused")  # fmt: skip
    yield Case("a link to a file", "a.wav", link("target.bin", make=good), "dog")
    yield Case("a link to a pipe", "a.wav", link("target.bin", make=os.mkfifo), "refused")
    for device in ("null", "zero", "urandom", "tty"):
        yield Case(f"a link to {device}", "a.wav", link(f"/dev/{device}"), "refused")
    may = os.geteuid() == 0  # whom no permission stops
    yield Case("unreadable", "a.wav", unreadable, "dog" if may else "refused")


def can_be_written(name):
    """Whether this system has files of a name: Windows refuses a colon, macOS what is no UTF-8."""
    with tempfile.TemporaryDirectory() as folder:
        with suppress(OSError, UnicodeError):
            Path(folder, name).write_bytes(b"1")
        return name in os.listdir(folder)


def _names():
    names = ["a b.wav", " a.wav", "a .wav", "a\nb.wav", "a\r.wav", "a\tb.wav", "a'b.wav", 'a"b.wav',
             "a\\b.wav", "-a.wav", "--json.wav", "--model=x.wav", "a: b.wav", "a:b: c.wav",
             "🐈.wav", "Kätzchen.wav", "Ka\u0308tzchen.wav", "猫.wav", "\u202egnp.wav", "%s%n.wav",
             "{0}.wav", "$HOME.wav", "`ls`.wav", "*.wav", "?.wav", "[a].wav", ";a.wav", "a|b.wav",
             "<b>a.wav", "&amp;.wav", "~.wav", "#a.wav", "..a.wav", "a..wav", "a.mp3.wav",
             "\x1b[2J.wav", "\x7f.wav", "a" * 196 + ".wav", "a" * 251 + ".wav", "con.wav",
             "CATS.WAV", "0.wav", "nan.wav", "a,b.wav", "a;b.wav", "=1+1.wav"]  # fmt: skip
    content = _bytes(_whole("PCM"))
    names = [*names, "\udcff\udcfe.wav"]  # the last one is no UTF-8
    for name in filter(can_be_written, names):
        yield Case(f"called {name!r}", name, content, "dog")
    letter = _bytes(b"a letter")
    for name in filter(can_be_written, ("a: b.wav", "a\nb.wav", "<b>.wav", "🐈.wav", "{0}%s.wav")):
        yield Case(f"a letter called {name!r}", name, letter, "refused")
    yield Case("a name of 300 letters", "a" * 296 + ".wav", lambda path: None, "refused")
    if os.name != "nt":
        yield Case("a name with a zero byte", "a\0b.wav", lambda path: None, "refused")


def tables():
    """Odd tables beside eight good clips.

    Returns:
        dict of what is odd to (name, content or maker, what is right): the number of clips that
        are kept, "refused", or None, where either will do.
    """
    names = [f"{label}/{k}.wav" for label in ("cat", "dog") for k in range(4)]

    def manifest(*rows, head="file,label", of=names, end="\n"):
        stated = [f"{name},{name[:3]}" for name in of]
        return end.join([head, *stated, *rows, ""]).encode()

    good = manifest()
    split = b",test_cat,test_dog,train_cat,train_dog\n" + b"".join(
        f"{k},{k if k < 1 else ''}.wav,,{k}.wav,\n".encode() for k in range(4)
    )
    random = np.random.default_rng(0).bytes(3_000)
    more = f"file,label,split\n{names[0]},cat,TRAIN\n{names[4]},dog,Testing\n{names[5]},dog,x\n"
    odd = {
        "as it should be": (good, 8),
        "with a byte order mark": (b"\xef\xbb\xbf" + good, 8),
        "with Windows' line ends": (manifest(end="\r\n"), 8),
        "with old Macs' line ends": (manifest(end="\r"), 8),
        "without a last line end": (good.strip(), 8),
        "with blank lines": (good.replace(b"\n", b"\n\n"), 8),
        "with blanks after commas": (good.replace(b",", b", "), 8),
        "with semicolons": (good.replace(b",", b";"), "refused"),
        "with tabs": (good.replace(b",", b"\t"), "refused"),
        "that is empty": (b"", "refused"),
        "of a line end": (b"\n", "refused"),
        "of a head alone": (b"file,label\n", "refused"),
        "without a head": (good.split(b"\n", 1)[1], "refused"),
        "without labels": (b"file\ncat/0.wav\n", "refused"),
        "without files": (b"label\ncat\n", "refused"),
        "with a head in capitals": (manifest(head="File,Label"), "refused"),
        "with a column twice": (manifest(head="file,label,label"), 8),
        "with a row twice": (manifest("cat/0.wav,cat"), 8),
        "with a file of two labels": (manifest("cat/0.wav,dog"), 8),
        "with a file that is not there": (manifest("cat/9.wav,cat"), 8),
        "with files that are not there": (b"file,label\na.wav,cat\n", "refused"),
        "with a row without file": (manifest(",cat"), 8),
        "with a row without label": (manifest("cat/0.wav,", of=names[1:]), 7),
        "with a row of commas": (manifest(",,,,,"), None),
        "with a field too many": (manifest("cat/0.wav,cat,1,2"), None),
        "with fields too many": (manifest(of=[f"{n},1,2" for n in names]), None),
        "with a path that leaves": (manifest("../outside.wav,cat"), 8),
        "with a path that leaves in between": (manifest("cat/../../outside.wav,cat"), 8),
        "with an absolute path": (manifest("/dev/null,cat", "/etc/hosts,cat"), 8),
        "with a folder": (manifest("cat,cat", ".,cat"), 8),
        "with backslashes": (manifest("cat\\0.wav,cat"), 8),
        "with a name of 300 letters": (manifest("a" * 300 + ".wav,cat"), 8),
        "with a zero byte": (manifest("cat/\0.wav,cat"), None),
        "with an open quote": (manifest('"cat/0.wav,cat'), None),
        "with quotes": (manifest(head='"file","label"'), 8),
        "with a line end in quotes": (manifest('"cat/\n0.wav",cat'), 8),
        "in UTF-16": (good.decode().encode("utf-16"), "refused"),
        "in Latin-1": (manifest("Kätzchen.wav,cat").decode().encode("latin-1"), "refused"),
        "of random bytes": (random, "refused"),
        "of zeros": (bytes(3_000), "refused"),
        "that is a PNG": (b"\x89PNG\r\n\x1a\n" + random, "refused"),
        "of HTML": (b"<!doctype html>\n<html>please, log in</html>\n", "refused"),
        "with 1,000 columns": (manifest(head="file,label," + ",".join(map(str, range(998)))), 8),
        "with odd splits": (more.encode(), 2),
        "with labels of numbers": (good.replace(b",cat", b",0").replace(b",dog", b",1"), 8),
        "with a wrong sha256": (b"file,label,sha256\ncat/0.wav,cat,00\n", "refused"),
        "with odd groups": (manifest(head="file,label,group"), 8),
    }  # fmt: skip
    found = {f"a manifest {what}": ("manifest.csv", *case) for what, case in odd.items()}
    splits = {
        "as it should be": (split, None),
        "with a byte order mark": (b"\xef\xbb\xbf" + split, None),
        "that is empty": (b"", "refused"),
        "without such columns": (b"a,b\n1,2\n", 8),
        "of random bytes": (random, "refused"),
        "in UTF-16": (split.decode().encode("utf-16"), "refused"),
        "that names a file twice": (b"train_cat,test_cat\n0.wav,0.wav\n", None),
        "that names none of the files": (b"train_cat,test_dog\nx.wav,y.wav\n", "refused"),
        "of numbers": (b"train_cat,test_dog\n1,2\n", "refused"),
    }
    found |= {f"a split {what}": ("train_test_split.csv", *case) for what, case in splits.items()}
    listed = "file,recording\n" + "".join(f"{name},{name}\n" for name in names)
    recordings = {
        "as it should be": (listed.encode(), 8),
        "with a byte order mark": (b"\xef\xbb\xbf" + listed.encode(), 8),
        "that is empty": (b"", "refused"),
        "without files": (b"recording\n1\n", "refused"),
        "without recordings": (b"file\ncat/0.wav\n", "refused"),
        "with a row twice": (f"{listed}cat/0.wav,x\n".encode(), 8),
        "of random bytes": (random, "refused"),
        "of half the files": (listed[:60].encode(), 8),
    }
    found |= {f"recordings {what}": ("recordings.csv", *case) for what, case in recordings.items()}
    for name in ("manifest.csv", "train_test_split.csv", "recordings.csv"):
        found[f"{name}: a folder"] = (name, Path.mkdir, 8)
        if os.name != "nt":
            found[f"{name}: a pipe"] = (name, os.mkfifo, 8)
            found[f"{name}: a link to itself"] = (name, lambda path: path.symlink_to(path), 8)
    return found


@contextmanager
def no_hang(seconds=60):
    """An end for what would wait for ever, such as the opening of a pipe."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def give_up(*_):
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fault(case, answer):
    """What is wrong with an answer: a label, or the text of a refusal; None if it is right."""
    label = answer if answer in ("cat", "dog", "neither", "unsure") else None
    if label:
        allowed = {"dog": {"dog"}, "either": {"dog", "unsure"}, "refused": set()}
        if case.right != "any" and label not in allowed[case.right]:
            return f"answered {label}, where {case.right} is right"
        return None
    if case.right == "dog":
        return f"refused, where dog is right: {answer}"
    if any(excuse in answer for excuse in EXCUSES) or not answer.strip():
        return f"refused without a reason for users: {answer}"
    return None


def tried(ask):
    """Try every case at one entrance.

    Args:
        ask: from a path to a label or the text of a documented refusal; any other error is a fault.

    Returns:
        number of cases tried, and {case: what is wrong}.
    """
    wrong, all_cases = {}, cases()
    for case in all_cases:
        folder = Path(tempfile.mkdtemp(prefix="odd-"))
        try:
            case.make(folder / case.name)
            with no_hang():
                wrong[case.what] = fault(case, ask(folder / case.name))
        except Exception as error:
            wrong[case.what] = f"{type(error).__name__}: {error}"[:200]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return len(all_cases), {what: why for what, why in wrong.items() if why}


if __name__ == "__main__":
    import test_odd_files

    test_odd_files.report()
