"""A million clips, tried on forty: as one machine does it, killed half-way, on S3, again."""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

WHY = "`make large` installs what this needs: helpers/datasets/large/requirements.txt"
for package in ("distributed", "pyarrow", "s3fs", "moto", "flask"):
    pytest.importorskip(package, reason=WHY)


import dask  # noqa: E402

from helpers import audio, datasets, files, predict, splits, windows  # noqa: E402
from helpers.datasets.large import __main__ as command  # noqa: E402
from helpers.datasets.large import (  # noqa: E402
    audit,
    engine,
    pipeline,
    shards,
    steps,
    store,
    table,
)
from helpers.quiet import tf  # noqa: E402

RATE, BUCKET = 16_000, "s3://clips"
BROKEN = ("dog/broken.wav", "dog/empty.wav", "dog/text.mp3")
FACTS = ["finding", "sha256", "duration", "sample_rate", "channels"]


def stretch(seed, samples=RATE):
    """A sound of its own: noise through a resonance, with a beginning and an end."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    at = np.linspace(0, 1, len(spectrum))
    spectrum /= 1 + ((at - rng.uniform(0.05, 0.5)) / 0.1) ** 2
    wave = np.fft.irfft(spectrum, samples) * np.hanning(samples) ** 0.2
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty clips in two classes: 30 of their own, 3 broken ones, 7 that share audio with one."""
    root = tmp_path_factory.mktemp("clips")
    for label in ("cat", "dog"):
        (root / label).mkdir()
    for k in range(30):
        wave = stretch(k, RATE + 2000 * k)
        name = f"{k:02} [a].wav" if k == 4 else f"{k:02}.wav"  # letters that mean more elsewhere
        soundfile.write(root / ("cat", "dog")[k % 2] / name, wave, RATE)
        if k >= 24:  # another cut of it, softer
            soundfile.write(root / "cat" / f"{k}_again.wav", wave[5000:] / 2, RATE)
    (root / "cat" / "same.wav").write_bytes((root / "cat" / "00.wav").read_bytes())
    whole = (root / "cat" / "02.wav").read_bytes()
    for name, content in zip(BROKEN, (whole[:20], b"", b"no sound")):
        (root / name).write_bytes(content)
    return root


