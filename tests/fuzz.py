"""Sound files damaged at random, for a bounded time, through the decoder.

    python tests/fuzz.py --seconds 600

Good files of every format are cut, spliced and turned. What reaches a line of Python that none had
reached, in the course's reader or in soundfile's, is kept while it runs, and damaged further; so is
what is answered in a way not seen before (another sentence, rate, number of channels, subtype or
order of length), since of the decoders in C it sees no more. A seed alone brings no input back, so
that its bytes are kept.
Each must be read as finite samples or refused with audio.AudioError. They are tried in batches,
each in a process of its own, since a decoder in C may end it, or hang. What is neither read nor
refused is written into tests/found/, which tests/test_any_input.py tries from then on.
"""

import argparse
import hashlib
import pickle
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import odd_files
import soundfile

from helpers import audio

FOUND = Path(__file__).with_name("found")
BEGINNINGS = [
    b"",
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
    b"fLaC\0\0\0\x22",
    b"OggS\0\2" + bytes(20),
    b"ID3\3\0\0\0\0\0\0",
    b"\xff\xfb\x90\x64",
    b"FORM\0\0\0\x20AIFF",
    b"caff\0\1\0\0",
]
_TRACED = {audio.__file__, soundfile.__file__}
_ODD = [0, 1, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1]
_BATCH = 200
_MEMORY = 8 * 2**30  # bytes that a batch may address
_SECONDS = 300  # that a batch may take
_LARGEST = 100_000  # bytes of an input that is damaged further


def fault(content, ending, folder):
    """What is wrong with how these bytes are read; None if nothing is.

    Args:
        content: bytes of a file.
        ending: of its name, such as ".wav".
        folder: where it may be written.
    """
    return answered(content, ending, folder)[0]


def tried(content, ending, folder):
    """(what is wrong, marks) of how bytes are read: None, and the lines reached and the signature.

    Arguments as fault.
    """
    reached = set()

    def lines(frame, event, _):
        if event == "line":
            reached.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
        return lines

    before = sys.gettrace()
    sys.settrace(lambda frame, *_: lines if frame.f_code.co_filename in _TRACED else None)
    try:
        why, alike = answered(content, ending, folder)
    finally:
        sys.settrace(before)
    return why, reached | {alike}


def answered(content, ending, folder):
    """(what is wrong, signature) of how bytes are read: None, and what is alike for alike inputs.

    Arguments as fault.
    """
    path = Path(folder) / f"any{ending}"
    path.write_bytes(content)
    try:
        with odd_files.no_hang():
            waveform, rate = audio.load(path)
    except audio.AudioError as error:
        odd = [excuse for excuse in odd_files.EXCUSES if excuse in str(error)]
        alike = ending, re.sub(r"[\d.,]+", "0", str(error))
        return f"refused without a reason for users: {error}" if odd else None, alike
    except Exception as error:
        return f"{type(error).__name__}: {error}", (ending, type(error).__name__)
    if not (len(waveform) and rate == audio.SAMPLE_RATE and np.isfinite(waveform).all()):
        return f"{len(waveform)} samples at {rate} Hz, or not finite", (ending, "odd")
    about = soundfile.info(str(path))
    length = len(waveform).bit_length()
    return None, (ending, about.samplerate, about.channels, about.subtype, length)


def damaged(seed, seeds):
    """(bytes, ending) of an input after some damage: a cut, a splice, turned or odd bytes.

    Args:
        seed: of what is done.
        seeds: list of (bytes, ending) to choose from.
    """
    rng = np.random.default_rng(seed)
    content, ending = seeds[rng.integers(len(seeds))]
    content = bytearray(content)
    for _ in range(rng.integers(1, 9)):
        # headers are where the decisions are
        at = int(rng.integers(min(len(content), 200) if rng.random() < 0.7 else len(content)) or 0)
        how = rng.integers(7)
        if how == 0:
            content[at] ^= 1 << rng.integers(8)
        elif how == 1:
            content[at : at + 4] = int(rng.choice(_ODD)).to_bytes(4, rng.choice(["little", "big"]))
        elif how == 2:
            del content[at : at + int(rng.integers(1, 50))]
        elif how == 3:
            content[at:at] = rng.bytes(rng.integers(1, 50))
        elif how == 4:
            content[at:at] = content[at : at + int(rng.integers(1, 200))]
        elif how == 5:
            content[at:] = seeds[rng.integers(len(seeds))][0][at:]
        elif len(content) > 60:
            del content[int(rng.integers(50, len(content))) :]
        content = content or bytearray(b"\0")
    return bytes(content), ending


