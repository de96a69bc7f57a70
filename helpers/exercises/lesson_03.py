"""Lesson 03, Data pipeline: what is right, and what to say of a wrong answer."""

import numpy as np


def _batch_count(answer):
    if any(float(count) != int(count) for count in answer):
        return "A part of a batch is a batch too: the number must be whole."
    if tuple(answer) == (2, 2, 0):
        return "The clips that are left over make a last, smaller batch."
    if tuple(answer) == (3, 3, 1):
        return "128 clips fill two batches of 64 exactly; nothing is left for a third."
    if tuple(answer) != (3, 2, 1):
        return f"179 clips in batches of 64 are 64 + 64 + 51; you count {answer[0]} batches."
    return None


def _label_ids(answer):
    if tuple(answer) == (0, 1, 2, 1, 0, 1):
        return "That numbers classes as they first appear; then cat is 1 here and 0 elsewhere."
    if tuple(answer) != (2, 0, 1, 0, 1, 0):
        return "In alphabetical order cat is 0, dog 1 and rain 2."
    return None


def _leak_count(answer):
    counts = tuple(map(int, answer))
    if counts == (2, 2):
        return "That counts recordings; each of their test clips counts."
    if counts == (2, 3):
        return "You count training clips; the question is about test clips."
    if counts != (3, 2):
        return "In the table, a and twice c are test clips whose recording training holds too."
    return None


def _offset(function):
    if not callable(function):
        return 'Give the function itself: exercises.check("03.4", find_offset).'
    rng = np.random.default_rng(3)
    for begins, gain in ((700, 1.0), (-450, 1.0), (700, 0.3), (-450, 2.5)):
        recording = rng.normal(size=4_000)
        first, second = recording[1_000:3_000], gain * recording[1_000 + begins : 3_000 + begins]
        given = int(function(first, second))
        if given == begins:
            continue
        if given == -begins and begins > 0 and gain == 1:
            return "Nearly: the sign. Above 0 means that the second begins later."
        if abs(given - begins) == 1:
            return "Nearly: one sample off."
        if given == abs(begins) and gain == 1:
            return "Nearly: the second may also begin earlier than the first."
        if gain != 1:
            return f"With the second cut at {gain} times the level it fails; compare ups and downs."
        return f"The second begins {begins} samples after the first, not {given}."
    return None


EXERCISES = {  # number: judge, and what to say of a right answer
    "03.1": (_batch_count, "An epoch has that many steps, and the last of them sees fewer clips."),
    "03.2": (_label_ids, "Sorted names give each class the same number in every part of the data."),
    "03.3": (_leak_count, "Run it on any catalog before you believe an accuracy."),
    "03.4": (_offset, "The level did not matter: only where a waveform rises and falls."),
}
