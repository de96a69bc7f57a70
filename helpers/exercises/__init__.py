"""Exercises that check themselves: right, not quite and why, or not yet."""

from importlib import import_module
from pathlib import Path

from helpers.exercises import record


def check(exercise: str, answer: object) -> None:
    """Print whether an exercise's answer is right; if so, it is noted for `progress`.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        exercise: its number, such as "01.1".
        answer: what the learner found; `...` stands for no answer yet.

    Raises:
        ValueError: no such exercise.
    """
    right, verdict = _verdict(exercise, answer)
    print(verdict)
    if right:
        record.keep(exercise)


def _verdict(exercise, answer):
    """Judge an answer: (True, "Right. ...") or (False, "Not yet. ..." or "Not quite. ...").

    Raises:
        ValueError: no such exercise.
    """
    known = _exercises(f"lesson_{exercise[:2]}.py")  # another's may need what takes seconds
    if exercise not in known:
        raise ValueError(f"no exercise {exercise!r}: there are {', '.join(_exercises())}")
    parts = answer if isinstance(answer, tuple) else (answer,)
    if any(part is None or part is ... for part in parts):
        return False, "Not yet. Replace the ... with your answer and run the cell again."
    judge, praise = known[exercise]
    try:
        objection = judge(answer)
    except Exception as error:  # an answer of a wrong kind must not end in a traceback
        objection = f"The answer is of another kind than expected ({type(error).__name__}: {error})"
    return (False, f"Not quite. {objection}") if objection else (True, f"Right. {praise}")


def _exercises(files="lesson_*.py"):
    """{number: (judge, praise)} of the lessons; a judge gives an objection, or None if right."""
    names = sorted(path.stem for path in Path(__file__).parent.glob(files))
    lessons = [import_module(f"{__name__}.{name}").EXERCISES for name in names]
    return {number: judged for lesson in lessons for number, judged in lesson.items()}


def progress(name: str = "") -> object:
    """Print which exercises are solved, lesson by lesson; when all are, give the certificate.

    What is solved stands in one file, `progress.json` in the folder that runs leave behind. No
    server knows of it.

    Args:
        name: what is to stand on the certificate, up to 80 characters; it is drawn when all
            exercises are solved, and kept as `certificate.svg` beside that file.

    Returns:
        the certificate, which Jupyter shows, or None.

    Raises:
        ValueError: the name is too long.
    """
    numbers, days = list(_exercises()), record.solved()
    print(record.table(numbers, _titles(), days))
    if not set(numbers) <= set(days):
        return None
    if not name.strip():
        print('For your certificate, write your name: exercises.progress("Ada Lovelace")')
        return None
    path = record.write_certificate(name, numbers, days)
    print(f"Your certificate is in {path.parent.name}/{path.name}")
    from IPython.display import SVG

    return SVG(filename=str(path))


def _titles():
    """{"01": "Waveforms"}: what the lessons' modules call themselves in their first lines."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("lesson_*.py"))
    said = {name[-2:]: import_module(f"{__name__}.{name}").__doc__ for name in names}
    return {number: doc.split(", ", 1)[1].split(":")[0] for number, doc in said.items()}