def good():
    """The good files that all begins with: list of (bytes, ending)."""
    whole = odd_files.whole_files()
    return [(content, odd_files.WRITTEN[name][0]) for name, content in whole.items()]


def batch(folder, first, count):
    """Try some seeds; leave in the folder the input that is tried, the new ones and what is wrong.

    Args:
        folder: path; known.pickle in it holds (inputs to damage, marks seen).
        first, count: seeds.
    """
    _bounded()
    seeds, seen = pickle.loads((folder / "known.pickle").read_bytes())
    for seed in range(first, first + count):
        content, ending = damaged(seed, seeds)
        (folder / "now").write_bytes(content)  # the very bytes, should this process end here
        (folder / "ending").write_text(ending)
        print(seed, flush=True)
        why, marks = tried(content, ending, folder)
        if why:
            keep(seed, content, ending, why)
        if not marks <= seen:
            seen |= marks
            if len(content) <= _LARGEST:
                seeds.append((content, ending))
    (folder / "known.pickle").write_bytes(pickle.dumps((seeds, seen)))


def _bounded():
    """Bound the memory of this process, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def keep(seed, content, ending, why):
    """Write an input that is read wrongly among the found ones, and say so."""
    name = f"{ending[1:]}-{hashlib.sha256(content).hexdigest()[:8]}.hex"
    FOUND.mkdir(exist_ok=True)
    (FOUND / name).write_text(content.hex() + "\n")
    print(f"wrong: {seed} {why}\n    kept as tests/found/{name}", flush=True)


def run(folder, first, count, seconds=_SECONDS):
    """Try a batch in a process of its own, print what is wrong; (seeds tried, how many wrong).

    Arguments as batch; seconds that it may take.
    """
    command = [sys.executable, __file__, "--seed", str(first), "--batch", str(count), str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        out, status, said = done.stdout, done.returncode, done.stderr
    except subprocess.TimeoutExpired as error:
        out = error.stdout or b""  # bytes, whatever was asked for
        out = out.decode() if isinstance(out, bytes) else out
        status, said = "no end", f"not ready after {seconds} s"
    lines = out.splitlines()
    begun = [int(line) for line in lines if line.isdigit()]
    bad = [line for line in lines if not line.isdigit()]
    print("".join(f"{line}\n" for line in bad), end="")
    wrong = sum(line.startswith("wrong: ") for line in bad)
    said = (said.strip().splitlines() or [""])[-1]
    if status and not begun:
        raise RuntimeError(f"no batch can be begun ({status}): {said}")
    if status:
        now, ending = (folder / "now").read_bytes(), (folder / "ending").read_text()
        keep(begun[-1], now, ending, f"ended the process ({status}): {said}")
        wrong += 1
    return len(begun), wrong


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0, help="of the first file")
    parser.add_argument("--batch", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.batch:
        return batch(Path(options.batch[1]), options.seed, int(options.batch[0]))
    end, seed, wrong = time.monotonic() + options.seconds, options.seed, 0
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "known.pickle"
        known.write_bytes(pickle.dumps((good(), set())))
        while time.monotonic() < end:
            count, bad = run(Path(folder), seed, _BATCH)
            seed, wrong = seed + count, wrong + bad
            seeds, seen = pickle.loads(known.read_bytes())
            print(
                f"{seed - options.seed} files tried, {wrong} wrong; {len(seen)} lines and kinds of "
                f"answers, {len(seeds)} files to damage",
                flush=True,
            )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