@pytest.fixture(scope="module")
def client():
    """Two workers, and an S3 server that they know of."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    there = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in there.items():
            patch.setenv(name, value)
        patch.delenv("DASK_SCHEDULER", raising=False)
        with engine.client(2) as client:
            yield client
    server.stop()


@pytest.fixture(scope="module")
def results(folder, client, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, pipeline.run(str(folder), str(out), client, size=8)


def parquet(out, name):
    return store.read([f"{out}/{name}.parquet"])


def test_nothing_is_lost(folder, results):
    out, done = results
    assert done == {"clips": 40, "left_out": 3, "tasks": 5 + 1}  # the parts, and the audit
    paths = sorted(map(str, folder.rglob("*.*")))
    for name in ("report", "catalog", "predictions"):
        assert list(parquet(out, name).path) == paths


def test_a_broken_clip_is_a_row_that_says_why(results):
    out, _ = results
    report = parquet(out, "report").set_index("path").finding
    said = {path: text for path, text in report.items() if text.startswith("left out")}
    assert sorted(Path(path).name for path in said) == ["broken.wav", "empty.wav", "text.mp3"]
    assert any("it holds no bytes" in text for text in said.values())
    predictions = parquet(out, "predictions").set_index("path")
    assert set(predictions.index[predictions.answer.isna()]) == set(said)
    assert predictions.error.notna().sum() == 3
    catalog = parquet(out, "catalog").set_index("path")
    assert (catalog.windows[list(said)] == 0).all()
    assert list(parquet(out, "report").columns)[1:] == FACTS


def test_the_report_is_what_one_machine_says(results):
    report = parquet(results[0], "report").set_index("path", drop=False)
    kept, findings = datasets.validate(report[["path"]])
    assert list(kept.index) == list(report.index[~report.finding.str.startswith("left out")])
    said = findings[~findings.finding.str.startswith("byte-identical")]
    assert report.finding[report.finding != ""].to_dict() == dict(said.to_numpy().tolist())
    assert list(report.sha256[kept.index]) == [files.digest(path) for path in kept.path]


def test_the_shards_hold_what_one_machine_makes(results):
    catalog = parquet(results[0], "catalog")
    usable = catalog[catalog.windows > 0]
    wanted = [windows.of_clip(audio.load(path)[0])[0] for path in usable.path]
    assert list(usable.windows) == [len(levels) for levels in wanted]
    records = tf.data.TFRecordDataset(sorted(usable.shard.unique()))
    parsed = [tf.train.Example.FromString(record.numpy()).features.feature for record in records]
    assert [one["path"].bytes_list.value[0].decode() for one in parsed] == list(usable.path)
    for one, levels in zip(parsed, wanted):
        raw = np.frombuffer(one["levels"].bytes_list.value[0], np.float32)
        np.testing.assert_array_equal(raw, levels.ravel())
    found = list(shards.batches(catalog[catalog.windows > 0], ["cat", "dog"], 64))
    pictures, label = (np.concatenate(part) for part in zip(*found))
    # shards take turns: the windows are the same, their order is not
    expected = windows.standardise(np.concatenate(wanted))
    ids = np.repeat(datasets.label_ids(usable), usable.windows)
    mine, theirs = (
        x[np.lexsort(x[:, ::7, ::9, 0].reshape(len(x), -1).T)] for x in (pictures, expected)
    )
    np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=2e-5)  # TensorFlow, NumPy
    assert sorted(label) == sorted(ids)


def test_the_seed_decides_the_order(results):
    catalog = parquet(results[0], "catalog")

    def drawn(seed):
        return np.concatenate([x for x, _ in shards.batches(catalog, ["cat", "dog"], 64, seed)])

    again = drawn(1)
    np.testing.assert_array_equal(drawn(1), again)
    assert not np.array_equal(drawn(2), again)


def test_labels_and_sides_are_the_catalog_s(results):
    catalog = parquet(results[0], "catalog")
    few = catalog[catalog.windows > 0].iloc[3:5].assign(label=["new", "newer"])
    label = np.concatenate([y for _, y in shards.batches(few, ["new", "newer"], 8, seed=1)])
    assert np.bincount(label).tolist() == few.windows.tolist()


def test_the_predictions_are_what_one_machine_says(results):
    predictions = parquet(results[0], "predictions").dropna(subset="answer")
    classifier = predict.Classifier.load()
    assert len(predictions) == 37
    for row in predictions.iloc[::6].to_dict("records"):
        answer = classifier.predict(row["path"])
        assert answer.label == row["answer"]
        for name, share in answer.probabilities.items():
            assert row[f"p({name})"] == pytest.approx(share, abs=1e-6)


def test_the_audit_finds_what_one_machine_finds(results):
    catalog = parquet(results[0], "catalog").set_index("path", drop=False)
    usable = catalog[catalog.windows > 0]
    pairs = parquet(results[0], "pairs")
    assert len(pairs) == 7
    pd.testing.assert_frame_equal(
        pairs, splits.shared_audio(usable), check_dtype=False, check_column_type=False
    )
    groups = splits.groups(usable, pairs)
    assert usable.group.groupby(groups).nunique().max() == 1
    assert usable.group.nunique() == len(set(groups)) == 30
    assert usable.groupby("group").split.nunique().max() == 1
    assert set(usable.split) == {"train", "test"}


def test_a_rerun_does_nothing(folder, results, client):
    out, _ = results
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.*")}
    assert pipeline.run(str(folder), str(out), client, size=8)["tasks"] == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.*")} == before


def test_a_mended_label_is_in_the_catalog_and_asks_for_nothing_else(
    folder, results, client, tmp_path
):
    listed = table.read(str(folder))
    listed.to_csv(tmp_path / "clips.csv", index=False)
    out = str(tmp_path / "out")
    pipeline.run(str(tmp_path / "clips.csv"), out, client, ["report"], size=20)
    listed.assign(label="mended").to_csv(tmp_path / "clips.csv", index=False)
    assert pipeline.run(str(tmp_path / "clips.csv"), out, client, ["report"], size=20)["tasks"] == 0
    assert set(parquet(out, "catalog").label) == {"mended"}


def test_a_table_that_says_what_the_report_says_is_no_obstacle(folder, client, tmp_path):
    listed = table.read(str(folder)).iloc[:8].assign(duration=99.0, sha256="?", windows=7)
    listed.to_csv(tmp_path / "clips.csv", index=False)
    out = str(tmp_path / "out")
    pipeline.run(str(tmp_path / "clips.csv"), out, client, ["report"])
    catalog = parquet(out, "catalog")
    assert catalog.columns.is_unique and (catalog.duration < 99).all()
    assert catalog.sha256.str.len().eq(64).all()


def test_what_was_lost_or_added_alone_is_made(folder, results, client, tmp_path):
    listed = table.read(str(folder))
    listed.iloc[:30].to_csv(tmp_path / "clips.csv", index=False)
    clips, out = str(tmp_path / "clips.csv"), str(tmp_path / "out")
    ask = partial(pipeline.run, clips, out, client, ["report"], size=8)
    assert ask()["tasks"] == 4
    part = sorted(Path(out, "parts", "report").iterdir())[1]
    kept = part.read_bytes()
    part.unlink()
    assert ask()["tasks"] == 1
    assert part.read_bytes() == kept
    listed.to_csv(clips, index=False)
    assert ask() == {"clips": 40, "left_out": 3, "tasks": 2}  # the one of six clips, and one more


def deadly(clips, url, log):
    """The report's step, whose worker is killed in the middle of the second part, once."""
    if url.rsplit("/", 1)[1].startswith("000001") and not Path(f"{log}.killed").exists():
        with store.writing(url) as part:
            part.write_bytes(b"half")
            Path(f"{log}.killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    steps.report(clips, url)
    with open(log, "a") as file:
        file.write(f"{url}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")
def test_a_killed_worker_costs_its_tasks_only(folder, results, client, tmp_path):
    parts = table.parts(table.read(str(folder)), 8)
    out, log = tmp_path / "out", str(tmp_path / "log")
    urls = [f"{out}/{name}.parquet" for name, _ in parts]
    tasks = [(part, [(partial(deadly, log=log), url)]) for url, (_, part) in zip(urls, parts)]
    engine.run(client, pipeline._work, tasks, "clips")
    assert Path(f"{log}.killed").exists()
    assert sorted(Path(log).read_text().split()) == urls  # each once
    assert store.listed(str(out)) == {Path(url).name for url in urls}
    pd.testing.assert_frame_equal(store.read(urls), parquet(results[0], "report"))
    assert len(list(out.iterdir())) == 5  # who wrote it again has removed the half


def test_rests_are_removed_and_nothing_else(tmp_path):
    import filelock

    place = tmp_path / "parts" / "report"
    place.mkdir(parents=True)
    new, old, held = (place / f".00000{k}-0123abcd-12345678.parquet" for k in range(3))
    lonely = tmp_path / ".catalog-12345678.parquet.lock"
    strangers = [tmp_path / ".notes-20260101.txt", place / ".mine-12345678.parquet.lock"]
    strangers += [tmp_path / "deep" / ".report-12345678.parquet.lock"]
    strangers[-1].parent.mkdir()
    locks = [path.with_name(f"{path.name}.lock") for path in (new, old, held)]
    for path in (new, old, held, lonely, *strangers, *locks):
        path.write_bytes(b"half")
        if path != new:
            os.utime(path, (0, 0))
    with filelock.FileLock(locks[2]):
        os.utime(locks[2], (0, 0))
        store.remove_rests(str(tmp_path))
        left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {new, locks[0], held, locks[2], *strangers}


def test_a_name_with_colons_is_a_name(folder, tmp_path):
    odd = tmp_path / "a.wav::b.wav"
    odd.write_bytes((folder / "cat" / "02.wav").read_bytes())
    (tmp_path / "a.wav").write_bytes((folder / "cat" / "00.wav").read_bytes())
    with store.local_copies([str(odd)]) as (local, why):
        assert files.digest(local[0]) == files.digest(odd) and why == [None]


def test_a_length_is_what_was_decoded(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, stretch(0), RATE)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # of STREAMINFO: the number of samples, 36 bits; 0 is "unknown"
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert soundfile.info(path).duration > 1e9
    clips = pd.DataFrame({"path": [str(path)], "local": [str(path)], "why": [None]})
    steps.report(clips, str(tmp_path / "report.parquet"))
    assert parquet(tmp_path, "report").duration.tolist() == [1.0]


def test_a_clip_without_label_is_told_in_a_sentence(results):
    catalog = parquet(results[0], "catalog")
    catalog.loc[3, "label"] = None
    with pytest.raises(ValueError, match="1 clips have no label, first 3"):
        shards.batches(catalog, ["cat", "dog"], 8)


@pytest.mark.parametrize("size", [0, -1])
def test_a_part_of_no_clip_is_refused(folder, size):
    with pytest.raises(ValueError, match=f"a part holds 1 clip or more, not {size}"):
        table.parts(table.read(str(folder)), size)


def deadly_clip(clips, url):
    """The report's step, which two clips end, each in its own way."""
    for local in clips.local:
        if Path(local).name == "03.wav":
            os._exit(3)
        if Path(local).name == "12.wav":
            os.kill(os.getpid(), signal.SIGKILL)
    steps.report(clips, url)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGKILL")
def test_a_clip_that_ends_its_worker_is_a_row_of_the_report(folder, results, client, tmp_path):
    parts = table.parts(table.read(str(folder)), 16)
    urls = [f"{tmp_path}/{name}.parquet" for name, _ in parts]
    tasks = [(part, [(deadly_clip, url)]) for url, (_, part) in zip(urls, parts)]
    assert pipeline._all_parts(client, tasks) == {}
    mine, theirs = store.read(urls), parquet(results[0], "report")
    deadly = mine.path.str.contains("03.wav|12.wav")
    assert set(mine.finding[deadly]) == {"left out: it ended the worker that opened it"}
    assert deadly.sum() == 2
    pd.testing.assert_frame_equal(mine[~deadly], theirs[~deadly])


def fails_at(clips, url):
    if clips.index[0] == 16:
        raise ValueError("no such part")
    steps.report(clips, url)


def test_of_what_is_there_a_report_is_written_before_the_end(
    folder, results, client, tmp_path, monkeypatch
):
    monkeypatch.setattr(pipeline.steps, "report", fails_at)
    monkeypatch.setattr(pipeline.cache, "key", lambda *_: "01234567")
    with pytest.raises(RuntimeError, match=r"1 of 3 tasks failed.*no such part"):
        pipeline.run(str(folder), str(tmp_path), client, ["report"], size=16)
    theirs = parquet(results[0], "report")
    theirs = theirs.drop(index=range(16, 32)).reset_index(drop=True)
    pd.testing.assert_frame_equal(parquet(tmp_path, "report"), theirs)
    assert list(parquet(tmp_path, "catalog").path) == list(theirs.path)


def test_odd_rows_of_a_table_are_rows_of_the_report(folder, client, tmp_path):
    paths = ["foo://x/a.wav", "http://127.0.0.1:9/a.wav", "s3://no-such/a.wav", "s3://a b/a.wav"]
    paths += [str(folder / "cat" / "00.wav")]
    pd.DataFrame({"path": paths}).to_csv(tmp_path / "clips.csv", index=False)
    done = pipeline.run(str(tmp_path / "clips.csv"), str(tmp_path / "out"), client, size=16)
    assert done["left_out"] == 4
    finding = parquet(tmp_path / "out", "report").finding
    assert finding[:4].str.startswith("left out: ").all() and finding[4] == ""
    assert "Protocol not known: foo" in finding[0] and "could not be fetched" in finding[1]


def test_a_place_that_is_away_is_no_clip_s_fault():
    paths = [f"http://127.0.0.1:9/{k}.wav" for k in range(20)]
    with (
        pytest.raises(OSError, match="20 of 20 fetches failed"),
        store.local_copies(paths),
    ):
        pytest.fail("it went on")


@pytest.mark.skipif(sys.platform != "linux", reason="there, names of files are UTF-8")
def test_a_file_s_name_that_is_not_utf_8_is_a_row_of_the_report(folder, client, tmp_path):
    (tmp_path / "clips" / "cat").mkdir(parents=True)
    for name in (b"a.wav", b"b\xff.wav"):
        path = os.path.join(os.fsencode(tmp_path), b"clips", b"cat", name)
        with open(path, "wb") as file:
            file.write((folder / "cat" / "00.wav").read_bytes())
    done = pipeline.run(str(tmp_path / "clips"), str(tmp_path / "out"), client, ["report"])
    assert (done["clips"], done["left_out"]) == (2, 1)
    report = parquet(tmp_path / "out", "report")
    assert report.path[1].endswith("cat/b\\udcff.wav") and "no such file" in report.finding[1]


def fails(number):
    if number == 3:
        raise ValueError("no such number")
    return number


def test_a_task_that_fails_is_named_after_all_others(client):
    with pytest.raises(
        RuntimeError, match=r"1 of 9 tasks failed.*of task 3: ValueError: no such number"
    ):
        engine.run(client, fails, [(k,) for k in range(9)], "numbers", ahead=2)
    assert sorted(engine.run(client, fails, [(k,) for k in range(3)], "numbers")) == [0, 1, 2]


def test_clips_and_results_on_s3(folder, results, client, monkeypatch, tmp_path):
    import s3fs

    fs = s3fs.S3FileSystem()
    fs.mkdir(BUCKET)
    fs.put(f"{folder}/", f"{BUCKET}/folder/", recursive=True)
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.*"))]
    rows = pd.DataFrame({"path": names, "label": [name[:3] for name in names]})
    with fs.open(f"{BUCKET}/folder/clips.csv", "w") as file:
        rows.to_csv(file, index=False)
    out = f"{BUCKET}/results"
    ask = partial(pipeline.run, f"{BUCKET}/folder/clips.csv", out, client, size=16)
    assert ask() == {"clips": 40, "left_out": 3, "tasks": 3 + 1}
    assert ask()["tasks"] == 0
    for name in ("predictions", "pairs", "report"):
        mine, theirs = parquet(out, name), parquet(results[0], name)
        for column in mine.columns.intersection(["path", "clip_a", "clip_b"]):
            mine[column] = mine[column].str.replace(f"{BUCKET}/folder", str(folder))
        pd.testing.assert_frame_equal(mine, theirs, atol=1e-6)
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path))
    catalog = parquet(out, "catalog")
    read = sum(len(y) for _, y in shards.batches(catalog, ["cat", "dog"], 64, seed=0))
    assert read == catalog.windows.sum()
    assert len(list((tmp_path / "shards").glob("*"))) >= 3


