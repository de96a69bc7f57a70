"""From a table of clips to report, catalog, predictions and pairs; what is there is not redone."""

import hashlib
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from distributed import KilledWorker

from helpers import cache, predict, splits
from helpers.datasets.large import audit, engine, steps, store, table

STEPS = ("report", "features", "predictions", "audit")
_PAIRS = ["clip_a", "clip_b", "offset_a", "offset_b", "overlap", "correlation"]


def run(clips, out, client, wanted=STEPS, model=None, size=256):
    """Do all that is not done yet, part by part.

    Args:
        clips: URL of the table or the folder, as table.read takes it.
        out: URL of the folder for the results.
        client: dask.distributed.Client, as engine.client yields.
        wanted: some of STEPS; report is always made.
        model: path of a model's file for predictions; by default the shipped .tflite.
        size: clips a part, which is what a killed worker loses.

    Returns:
        dict: clips, left_out (clips that cannot be used), tasks (how many were done this time).
        In `out` lie report.parquet, catalog.parquet (a row a clip: the table, the report's facts,
        and windows, shard, group and split as far as they were asked for), predictions.parquet
        and pairs.parquet, one row each two clips that share audio; and parts/, from which a rerun
        goes on, TFRecord shards among them.

    Raises:
        ValueError: as table.read; or no such step.
        RuntimeError: as engine.run; report and catalog of all other parts are written before.
    """
    unknown = sorted(set(wanted) - set(STEPS))
    if unknown:
        raise ValueError(f"no step {', '.join(unknown)}: there are {', '.join(STEPS)}")
    out = store.folder(out)
    clips = table.read(clips)
    parts = table.parts(clips, size)
    functions = {"report": (steps.report, cache.key(steps.report))}
    if "features" in wanted:
        functions["features"] = steps.features, cache.key(steps.features)
    if "predictions" in wanted:
        model = Path(model or predict.SHIPPED).resolve()
        card = steps.digests(model)
        function = partial(steps.predictions, model=model, card=card)
        functions["predictions"] = function, cache.key(steps.predictions, card)
    buckets = audit.buckets(len(clips))
    if "audit" in wanted:
        how = (*audit.settings(len(clips)), buckets)
        function = partial(audit.names, **dict(zip(("length", "one_in", "buckets"), how)))
        functions["names"] = function, cache.key(audit.names, how)

    urls, todo = {}, {name: [] for name, _ in parts}
    for step, (function, key) in functions.items():
        there = store.listed(f"{out}/parts/{step}")
        urls[step] = [f"{out}/parts/{step}/{name}-{key}.parquet" for name, _ in parts]
        for (name, _), url in zip(parts, urls[step]):
            if url.rsplit("/", 1)[1] not in there:
                todo[name].append((function, url))
    numbers = [i for i, (name, _) in enumerate(parts) if todo[name]]
    tasks = [(parts[i][1], todo[parts[i][0]]) for i in numbers]
    failed = _all_parts(client, tasks)
    if failed:  # of the others there is a report and a catalog all the same
        there = sorted({*range(len(parts))} - {numbers[i] for i in failed})
        if there:
            urls = {step: [of_step[i] for i in there] for step, of_step in urls.items()}
            clips = pd.concat([parts[i][1] for i in there], ignore_index=True)
            _write_catalog(out, clips, _write_report(out, urls), urls)
        engine.check(failed, len(tasks), "clips")
    report, pairs = _write_report(out, urls), None
    if "audit" in wanted:
        code = [cache.key(audit.join), cache.key(audit.meet), cache.key(audit.verify)]
        url, done = f"{out}/pairs.parquet", _name_of([*urls["names"], *urls["report"], *code])
        if store.about(url) != done:
            _write_catalog(out, clips, report, urls)  # should the audit fail
            store.write(url, _pairs(client, urls["names"], report, buckets, out), about=done)
            tasks += [()]
        pairs = store.read([url])
    _write_catalog(out, clips, report, urls, pairs)
    store.remove_rests(out)
    left_out = int(report.finding.str.startswith("left out").sum())
    return {"clips": len(clips), "left_out": left_out, "tasks": len(tasks)}


def _all_parts(client, tasks):
    """Do all parts; of a part whose workers were killed, find out by which clips, and leave them.

    Args:
        tasks: list of (part, todo), as _work takes them.

    Returns:
        {number of a task: its error} of those that failed nevertheless.
    """
    _, failed = engine.tried(client, _work, tasks, "clips")
    again = [i for i, error in failed.items() if isinstance(error, KilledWorker)]
    alone = [(tasks[i][0].loc[[k]], tasks[i][1]) for i in again for k in tasks[i][0].index]
    suspects = engine.tried(client, _try, alone, "clips of parts that ended their workers")[1]
    alone = [alone[i] for i in sorted(suspects)]
    # one at a time: a worker's end is blamed on all tasks that it holds
    guilty = engine.tried(client, _try, alone, "suspects", ahead=1)[1]
    deadly = {alone[i][0].index[0] for i, e in guilty.items() if isinstance(e, KilledWorker)}
    marked = [(tasks[i][0], tasks[i][1], deadly & {*tasks[i][0].index}) for i in again]
    _, still = engine.tried(client, _work, marked, "parts without them")
    lost = {again[i]: error for i, error in still.items()}
    return {i: e for i, e in failed.items() if i not in again} | lost


