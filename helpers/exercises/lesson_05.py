"""Lesson 05, Evaluate: what is right, and what to say of a wrong answer."""

import numpy as np

from helpers import evaluation


def _clips_for_width(answer):
    if isinstance(answer, bool) or answer != int(answer) or answer < 1:
        return "A number of clips is a whole number."
    low, high = evaluation.wilson(round(0.8 * answer), answer)
    if abs(answer - 98 * 9) < 1:
        return "The width shrinks with the root of the clips; start from the width at 98."
    if high - low > 0.0605:
        return f"With {answer:,} clips it is {100 * (high - low):.1f} points wide: too wide."
    if high - low < 0.0575:
        return f"With {answer:,} it is {100 * (high - low):.1f} points wide: fewer clips will do."
    return None


def _balanced(answer):
    if answer > 1:
        return "Answer with a share from 0 to 1."
    if abs(answer - 0.9) < 0.001:
        return "That is the accuracy. Take each class's own share first, then their mean."
    if abs(answer - (85 / 90 + 5 / 10) / 2) > 0.002:
        return "Of the 90 cats 85 are right, of the 10 dogs 5: the mean of the two shares."
    return None


def _threshold(answer):
    if not callable(answer):
        return 'Give the function itself: exercises.check("05.3", best_threshold).'
    truth = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    score = np.array([0.05, 0.12, 0.31, 0.44, 0.72, 0.38, 0.58, 0.66, 0.81, 0.93])
    for weight in (1, 4):
        for y, p in ((truth, score), (truth[::-1], score[::-1]), (truth, score**2)):
            chosen = float(answer(y, p, weight))
            if not 0 <= chosen <= 1:
                return f"A threshold lies between 0 and 1, not at {chosen:g}."
            least = min(_cost(y, p, t, weight) for t in [0, *p, 1])
            if _cost(y, p, chosen, weight) > least:
                return f"With missed dogs at {weight}, {chosen:g} costs more than another."
    return None


def _cost(truth, score, threshold, weight):
    called = score >= threshold
    return weight * sum((truth == 1) & ~called) + sum((truth == 0) & called)


EXERCISES = {  # number: judge, and what to say of a right answer
    "05.1": (
        _clips_for_width,
        "Half the width costs four times the clips: the width shrinks with the root.",
    ),
    "05.2": (
        _balanced,
        "With nine cats to a dog, calling all cat is 90 % accurate: balance tells.",
    ),
    "05.3": (
        _threshold,
        "A threshold trades one error for the other; the costs decide, not the model.",
    ),
}
