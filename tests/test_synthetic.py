"""The synthetic calls and recordings: what they promise, and that nothing gives the class away."""

import hashlib
import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from scipy import signal

from helpers.datasets import synthetic, voices

N_CLIPS = 60
CAT_CALLS = ("meow", "mew", "harsh_meow", "yowl", "hiss", "purr", "cat_growl")
DOG_CALLS = ("bark", "bark_howl", "howl", "whine", "dog_growl")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return synthetic.make_dataset(tmp_path_factory.mktemp("made") / "set", 3, N_CLIPS)


@pytest.fixture(scope="module")
def table(folder):
    return pd.read_csv(folder / "recordings.csv")


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    text = b"".join(str(f.relative_to(folder)).encode() + f.read_bytes() for f in files)
    return hashlib.sha256(text).hexdigest()


def pitch(wave, low=100, high=2_000):
    """Hz by autocorrelation in the loudest 64 ms."""
    n = 1_024
    hops = range(0, max(1, len(wave) - n), 64)
    at = max(hops, key=lambda i: np.sum(wave[i : i + n] ** 2))
    frame = wave[at : at + n] - wave[at : at + n].mean()
    r = signal.correlate(frame, frame, method="fft")[len(frame) - 1 :]
    r = r / np.arange(len(r), 0, -1)
    lags = np.arange(voices.SAMPLE_RATE // high, voices.SAMPLE_RATE // low)
    peaks = lags[(r[lags] >= r[lags - 1]) & (r[lags] >= r[lags + 1])]
    first = peaks[r[peaks] > 0.85 * r[peaks].max()][0]  # not a multiple of the period
    return voices.SAMPLE_RATE / first


# ---- calls


@pytest.mark.parametrize("kind", CAT_CALLS + DOG_CALLS)
def test_a_call_is_a_sound_waveform(kind):
    for seed in range(4):
        wave = voices.call(kind, seed)
        assert wave.dtype == np.float32 and wave.ndim == 1
        assert np.isfinite(wave).all() and 0.9 < np.abs(wave).max() <= 1
        assert np.array_equal(wave, voices.call(kind, np.random.default_rng(seed)))
        assert not np.array_equal(wave[:800], voices.call(kind, seed + 10)[:800])


def test_a_call_starts_and_ends_without_a_click():
    for voice in (voices.meow, voices.bark):
        wave = np.abs(voice(5))
        assert max(wave[:8].max(), wave[-8:].max()) < 0.05 < wave.max()


def test_meows_last_longer_than_barks():
    meows = [len(voices.meow(seed)) / voices.SAMPLE_RATE for seed in range(30)]
    barks = [len(voices.bark(seed)) / voices.SAMPLE_RATE for seed in range(30)]
    assert min(meows) >= 0.4 and max(meows) <= 2.0 and np.ptp(meows) > 0.4
    assert min(barks) >= 0.08 and max(barks) <= 0.3 and np.ptp(barks) > 0.06


def test_meows_have_the_pitch_of_cats():
    pitches = [pitch(voices.meow(seed)) for seed in range(30)]
    assert 350 < np.median(pitches) < 800
    assert np.mean([(200 < p < 1_300) for p in pitches]) > 0.9


@pytest.mark.parametrize("hertz", [300, 600, 1_000])
def test_pitch_and_duration_are_obeyed(hertz):
    found = [pitch(voices.meow(seed, pitch=hertz, duration=0.7)) for seed in range(7)]
    assert len(voices.meow(0, pitch=hertz, duration=0.7)) == round(0.7 * voices.SAMPLE_RATE)
    assert len(voices.bark(0, pitch=hertz, duration=0.2)) == round(0.2 * voices.SAMPLE_RATE)
    assert 0.75 * hertz < np.median(found) < 1.1 * hertz


def test_a_larger_animal_sounds_darker():
    def centroid(size):
        barks = [voices.call("bark", s, pitch=500, duration=0.2, size=size) for s in range(8)]
        power = np.mean(np.abs(np.fft.rfft(barks)) ** 2, axis=0)
        return np.sum(power * np.fft.rfftfreq(3_200, 1 / 16_000)) / power.sum()

    assert centroid(1.0) < 0.75 * centroid(0.0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"kind": "moo"}, "bark_howl"),
        ({"kind": "meow", "pitch": 20}, "pitch must lie between 100 and 2000"),
        ({"kind": "meow", "duration": 0.0}, "duration"),
        ({"kind": "bark", "duration": float("nan")}, "duration"),
        ({"kind": "bark", "size": 1.5}, "size"),
        ({"kind": "bark", "rng": -1}, "seed of 0 or more"),
        ({"kind": "bark", "rng": "7"}, "seed of 0 or more"),
    ],
)
def test_an_impossible_call_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        voices.call(**arguments)


