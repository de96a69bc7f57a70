"""Sounds of free games, to learn from beside the recordings: voices, blows, steps, beasts, weather.

None is a cat or a dog, so all are "other". They show the shipped model, and the large one that
teaches it, more of the world than the recordings do; nothing is ever asked about them. They are
read from Debian's packages, some 1.8 GB, which are downloaded once, checked, and kept in
runs/bench.
"""

import re
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import PurePosixPath
from typing import NamedTuple

import out_of_fold
import pandas as pd
import pooch
import soundfile as sf

from helpers import datasets, files
from helpers.datasets import folders

POOL = "https://deb.debian.org/debian/pool/main"
# All that the pool held on that day: it drops a version when no suite has it any longer.
ARCHIVE = "https://snapshot.debian.org/archive/debian/20240101T000000Z/pool/main"


class Game(NamedTuple):
    """A package with sounds, all under one licence.

    Attributes:
        package: its file below POOL; sha256 is that file's.
        where: what the sounds' paths in it begin with.
        within: the archive in the package that holds them; "" where they lie there as files.
        credit: whose they are.
    """

    package: str
    sha256: str
    where: str
    within: str
    licence: str
    credit: str


GAMES = {
    "0 A.D.": Game(
        "0/0ad-data/0ad-data_0.0.26-1_all.deb",
        "53745ae74d05bccf6783400fa98f3932b21729ab9d2e86151aa2c331c3455178",
        "audio/",
        "public.zip",
        "CC BY-SA 3.0",
        "Wildfire Games",
    ),
    "MegaGlest": Game(
        "m/megaglest-data/megaglest-data_3.13.0-3_all.deb",
        "ed4783d9fc78e201a548b266f7c30325eb16cfd58a20bf4597dd6e622f84a07e",
        "usr/share/games/megaglest/",
        "",
        "CC BY-SA 3.0",
        "The Glest Team, The MegaGlest Team",
    ),
    "Flare": Game(
        "f/flare-game/flare-game_1.14-1_all.deb",
        "4ab6a8298276013d35a0806257e130d992761af1b749041433b409c3dafec508",
        "usr/share/games/flare/",
        "",
        "CC BY-SA 3.0",
        "Clint Bellanger and others",
    ),
    "Scratch": Game(
        "s/scratch/scratch_1.4.0.6~dfsg1-6.1_all.deb",
        "36c582eb93110f64f06c4e685c41e933ccba2fa68db12f79b10bfe840b21fc10",
        "usr/share/scratch/Media/Sounds/",
        "",
        "CC BY-SA 3.0",
        "Massachusetts Institute of Technology",
    ),
}
# What may be a cat, a dog or their kin, by its path: left out rather than called "other".
_KIN = re.compile(
    r"dog|cats?(?![a-z])|kitten|meow|bark|puppy|hound|wol[fv]|fox|lion|tiger|growl|howl|hiss|purr|whine"
)
_SECONDS = 0.15, 10.0
# Cuts of the same recordings as three of `elsewhere` (splits.shared_audio finds them): nothing of
# what is asked about may be learnt.
_ALSO_ELSEWHERE = (
    "a8c9e3b48625738298bc207a1523246f6fd200166ce4a8d026195eb3e1475ae2",
    "4946d778d309a6f506cbc55d385b070e9fd9507afdfaea4e7f50ee7b4e6cd505",
    "bfa1a0db4a34b571162d01f939213712e2df613f30bba29c7dd909f22efa39ad",
)


def games():
    """The catalog of the games' sounds, all "other"; what cannot be read is left out."""
    folder = out_of_fold.KEPT / "games"
    if not folder.is_dir():
        with files.atomic(folder) as part:
            rows = [row for name in GAMES for row in _unpacked(name, part / name)]
            table = pd.DataFrame(rows).drop_duplicates("sha256")
            table = table[~table.sha256.isin(_ALSO_ELSEWHERE)]
            table.to_csv(part / folders.MANIFEST, index=False)
    return datasets.load(folder, quiet=True, unlabelled=datasets.OTHER)


def _unpacked(name, folder):
    """Write the short sounds of one game below a folder: rows of a manifest."""
    game = GAMES[name]
    for path, content in _sounds(_downloaded(game), game):
        short = path.removeprefix(game.where)
        file = folder / short
        if _KIN.search(short.lower()):
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        try:
            readable = _SECONDS[0] <= sf.info(file).duration <= _SECONDS[1]
        except sf.LibsndfileError:
            readable = False
        if not readable:
            file.unlink()
            continue
        yield {
            "file": f"{name}/{short}",
            "label": datasets.OTHER,
            "group": f"{name} {short}",
            "kind": PurePosixPath(short).parent.name or name,
            "source": name,
            "licence": game.licence,
            "sha256": files.digest(file),
        }


def _downloaded(game):
    """The package's file: from Debian's pool, or its archive; what is kept is not fetched again."""

    def retrieve(place):
        name = PurePosixPath(game.package).name
        known = f"sha256:{game.sha256}"
        return pooch.retrieve(
            f"{place}/{game.package}", known, name, out_of_fold.KEPT, progressbar=True
        )

    try:
        return retrieve(POOL)
    except OSError as error:
        print(f"{error}: taken from Debian's archive", flush=True)
        return retrieve(ARCHIVE)


def _sounds(package, game):
    """(path, bytes) of each sound in a Debian package, in the order in which they lie there."""
    with open(package, "rb") as opened:
        opened.read(8)  # an ar archive: "!<arch>\n", then a header of 60 bytes and each member
        while not (header := opened.read(60)).startswith(b"data.tar"):
            size = int(header[48:58])
            opened.seek(size + size % 2, 1)
        with tarfile.open(fileobj=opened, mode="r|*") as data:
            for member in data:
                path = member.name.removeprefix("./")
                if member.isfile() and game.within and path.endswith(f"/{game.within}"):
                    yield from _zipped(data.extractfile(member), game)
                elif member.isfile() and not game.within and _wanted(path, game):
                    yield path, data.extractfile(member).read()


def _zipped(opened, game):
    """The same of an archive within: its table of contents is at its end, so it is copied out."""
    with tempfile.TemporaryFile(dir=out_of_fold.KEPT) as whole:
        shutil.copyfileobj(opened, whole)
        with zipfile.ZipFile(whole) as packed:
            for path in packed.namelist():
                if _wanted(path, game):
                    yield path, packed.read(path)


def _wanted(path, game):
    return path.startswith(game.where) and path.lower().endswith((".wav", ".ogg", ".mp3"))
