"""What the course downloads: each thing with its address and licence; whole or not at all."""

import shutil
import threading
import urllib.error
import urllib.request

_KAGGLE_HANDLE = "mmoreaux/audio-cats-and-dogs"
_KAGGLE_URL = "https://www.kaggle.com"


def recordings(target):
    """Kaggle's recordings, whole or not at all; no account is needed."""
    check_connection()
    import kagglehub

    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        kagglehub.dataset_download(_KAGGLE_HANDLE, output_dir=str(partial))
        if not any(partial.rglob("*.wav")):
            raise ConnectionError("Kaggle's download held no WAV files: try again later")
        partial.rename(target)
    except Exception as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ConnectionError(f"the download from Kaggle failed: {first_line(error)}") from error
    return target


def check_connection(url=None, seconds=3.0):
    """Raise within a few seconds if nothing answers: kagglehub itself would wait for ever."""
    url = url or _KAGGLE_URL
    problem = [f"no answer within {seconds:g} s"]

    def ask():
        try:
            request = urllib.request.Request(url, method="HEAD")
            urllib.request.urlopen(request, timeout=seconds).close()
            problem.clear()
        except urllib.error.HTTPError:
            problem.clear()  # any answer at all shows that the host is reached
        except (OSError, ValueError) as error:
            problem[:] = [first_line(getattr(error, "reason", error))]

    thread = threading.Thread(target=ask, daemon=True)  # a name look-up has no time limit
    thread.start()
    thread.join(seconds)
    if problem:
        raise ConnectionError(f"Kaggle cannot be reached ({problem[0]})")


def first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