def _work(part, todo, deadly=()):
    """On a worker: fetch a part's clips once, and write what is not there yet.

    Args:
        part: DataFrame of clips.
        todo: list of (function of clips and URL, URL).
        deadly: clips that ended their workers, by their number: nobody opens them any more.
    """
    with store.local_copies(part.path) as (local, why):
        clips = part.assign(local=local, why=pd.Series(why, part.index, "object"))
        clips.loc[list(deadly), ["local", "why"]] = "", "it ended the worker that opened it"
        for function, url in todo:
            if not store.exists(url):  # an earlier try, killed after it
                function(clips, url)


def _try(part, todo):
    """On a worker: do to one clip what _work does, and keep nothing."""
    with tempfile.TemporaryDirectory() as folder:
        _work(part, [(function, f"{folder}/{i}.parquet") for i, (function, _) in enumerate(todo)])


def _write_report(out, urls):
    """Write what all parts say into one file, of the predictions too; returns the report."""
    for step in ("predictions", "report"):
        if step in urls:
            make = partial(store.read, urls[step])
            table = _gathered(f"{out}/{step}.parquet", _name_of(urls[step]), make)
    return table


def _write_catalog(out, clips, report, urls, pairs=None):
    """Write the catalog, which without pairs tells no groups."""
    if pairs is None:
        urls = {step: of_step for step, of_step in urls.items() if step != "names"}
    made = [url for step in sorted(urls) if step != "predictions" for url in urls[step]]
    done = _name_of([*made, clips.to_csv(), cache.key(_catalog)])
    _gathered(f"{out}/catalog.parquet", done, lambda: _catalog(clips, report, urls, pairs))


def _pairs(client, names, report, buckets, out):
    """The audit of all parts' names: DataFrame as splits.shared_audio."""
    run = f"{out}/parts/votes/{_name_of(names)}"
    votes, there = (
        [f"{run}-{k:06}.parquet" for k in range(buckets)],
        store.listed(f"{out}/parts/votes"),
    )
    tasks = [(names, k, url, buckets) for k, url in enumerate(votes)]
    left = [task for task in tasks if task[2].rsplit("/", 1)[1] not in there]
    engine.run(client, audit.join, left, "names")
    found = engine.run(client, audit.meet, [(votes, k) for k in range(buckets)], "votes")
    pairs = sorted(pair for some in found for pair in some)
    path = report.path
    cut = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    tasks = [(some, {i: path[i] for a, b, _ in some for i in (a, b)}) for some in cut]
    rows = {
        (a, b): [a, b, *rest]
        for some in engine.run(client, audit.verify, tasks, "pairs")
        for a, b, *rest in some
    }
    rows |= {(row[0], row[1]): row for row in audit.identical(report)}
    shared = pd.DataFrame([rows[pair] for pair in sorted(rows)], columns=_PAIRS)
    return shared.assign(
        clip_a=path[shared.clip_a].to_numpy(), clip_b=path[shared.clip_b].to_numpy()
    )


def _catalog(clips, report, urls, pairs):
    """One row a clip: the table, and what was found; where both say it, what was found."""
    ours = clips.columns.intersection({*report.columns, "windows", "shard"} - {"path"})
    catalog = pd.concat([clips.drop(columns=ours), report.drop(columns="path")], axis=1)
    if "features" in urls:
        catalog = catalog.join(store.read(urls["features"])[["windows", "shard"]])
    if "names" not in urls:
        return catalog
    by_path = catalog.set_index("path", drop=False)
    if "group" in catalog:  # what the table says to be one recording stays one
        first = by_path.groupby("group").path.transform("first")
        stated = pd.DataFrame({"clip_a": first.to_numpy(), "clip_b": by_path.index}).dropna()
        pairs = pd.concat([pairs[["clip_a", "clip_b"]], stated])
    group = pd.Series(splits.groups(by_path, pairs), catalog.index)
    catalog["group"] = catalog.path.groupby(group).transform("first")
    if "split" not in catalog:
        test = [_name_of([name])[0] < "3" for name in catalog.group]  # 3 of 16 hexadecimal digits
        catalog["split"] = np.where(test, "test", "train")
    return catalog


def _gathered(url, done, make):
    """A result of all parts: read, or made where it is missing or of other parts."""
    if store.about(url) != done:
        store.write(url, make(), about=done)
    return store.read([url])


def _name_of(texts):
    return hashlib.sha256("\n".join(map(str, texts)).encode()).hexdigest()[:16]
