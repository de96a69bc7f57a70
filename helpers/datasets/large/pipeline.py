"""From a table of clips to report, catalog, predictions and pairs; what is there is not redone."""

import hashlib
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

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
        RuntimeError: as engine.run.
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
    tasks = [(part, todo[name]) for name, part in parts if todo[name]]
    engine.run(client, _work, tasks, "clips")

    done = _name_of(urls["report"])
    report = _gathered(f"{out}/report.parquet", done, lambda: store.read(urls["report"]))
    if "predictions" in wanted:
        done = _name_of(urls["predictions"])
        _gathered(f"{out}/predictions.parquet", done, lambda: store.read(urls["predictions"]))
    pairs = pd.DataFrame(columns=_PAIRS)
    if "audit" in wanted:
        code = [cache.key(audit.join), cache.key(audit.meet), cache.key(audit.verify)]
        url, done = f"{out}/pairs.parquet", _name_of([*urls["names"], *urls["report"], *code])
        if store.about(url) != done:
            store.write(url, _pairs(client, urls["names"], report, buckets, out), about=done)
            tasks += [()]
        pairs = store.read([url])
    made = [url for step in sorted(urls) if step != "predictions" for url in urls[step]]
    done = _name_of([*made, clips.to_csv(), cache.key(_catalog)])
    _gathered(f"{out}/catalog.parquet", done, lambda: _catalog(clips, report, urls, pairs))
    store.remove_rests(out)
    left_out = int(report.finding.str.startswith("left out").sum())
    return {"clips": len(clips), "left_out": left_out, "tasks": len(tasks)}


def _work(part, todo):
    """On a worker: fetch a part's clips once, and write what is not there yet.

    Args:
        part: DataFrame of clips.
        todo: list of (function of clips and URL, URL).
    """
    with store.local_copies(part.path) as local:
        clips = part.assign(local=local)
        for function, url in todo:
            if not store.exists(url):  # an earlier try, killed after it
                function(clips, url)


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