# ---- the set


def test_layout_is_kaggles(folder, table):
    split = pd.read_csv(folder / "train_test_split.csv", index_col=0)
    assert split.index.name is None or split.index.name.startswith("Unnamed")
    assert list(split.columns) == ["test_cat", "test_dog", "train_cat", "train_dog"]
    places = {
        "test_cat": "test/cats",
        "test_dog": "test/test",
        "train_cat": "train/cat",
        "train_dog": "train/dog",
    }
    for column, place in places.items():
        on_disk = sorted(path.name for path in (folder / "cats_dogs" / place).iterdir())
        assert sorted(split[column].dropna()) == on_disk
        pattern = r"cat_\d+\.wav" if "cat" in column else r"dog_barking_\d+\.wav"
        assert split[column].dropna().str.fullmatch(pattern).all()
    on_disk = {path.relative_to(folder).as_posix() for path in folder.rglob("*.wav")}
    assert set(table.file) == on_disk and len(on_disk) == N_CLIPS
    assert set(table.licence) == {"CC0"}
    about = json.loads((folder / "about.json").read_text())
    assert about["seed"] == 3 and about["n_clips"] == N_CLIPS and about["version"]


def test_every_clip_is_16_bit_mono_at_16_khz(folder, table):
    for file in table.file:
        info = sf.info(folder / file)
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        wave, _ = sf.read(folder / file)
        assert 0.9 <= len(wave) / 16_000 <= 18.0
        assert 0.01 < np.abs(wave).max() <= 1 and wave.std() > 1e-4, file


def plan(n_clips=277, seed=0):
    """(part, species), recording, start and seconds of every clip, without making a sound."""
    rows = []
    for key, name, recording, start, wave in synthetic._clips(seed, n_clips):
        rows.append((*key, name, recording, start / 16_000, len(wave) / 16_000))
    return pd.DataFrame(rows, columns=["part", "label", "name", "recording", "start", "seconds"])


@pytest.fixture
def silent(monkeypatch):
    monkeypatch.setattr(synthetic, "_recording", lambda rng, species, n: np.zeros(n, np.int16))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_counts_and_durations_of_the_default_set(silent, seed):
    clips = plan(seed=seed)
    counts = Counter(zip(clips.part, clips.label))
    assert counts == {
        ("train", "cat"): 115,
        ("train", "dog"): 64,
        ("test", "cat"): 49,
        ("test", "dog"): 49,
    }
    assert clips.name.is_unique and clips.recording.nunique() >= 200
    median = clips.groupby("label").seconds.median()
    assert abs(median["cat"] - 10.7) < 0.5 and abs(median["dog"] - 3.9) < 0.3
    assert clips.seconds.min() >= 0.9 and clips.seconds.max() <= 18.0


def test_some_recordings_are_cut_into_overlapping_windows_on_both_sides(silent):
    clips = plan()
    shared = clips.groupby("recording").filter(lambda group: len(group) > 1)
    assert len(shared) > 40
    assert (shared.groupby("recording").part.nunique() == 2).any()
    number = shared.name.str.extract(r"_(\d+)\.wav")[0].astype(int)
    step = shared.assign(number=number).groupby("recording")[["start", "number"]].diff().dropna()
    assert (step.number == 1).all()  # neighbours in number
    assert (step.start[step.start > 0]).between(5, 7).all()
    assert (step.start == 0).sum() == 1  # the same file twice


@pytest.mark.parametrize("n_clips", [20, 21, 33, 60, 241])
def test_any_size_is_made_exactly(silent, n_clips):
    clips = plan(n_clips)
    assert len(clips) == n_clips and clips.groupby(["part", "label"]).size().min() >= 3


