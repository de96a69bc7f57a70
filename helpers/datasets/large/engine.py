"""Dask as the course uses it: workers, tasks that may be lost and repeated, a line of progress."""

import logging
import os
from contextlib import contextmanager
from itertools import islice

import dask
from dask.distributed import Client, LocalCluster, as_completed
from tqdm import tqdm


@contextmanager
def client(workers=None):
    """A Dask client: of the scheduler that DASK_SCHEDULER names, else of workers on this machine.

    Args:
        workers: on this machine; by default one a core.

    Yields:
        dask.distributed.Client.

    Raises:
        ConnectionError: that scheduler does not answer.
        ValueError: workers is below 1.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"1 worker or more is needed, not {workers}")
    address = os.environ.get("DASK_SCHEDULER")
    if address:
        try:
            found = Client(address)
        except (OSError, ValueError) as error:
            raise ConnectionError(
                f"DASK_SCHEDULER={address} cannot be reached ({error}): start it, or unset "
                "DASK_SCHEDULER for workers on this machine"
            ) from error
        with found:
            yield found
        return
    # a process a worker: a clip's steps hold Python's lock too long for threads to help
    options = {"n_workers": workers or os.cpu_count(), "threads_per_worker": 1}
    options |= {"dashboard_address": None, "silence_logs": logging.ERROR}
    # here no worker goes but by its task's fault, so that two are enough to blame it
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(**options) as cluster,
        Client(cluster) as found,
    ):
        yield found


def run(client, function, tasks, what, ahead=200):
    """Call a function for each task on the workers; one that fails does not keep the others.

    Args:
        client, function, tasks, what, ahead: as tried.

    Returns:
        what the function returned, as they ended.

    Raises:
        RuntimeError: after all others, if some tasks failed; the message has the first error.
    """
    results, failed = tried(client, function, tasks, what, ahead)
    check(failed, len(tasks), what)
    return results


def check(failed, of, what):
    """Raise if some of so many tasks failed.

    Args:
        failed: {number of a task: its error}.

    Raises:
        RuntimeError: says which, and has the error of one.
    """
    if failed:
        (first, error), numbers = next(iter(failed.items())), ", ".join(map(str, [*failed][:5]))
        raise RuntimeError(
            f"{what}: {len(failed)} of {of} tasks failed, the others are done; the same "
            f"command tries these again. Tasks {numbers}{', ...' * (len(failed) > 5)} in their "
            f"order; of task {first}: {type(error).__name__}: {error}"
        )


def tried(client, function, tasks, what, ahead=200):
    """Call a function for each task on the workers, and say of each that fails why.

    A killed worker's tasks go to another one; a task that killed several is given up.

    Args:
        client: as from client.
        function: called with a task's values.
        tasks: list of tuples.
        what: for the line of progress.
        ahead: tasks that the scheduler holds at a time.

    Returns:
        results: what the function returned, as they ended.
        failed: {number of a task: its error}; KilledWorker if it, or its neighbour, killed several.
    """
    left, results, failed, number = iter(enumerate(tasks)), [], {}, {}

    def some(n):
        for i, task in islice(left, n):
            # pure=False: a result that is kept elsewhere must not stand in for a file that is gone
            future = client.submit(function, *task, pure=False, retries=1)
            number[future.key] = i
            yield future

    with tqdm(total=len(tasks), unit="task", desc=what, disable=not tasks) as bar:
        ended = as_completed(list(some(ahead)))
        for future in ended:
            error = future.exception()
            results += [] if error else [future.result()]
            failed |= {number[future.key]: error} if error else {}
            future.release()
            ended.update(list(some(1)))
            bar.update()
    return results, failed
