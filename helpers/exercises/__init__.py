"""Exercises that check themselves: right, not quite and why, or not yet."""

from importlib import import_module
from pathlib import Path


def check(exercise: str, answer: object) -> None:
    """Print whether an exercise's answer is right.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        exercise: its number, such as "01.1".
        answer: what the learner found; `...` stands for no answer yet.

    Raises:
        ValueError: no such exercise.
    """
    print(_verdict(exercise, answer)[1])


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