def test_recordings_csv_tells_which_clips_share_audio(folder, table):
    waves = {file: sf.read(folder / file, dtype="int16")[0] for file in table.file}
    overlaps = 0
    for _, group in table.groupby("recording"):
        rows = list(group.itertuples())
        assert rows[0].start_seconds == 0
        for a, b in pairwise(rows):
            lag = round((b.start_seconds - a.start_seconds) * 16_000)
            first, second = waves[a.file][lag:], waves[b.file]
            n = min(len(first), len(second))
            assert n > 3 * 16_000 or len(first) == len(second)
            assert np.array_equal(first[:n], second[:n])
            overlaps += 1
    assert overlaps >= 3
    first_second = Counter(wave[:16_000].tobytes() for wave in waves.values())
    assert sorted(first_second.values())[-2:] == [1, 2]  # one pair of clips is the same file


# ---- the same again, or not at all


def test_same_seed_same_bytes_and_another_seed_other_bytes(tmp_path):
    one, same, other = (
        digest(synthetic.make_dataset(tmp_path / name, seed, 20))
        for name, seed in [("one", 5), ("same", 5), ("other", 6)]
    )
    assert one == same != other


def test_every_recording_has_a_random_stream_of_its_own(monkeypatch):
    def marks(seed, used):
        def mark(rng, species, n):
            value = rng.integers(30_000)
            rng.random(used)  # what one recording uses must not move the next
            return np.full(n, value, np.int16)

        monkeypatch.setattr(synthetic, "_recording", mark)
        return {clip[2]: int(clip[4][0]) for clip in synthetic._clips(seed, 40)}

    assert marks(4, used=1) == marks(4, used=100)
    both = [*marks(4, used=1).values(), *marks(5, used=1).values()]
    assert len(set(both)) > 0.95 * len(both)  # a chance match is allowed


def test_a_complete_set_is_left_alone_and_other_settings_make_it_anew(tmp_path, monkeypatch):
    folder = synthetic.make_dataset(tmp_path / "set", 1, 20)
    before = digest(folder)
    with monkeypatch.context() as patch:
        patch.setattr(synthetic, "_write", None)  # any attempt to write would fail
        assert synthetic.make_dataset(folder, 1, 20) == folder
    next(folder.rglob("cat_*.wav")).unlink()
    assert digest(synthetic.make_dataset(folder, 1, 20)) == before
    assert digest(synthetic.make_dataset(folder, 2, 20)) != before
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("existing", [False, True])
def test_a_failure_leaves_no_partial_folder(tmp_path, monkeypatch, existing):
    folder, before = tmp_path / "below" / "set", None
    if existing:
        before = digest(synthetic.make_dataset(folder, 1, 20))
    write, calls = sf.write, []

    def fail(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 5:
            raise OSError("no space left on device")
        write(*arguments, **options)

    monkeypatch.setattr(synthetic.sf, "write", fail)
    with pytest.raises(OSError, match="no space"):
        synthetic.make_dataset(folder, 2, 20)
    assert len(calls) == 5
    assert [path.name for path in folder.parent.iterdir()] == (["set"] if existing else [])
    assert not existing or digest(folder) == before


def test_a_strangers_folder_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(ValueError, match="did not make"):
        synthetic.make_dataset(tmp_path, 0, 20)
    with pytest.raises(ValueError, match="did not make"):
        synthetic.make_dataset(tmp_path / "mine.txt", 0, 20)
    assert (tmp_path / "mine.txt").read_text() == "keep me"


@pytest.mark.parametrize(
    ("seed", "n_clips", "says"),
    [
        (-1, 60, "seed"),
        (1.5, 60, "seed"),
        (True, 60, "seed"),
        (0, 19, "20 or more"),
        (0, "60", "n_clips"),
    ],
)
def test_bad_arguments_are_refused(tmp_path, seed, n_clips, says):
    with pytest.raises(ValueError, match=says):
        synthetic.make_dataset(tmp_path / "set", seed, n_clips)
    assert not (tmp_path / "set").exists()


# ---- no giveaway beside the calls


def test_rooms_noise_and_level_do_not_know_the_species(monkeypatch):
    """With the same calls, a cat's and a dog's recording are the same, sample for sample."""
    monkeypatch.setattr(synthetic, "_calls", lambda rng, species, n: rng.standard_normal(n))
    for seed in range(8):
        cat = synthetic._recording(np.random.default_rng(seed), "cat", 40_000)
        dog = synthetic._recording(np.random.default_rng(seed), "dog", 40_000)
        assert np.array_equal(cat, dog) and cat.std() > 0
