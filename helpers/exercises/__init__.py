"""Exercises that check themselves: right, not quite and why, or not yet."""

import ast
import copy
import inspect
import math
import textwrap
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
    colour, sign = next(look for words, look in _LOOKS.items() if verdict.startswith(words))
    words, rest = verdict.split(".", 1)
    print(f"\x1b[{colour}m{sign} {words}.\x1b[0m{rest}")
    if right:
        numbers, days = _exercises(f"lesson_{exercise[:2]}.py"), record.keep(exercise)
        if days:  # else it could not be noted, and that was said
            print(f"{len(numbers.keys() & days)} of {len(numbers)} solved in this lesson.")


def yours(exercise: str, function: object) -> object:
    """The learner's function if it is right, else the course's own: a lesson goes on with it.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        exercise: its number, such as "01.3"; one with a function of the course's own.
        function: what the learner wrote, finished or not.

    Returns:
        callable.

    Raises:
        ValueError: no such exercise, or none that the lesson goes on with.
    """
    _, _, *ours = _exercises().get(exercise, (None, None))
    if not ours:
        raise ValueError(f"no lesson goes on with what exercise {exercise!r} asks for")
    if _verdict(exercise, function)[0]:
        print("From here on the lesson uses yours.")
        return function
    print("Until yours is right, the lesson uses one of its own.")
    return ours[0]


def _verdict(exercise, answer):
    """Judge an answer: (True, "Right. ...") or (False, "Not yet. ..." or "Not quite. ...").

    Raises:
        ValueError: no such exercise.
    """
    known = _exercises(f"lesson_{exercise[:2]}.py")  # another's may need what takes seconds
    if exercise not in known:
        raise ValueError(f"no exercise {exercise!r}: there are {', '.join(_exercises())}")
    if _blank(answer):
        return False, _NOT_YET
    if isinstance(answer, float) and not math.isfinite(answer):
        return False, f"Not quite. {answer} is no number that can be compared."
    judge, praise, *_ = known[exercise]
    try:
        objection = judge(_Asked(answer, exercise) if _wants_function(judge) else answer)
    except _Objection as error:
        return False, str(error)
    except Exception:  # an answer of a wrong kind must not end in a traceback
        kind = type(answer).__name__
        objection = f"The answer is of another kind than expected: yours is of the type {kind}."
    return (False, f"Not quite. {objection}") if objection else (True, f"Right. {praise}")


_LOOKS = {"Right": ("1;32", "✓"), "Not quite": ("1;31", "✗"), "Not yet": ("1;33", "○")}
_HINTS = {  # part of an error's text: what it means
    "complex": "A complex number stands where a real one belongs: take its .real and .imag. ",
    "inhomogeneous": "What it collects is not of one length: collect one number each. ",
}
_NOT_YET = "Not yet. Replace the ... with your answer and run the cell again."


class _Objection(Exception):
    """What is said of a function before its judge has seen an answer of it."""


class _Asked:
    """A learner's function as its judge calls it: on copies, and stopped at the first failure.

    Raises:
        _Objection: it is no function, it is not finished, or it stops with an error.
    """

    def __init__(self, function, exercise):
        if not callable(function):
            raise _Objection(
                "Not quite. Give the function itself, without calling it: "
                f'exercises.check("{exercise}", its_name).'
            )
        self.function = function

    def __call__(self, *values):
        try:
            answer = self.function(*copy.deepcopy(values))
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            if any(word in said for word in ("llipsis", "NoneType", "dtype('O')")):
                raise _Objection(_NOT_YET) from None
            plain = isinstance(error, (TypeError, ValueError))
            hint = next((hint for word, hint in _HINTS.items() if plain and word in said), "")
            raise _Objection(f"Not quite. {hint}Your function stops with {said}") from None
        if answer is None and not self._unfinished():
            raise _Objection("Not quite. Your function gives nothing back: does it end in return?")
        if _blank(answer):
            raise _Objection(_NOT_YET)
        return answer

    def _unfinished(self):
        """Whether a ... or pass is left in the code; also where the code cannot be read."""
        try:
            code = ast.parse(textwrap.dedent(inspect.getsource(self.function)))
        except (OSError, TypeError, SyntaxError):
            return True
        values = [getattr(node, "value", node) for node in ast.walk(code)]
        dots = [isinstance(one, ast.Constant) and one.value is ... for one in values]
        return any(dots) or any(isinstance(one, ast.Pass) for one in values)


def _blank(answer):
    """Whether an answer, or a part of it, is still ... or nothing at all."""
    parts = answer if isinstance(answer, (tuple, list)) else (answer,)
    return any(part is None or part is ... for part in parts)


def _wants_function(judge):
    """Whether a judge asks for a function: its argument is named so."""
    return list(inspect.signature(judge).parameters) == ["function"]


def _exercises(files="lesson_*.py"):
    """{number: (judge, praise)} of the lessons; a judge gives an objection, or None if right.

    A judge whose argument is named `function` gets one that can be called safely. A third entry is
    the course's own function, where the lesson goes on with the learner's.
    """
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
