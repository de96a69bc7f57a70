"""What is solved, kept in one file of the learner's, and the certificate when all is."""

import datetime
import html
import json
import math
import unicodedata

import filelock

from helpers import files

_WIDTH, _HEIGHT = 1120, 790


def solved():
    """What is solved so far, as the file says; a broken one is started anew.

    Returns:
        {exercise number: the day it was first solved, as 2026-11-27}.
    """
    days = _days()
    if days is None:
        print(f"{_file().name}, which holds what you have solved, is broken: it is started anew.")
    return days or {}


def _days():
    """As solved; None if the file is broken."""
    try:
        days = json.loads(_file().read_text("utf-8"))
        for day in days.values():
            datetime.date.fromisoformat(day)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return days


def keep(exercise):
    """Note that an exercise is solved today; one that was solved before keeps its day.

    What cannot be written is not kept: an exercise is right all the same.

    Returns:
        what is solved now, as `solved`; nothing where it could not be noted.
    """
    days, path = solved(), _file()
    if exercise in days:
        return days
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_name(".progress.lock"), timeout=10):
            today = datetime.date.today().isoformat()
            days = {exercise: today} | (_days() or {})  # another notebook may have noted its own
            files.write_json(path, dict(sorted(days.items())))
    except OSError as error:
        print(f"(Not noted as solved: {error.strerror or error})")
        return {}
    return days


def _file():
    return files.runs() / "progress.json"


def table(numbers, titles, days):
    """One line a lesson: which exercises are solved.

    Args:
        numbers: of all exercises, such as "01.1".
        titles: {"01": "Waveforms"}.
        days: as `solved` returns.

    Returns:
        str, with a tick for a solved exercise and a dot for an open one.
    """
    lessons = {}
    for number in numbers:
        lessons.setdefault(number.split(".")[0], []).append(number in days)
    names = {lesson: f"{lesson} · {titles.get(lesson, '')}" for lesson in lessons}
    width = max(map(len, names.values()), default=0)
    marks = max(map(len, lessons.values()), default=0)
    lines = [
        f"{names[lesson]:<{width}}  {''.join('✓' if one else '·' for one in each):<{marks}}  "
        f"{sum(each)} of {len(each)}"
        for lesson, each in lessons.items()
    ]
    done = sum(number in days for number in numbers)
    return "\n".join([*lines, f"{done} of {len(numbers)} exercises solved."])


def write_certificate(name, numbers, days):
    """Write the certificate as an SVG beside the file of what is solved.

    Args:
        name: the learner's, as it is to stand there; control characters and line breaks go.
        numbers: of all exercises.
        days: as `solved` returns; the last of them is the certificate's day.

    Returns:
        path of the file.

    Raises:
        ValueError: the name is empty or longer than 80 characters.
    """
    name = " ".join("".join(c if c.isprintable() else " " for c in str(name)).split())
    if not 1 <= len(name) <= 80:
        raise ValueError(f"a name of 1 to 80 characters is wanted, this one has {len(name)}")
    day = datetime.date.fromisoformat(max(days[number] for number in numbers))
    lessons = {number.split(".")[0] for number in numbers}
    path = files.runs() / "certificate.svg"
    with files.atomic(path) as part:
        part.write_text(_drawing(name, day, len(numbers), len(lessons)), "utf-8")
    return path


def _drawing(name, day, exercises, lessons):
    """The certificate: a meow and a bark as a spectrogram would draw them, and the words."""
    middle, size = _WIDTH // 2, min(60, int(900 / sum(map(_wide, name))))
    on = f"{day.day} {day:%B} {day.year}"
    said = f"{name} has solved all {exercises} exercises of Barks & Meows, {on}"
    lines = [
        (150, 60, "bold", "#333333", "Barks &amp; Meows"),
        (192, 24, "normal", "#595959", "a course in audio classification"),
        (478, size, "bold", "#333333", html.escape(name)),
        (
            540,
            26,
            "normal",
            "#333333",
            f"has solved all {exercises} exercises of {lessons} lessons",
        ),
        (
            576,
            26,
            "normal",
            "#333333",
            "from a sound to a decision, each one checked by running it",
        ),
        (650, 24, "normal", "#333333", on),
        (716, 16, "normal", "#595959", "Drawn on the learner's own machine; nobody has signed it."),
    ]
    text = "\n".join(
        f'<text x="{middle}" y="{y}" font-size="{points}" font-weight="{weight}" fill="{ink}">'
        f"{words}</text>"
        for y, points, weight, ink, words in lines
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"
 aria-label="{html.escape(said)}" font-family="Georgia, 'DejaVu Serif', serif" text-anchor="middle">
<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fdfbf5"/>
<rect x="24" y="24" width="{_WIDTH - 48}" height="{_HEIGHT - 48}" fill="none" stroke="#333333"
 stroke-width="3"/>
<rect x="34" y="34" width="{_WIDTH - 68}" height="{_HEIGHT - 68}" fill="none" stroke="#333333"/>
{_meow(250, 370)}
{_bark(680, 370)}
{text}
</svg>
"""


def _wide(letter):
    """About how wide a letter is, in heights of its font, at the most."""
    return 1.1 if letter in "MWmw@%&" or unicodedata.east_asian_width(letter) in "WF" else 0.75


def _meow(left, bottom):
    """Five harmonics that rise, stay and fall, the higher the fainter: from `left`, 250 wide."""
    paths = []
    for k in range(1, 6):
        places = []
        for step in range(26):
            arch = math.sin(math.pi * step / 25) ** 0.7
            places.append(f"{left + 10 * step},{bottom - 12 - k * (11 + 13 * arch):.1f}")
        paths.append(
            f'<polyline points="{" ".join(places)}" fill="none" stroke="#D55E00" '
            f'stroke-width="{8 - k}" stroke-linecap="round" opacity="{1.1 - 0.15 * k:.2f}"/>'
        )
    return "\n".join(paths)


def _bark(left, bottom):
    """Three short bursts over all frequencies, each fading to its right."""
    bars = []
    for burst in range(3):
        for step in range(6):
            height = 130 * math.exp(-0.28 * step) * (1 - 0.12 * burst)
            bars.append(
                f'<rect x="{left + 75 * burst + 9 * step}" y="{bottom - height:.1f}" width="7" '
                f'height="{height:.1f}" fill="#0072B2" opacity="{1 - 0.14 * step:.2f}"/>'
            )
    return "\n".join(bars)