class Host:
    """Stands for a file system elsewhere whose first file comes half, as when it is killed."""

    asked = 0

    def get_file(self, path, local):
        self.asked += 1
        Path(local).write_bytes(b"a whole shard"[: 5 if self.asked == 1 else None])
        if self.asked == 1:
            raise KeyboardInterrupt


def test_a_shard_of_which_half_came_is_fetched_again(monkeypatch, tmp_path):
    host = Host()
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path))
    monkeypatch.setattr(store, "place", lambda url: (host, url))
    with pytest.raises(KeyboardInterrupt):
        shards._here("s3://shards/a.tfrecord")
    path = shards._here("s3://shards/a.tfrecord")
    assert Path(path.decode()).read_bytes() == b"a whole shard"
    assert shards._here("s3://shards/a.tfrecord") == path and host.asked == 2
    assert len(list((tmp_path / "shards").iterdir())) == 1


def test_a_scheduler_that_is_away_is_one_sentence(folder, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("DASK_SCHEDULER", "tcp://127.0.0.1:9")
    with dask.config.set({"distributed.comm.timeouts.connect": "300ms"}):
        assert command.main([str(folder), "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("large: DASK_SCHEDULER=tcp://127.0.0.1:9 cannot be reached")
    assert said.count("\n") == 1 and "start it, or unset" in said
    monkeypatch.delenv("DASK_SCHEDULER")
    assert command.main([str(folder), "--workers", "-1"]) == 1
    assert "1 worker or more" in capsys.readouterr().err


def test_a_sweep_runs_on_the_same_scheduler(client, monkeypatch, tmp_path, capsys):
    import sweep
    from test_run_all import DISPLAY, toy

    toy(tmp_path, "04_toy", DISPLAY)
    for name in ("JUPYTER_PATH", "IPYTHONDIR", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DASK_SCHEDULER", client.scheduler.address)
    monkeypatch.setenv("DATASET", "synthetic")
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
    asked = ["04", "-p", "SEED", "0,1,2", "--notebooks", str(tmp_path)]
    assert sweep.main(asked) == 0, capsys.readouterr().err
    table = pd.read_csv(tmp_path / "runs" / "sweep" / "04_toy" / "sweep.csv")
    assert sorted(table.SEED) == [0, 1, 2] and table.error.isna().all()
    capsys.readouterr()
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))  # as another process would find it
    assert sweep.main(asked) == 0
    assert "3 runs, of which 3 are finished" in capsys.readouterr().out


def test_planted_pairs_are_all_found_and_none_else(tmp_path):
    """As a million clips are audited, with their longer runs: 300 stretches, 30 pairs."""
    rng = np.random.default_rng(0)
    waves = [stretch(k, 2 * RATE) for k in range(300)]
    for k in range(30):
        shift = int(rng.integers(0, RATE // 2))
        noise = 1e-3 * rng.standard_normal(2 * RATE).astype(np.float32)
        waves[270 + k] = np.roll(waves[k], -shift) * (-1) ** k * 0.5 + noise
    clips = pd.DataFrame({"path": range(300), "local": range(300)})
    length, one_in = audit.settings(10**6)
    assert (length, one_in) == (64, 32)
    names = [str(tmp_path / f"names{k}.parquet") for k in range(3)]
    for k, url in enumerate(names):
        part = clips.iloc[100 * k : 100 * (k + 1)]
        audit.names(part, url, length, one_in, 8, load=waves.__getitem__)
    votes = [str(tmp_path / f"votes{k}.parquet") for k in range(8)]
    for k, url in enumerate(votes):
        audit.join(names, k, url, 8)
    pairs = [pair for k in range(8) for pair in audit.meet(votes, k)]
    found = [
        (a, b)
        for a, b, offsets in pairs
        if splits.agreement(*(splits.steps(waves[i]) for i in (a, b)), offsets)[0] >= 1
    ]
    assert sorted(found) == [(k, 270 + k) for k in range(30)]
    assert len(pairs) <= 40  # hardly any other is listened to


@pytest.mark.parametrize(
    ("content", "say"),
    [("file\na.wav\n", "no column path"), ("path\n", "no clip"), ("path\na\na\n", "stands twice")],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path, content, say):
    (tmp_path / "clips.csv").write_text(content)
    with pytest.raises(ValueError, match=say):
        table.read(str(tmp_path / "clips.csv"))


def test_a_label_may_be_a_word_that_pandas_takes_for_missing(tmp_path):
    labels = ["None", "NA", "null", "nan"]
    rows = ["path,label", *(f"{label}.wav,{label}" for label in labels), "a.wav,", "b.wav,dog"]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    with pytest.warns(
        UserWarning, match="4 clips are labelled NA, None, nan, null, which is taken"
    ):
        clips = table.read(str(tmp_path / "clips.csv"))
    assert clips.label[:4].tolist() == labels
    assert clips.label.isna().tolist() == [False] * 4 + [True, False]  # a blank is still none
    assert clips.path[1].endswith("/NA.wav")


def test_what_a_table_does_not_know_joins_no_clips(tmp_path):
    """R, for one, writes NA where it knows nothing."""
    rows = ["path,label,group,split,rating", "a.wav,dog,tape 1,train,4.5"]
    rows += [f"{word}.wav,dog,{word},{word},{word}" for word in ("NA", "NaN", "null", "None")]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    clips = table.read(str(tmp_path / "clips.csv"))
    assert clips.group.tolist()[0] == "tape 1" and clips.split.tolist()[0] == "train"
    assert clips[["group", "split", "rating"]].isna().sum().tolist() == [4] * 3
    assert clips.rating.sum() == 4.5


@pytest.mark.parametrize(
    ("protocol", "package"), [("gs", "gcsfs"), ("hf", "huggingface_hub"), ("abfs", "adlfs")]
)
def test_a_place_whose_package_is_missing_says_which(
    monkeypatch, capsys, tmp_path, protocol, package
):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    monkeypatch.setattr(engine, "client", lambda workers: nullcontext())
    do = f"pip install {package}, here and on every worker"
    say = f"{protocol}:// cannot be reached yet: {do}"
    assert command.main([f"{protocol}://clips/a.csv", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"large: {say}\n"
    with store.local_copies([f"{protocol}://clips/a.wav"]) as (_, why):
        assert why == [say]


def test_a_part_is_named_by_what_stands_in_it(folder):
    clips = table.read(str(folder))
    names = [name for name, _ in table.parts(clips, 16)]
    other = clips.assign(bytes=clips.bytes.where(clips.index != 20, 1))
    changed = [name for name, _ in table.parts(other, 16)]
    assert [a == b for a, b in zip(names, changed)] == [True, False, True]
    assert [name for name, _ in table.parts(clips.iloc[:32], 16)] == names[:2]
    assert [name for name, _ in table.parts(clips.assign(label="new"), 16)] == names


MIRRORED = """
import sys
import tensorflow as tf  # before the course, whose first operation fixes the devices

cpu = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu[0], [tf.config.LogicalDeviceConfiguration()] * 2)

import numpy as np
import pandas as pd
from helpers import models
from helpers.datasets.large import shards
from helpers.quiet import keras

catalog = pd.read_parquet(sys.argv[1])


def train(strategy):
    keras.utils.set_random_seed(0)
    whole = 3  # a rest would be dealt unevenly
    data = shards.batches(catalog, ["cat", "dog"], 32).take(whole)
    with strategy.scope():
        model = models.compact_cnn((94, 64, 1), 2, width=4, stride=2)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True  # else each device has means of its own
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0  # each device draws its own
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.01), loss, metrics=["accuracy"], jit_compile=False)
    history = model.fit(data, epochs=2, shuffle=False, verbose=0).history
    return np.array([history["loss"], history["accuracy"]])


two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert two.num_replicas_in_sync == 2
one = train(tf.distribute.OneDeviceStrategy("CPU:0"))
print(one.round(6).tolist())
both = train(two)
print(both.round(6).tolist())
assert one[0, -1] < one[0, 0]
np.testing.assert_allclose(both, one, atol=1e-4)  # sums in another order
"""


def test_two_devices_train_as_one(results, tmp_path):
    script = tmp_path / "mirrored.py"
    script.write_text(MIRRORED)
    catalog = parquet(results[0], "catalog")
    catalog[catalog.windows > 0].to_parquet(tmp_path / "catalog.parquet")
    assert catalog.windows.sum() > 3 * 32
    command = [sys.executable, str(script), str(tmp_path / "catalog.parquet")]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=files.ROOT)
    assert ran.returncode == 0, ran.stdout + ran.stderr[-3000:]
