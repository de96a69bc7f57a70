"""Make report, catalog, TFRecord shards, predictions and an audit of very many clips, on Dask.

A broken clip is a row in report.parquet, and so is one that ends its worker; a killed worker costs
its tasks; the same command goes on where it stopped. A clip that could not be fetched is tried
again when its part's files below parts/ are removed. Workers: one a core of this machine, or those
of DASK_SCHEDULER=tcp://HOST:8786, which need this package at the same place and the same versions,
and reach both clips and results.
"""

import argparse
import sys

from helpers import cache, files
from helpers.datasets.large import engine, pipeline


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="python -m helpers.datasets.large", description=__doc__.splitlines()[0]
    )
    parser.add_argument("clips", help="CSV or Parquet with a column path, or a folder; any URL")
    parser.add_argument("--out", default=str(files.runs() / "large"), help="folder; any URL")
    parser.add_argument("--steps", nargs="+", default=pipeline.STEPS, choices=pipeline.STEPS)
    parser.add_argument("--model", help="instead of the shipped one; .tflite or .keras")
    parser.add_argument("--workers", type=int, help="on this machine; one a core")
    parser.add_argument("--part", type=int, default=256, help="clips a task")
    options = parser.parse_args(argv)
    try:
        with engine.client(options.workers) as client:
            done = pipeline.run(
                options.clips, options.out, client, options.steps, options.model, options.part
            )
    except (ValueError, OSError, RuntimeError, cache.Unkeyable) as error:
        print(f"large: {error}", file=sys.stderr)
        return 1
    print(
        f"{done['clips']:,} clips, of which {done['left_out']:,} cannot be used, and say why in "
        f"report.parquet; {done['tasks']:,} tasks were left to do.\nAll lies in {options.out}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
