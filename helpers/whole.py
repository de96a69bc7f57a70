"""Whether a sound file is all there: what its container promises against the bytes that follow.

libsndfile reads what it finds, and says nothing of what is missing: half a file passes as whole.
"""

import mmap

_SPARE = 256  # bytes: some recorders count their header among the samples
_UNKNOWN = (2**31, 2**32, 2**64)  # lengths near these are written before the true one is known
_NEAR = 4096  # bytes
_AGAIN = "get the whole file, or convert what there is to WAV"
_KBPS = {  # of MP3 frames by (whether MPEG 1, layer), at the places 1 to 14
    (True, 1): range(32, 449, 32),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAME = 0xFFFE0C00  # of an MP3 frame's header: what all in a file share
_MISSES = 100_000  # bytes that could begin a frame and do not: the rest is no sound
_MPEG_1, _LAYER_III = 3, 1  # in its bits


def fault(path, form):
    """What a sound file lacks of what it promises, in words; None if it is whole or cannot tell.

    Args:
        path: of a file that libsndfile has opened.
        form: its format, as libsndfile calls it.
    """
    check = {"WAV": _wav, "WAVEX": _wav, "RF64": _wav, "OGG": _ogg, "MP3": _mp3}.get(form)
    return check(_content(path)) if check else None


def untold(path):
    """The samples that an MP3's frames hold, where nothing in it states them; None of any other.

    libsndfile guesses them from the first frames, and stops there: wrong if the bit rate varies.

    Args:
        path: of an MP3 file.
    """
    content = _content(path)
    first, frames, _ = _walked(content)
    word = _word(content, first)
    if not frames or word >> 17 & 3 != _LAYER_III or _stated(content, first) is not None:
        return None
    return frames * (1152 if word >> 19 & 3 == _MPEG_1 else 576)


def told(path):
    """An MP3 as untold counts, as bytes: after a frame that states how many follow."""
    content = _content(path)
    first, frames, _ = _walked(content)
    word = _word(content, first) & ~0xF200 | 0x19000  # of a middle bit rate, without a checksum
    tag, at = bytearray(_size(word)), _tag_at(word)
    tag[:4] = word.to_bytes(4, "big")
    tag[at : at + 12] = b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    return bytes(tag) + content[first:]


def _content(path):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _wav(content):
    order = "big" if content[:4] == b"RIFX" else "little"
    at, large = 12, None
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], order)
        at += 8
        if name == b"ds64":  # sizes of 64 bits: of the file, then of its samples
            large = int.from_bytes(content[at + 8 : at + 16], order)
        if name == b"data":
            size = large if size == 2**32 - 1 and large else size
            if any(abs(size - unknown) <= _NEAR for unknown in _UNKNOWN):
                return None
            there = len(content) - at
            if size <= there + _SPARE:
                return None
            said = f"its header states {size:,} bytes of samples, and {there:,} are there"
            return f"cut off: {said}; {_AGAIN}"
        at += size + size % 2
    return None


def _ogg(content):
    at, flags, begun = 0, 0, False
    while (at := content.find(b"OggS", at)) >= 0:
        table = content[at + 27 : at + 28 + 254]
        count = content[at + 26] if at + 26 < len(content) else 256
        end = at + 27 + count + sum(table[:count])
        if len(table) < min(count, 255) or end > len(content):
            break  # half a page, which no decoder reads
        flags = content[at + 5]
        if flags & 2 and begun:
            return "several recordings, one after another, in one file; convert it to WAV"
        begun = begun or not flags & 2
        at = end
    return None if flags & 4 else f"cut off: the page that marks its end is missing; {_AGAIN}"


def _mp3(content):
    first, frames, whole = _walked(content)
    stated = _stated(content, first) if frames else None
    if stated is None:
        return None if whole else f"cut off within a frame; {_AGAIN}"
    if abs(stated - (frames - 1)) <= whole:  # some encoders count the frame that states it
        return None
    said = f"its header states {stated:,} frames of sound, and {frames - 1:,} are there"
    return f"damaged: {said}; {_AGAIN}"


def _walked(content):
    """(where the first frame of an MP3 lies, how many there are, whether the last one is whole)."""
    first, at, after, frames, misses = 0, 0, -1, 0, 0  # after: the end of the frame before
    while at + 4 <= len(content) and misses < _MISSES:
        if content[at : at + 3] == b"ID3":
            size = reversed(content[at + 6 : at + 10])
            at += 10 + sum((byte & 127) << 7 * k for k, byte in enumerate(size))
            continue
        word = _word(content, at)
        end = at + _size(word)
        if end > at and (at == after or word & _SAME == _word(content, end) & _SAME):
            if end > len(content):
                return first, frames, False
            first = first if frames else at
            frames, at, after = frames + 1, end, end
        elif (at := content.find(b"\xff", at + 1)) < 0:
            break
        else:
            misses += 1
    return first, frames, True


def _word(content, at):
    return int.from_bytes(content[at : at + 4], "big")


def _size(word):
    """The bytes of the MP3 frame that a header begins; 0 if it is none, or of a free bit rate."""
    version, layer, place, rate = (word >> n & m for n, m in ((19, 3), (17, 3), (12, 15), (10, 3)))
    if word >> 21 != 0x7FF or version == 1 or not layer or not 0 < place < 15 or rate == 3:
        return 0
    bits = 1000 * _KBPS[version == _MPEG_1, 4 - layer][place - 1]
    hertz = (44_100, 48_000, 32_000)[rate] >> {_MPEG_1: 0, 2: 1, 0: 2}[version]
    padded = word >> 9 & 1
    if layer == 3:
        return 4 * (12 * bits // hertz + padded)
    half = layer == _LAYER_III and version != _MPEG_1
    return (72 if half else 144) * bits // hertz + padded


def _tag_at(word):
    """Where in a frame of layer III the tag lies that states the length."""
    mono = word >> 6 & 3 == 3
    return 4 + ((17 if mono else 32) if word >> 19 & 3 == _MPEG_1 else (9 if mono else 17))


def _stated(content, first):
    """The number of frames that an MP3's first one states to follow; None if it states none."""
    at = first + _tag_at(_word(content, first))
    if content[at : at + 4] not in (b"Xing", b"Info") or not _word(content, at + 4) & 1:
        return None
    return _word(content, at + 8)
