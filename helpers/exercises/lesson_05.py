"""Lesson 05, Evaluate: what is right, and what to say of a wrong answer."""

import numpy as np
from scipy.special import log_softmax, softmax

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


def _threshold(function):
    truth = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    score = np.array([0.05, 0.12, 0.31, 0.44, 0.72, 0.38, 0.58, 0.66, 0.81, 0.93])
    for weight in (1, 4):
        for y, p in ((truth, score), (truth[::-1], score[::-1]), (truth, score**2)):
            chosen = float(function(y, p, weight))
            if not 0 <= chosen <= 1:
                return f"A threshold lies between 0 and 1, not at {chosen:g}."
            if _cost(y, p, chosen, weight, 1) > _least(y, p, weight, 1):
                if weight > 1 and _cost(y, p, chosen, 1, 1) == _least(y, p, 1, 1):
                    return f"Nearly: at a weight of {weight} both errors still count alike."
                if weight > 1 and _cost(y, p, chosen, 1, weight) == _least(y, p, 1, weight):
                    return "Nearly: the weight stands on the false alarms, not on missed dogs."
                paid, least = _cost(y, p, chosen, weight, 1), _least(y, p, weight, 1)
                return (
                    f"Where a missed dog costs {weight} and a false alarm 1, your threshold of "
                    f"{chosen:g} costs {paid:g}, and another {least:g}."
                )
    return None


def _cost(truth, score, threshold, missed, false):
    """What the errors of a threshold cost together."""
    called = score >= threshold
    return missed * sum((truth == 1) & ~called) + false * sum((truth == 0) & called)


def _least(truth, score, missed, false):
    """What the best threshold costs."""
    return min(_cost(truth, score, threshold, missed, false) for threshold in [0, *score, 1])


def _calibration(function):
    rng = np.random.default_rng(0)
    for bins, clips in ((10, 60), (5, 200), (4, 31)):
        confidence = rng.integers(500, 1000, clips) / 1000 + 0.0005  # on no bin's edge
        confidence[:3] = 1.0
        correct = rng.random(clips) < np.where(confidence < 0.75, 0.9, 0.6)
        correct[:3] = False
        given = float(function(confidence, correct, bins))
        right = _error(confidence, correct, bins)
        if abs(given - right) < 1e-6:
            continue
        if np.isnan(given):
            return "It gives nan: a bin without clips has no mean, so leave it out."
        for reason, value in _likely(confidence, correct, bins):
            if abs(given - value) < 1e-6:
                return reason
        return f"With {bins} bins it gives {given:.4f} for clips where {right:.4f} is right."
    return None


def _error(confidence, correct, bins, pool=np.average):
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    size = np.bincount(number, minlength=bins)
    gaps = np.bincount(number, confidence - correct, bins) / np.maximum(size, 1)
    return float(pool(np.abs(gaps[size > 0]), weights=size[size > 0]))


def _likely(confidence, correct, bins):
    """What the likely mistakes give: pairs of what is to be said and the number."""
    below = confidence < 1
    left_out = _error(confidence[below], correct[below], bins)
    everywhere = _error(confidence, correct, bins, lambda gaps, weights: sum(gaps))
    alone = "Nearly: a clip with a confidence of exactly 1 is left out; it is of the last bin."
    alike = "Nearly: every bin counts alike. Weigh its gap by how many clips it holds."
    overall = abs(np.mean(confidence - correct))
    cancel = (
        "Nearly: too sure here and too timid there cancel out. Take the size of each bin's gap."
    )
    return [
        ("Nearly: that is in percent.", 100 * _error(confidence, correct, bins)),
        (cancel, overall),
        (cancel, -overall),
        (alike, _error(confidence, correct, bins, lambda gaps, weights: np.mean(gaps))),
        (alike, everywhere / bins),
        ("Nearly: the gaps are added up, not averaged.", everywhere),
        ("That is the largest gap of a bin; their mean is asked for.",
         _error(confidence, correct, bins, lambda gaps, weights: max(gaps))),
        (alone, left_out),
        (alone, left_out * below.mean()),
        ("A single clip is right or wrong: take the means of a whole bin, then their gap.",
         np.mean(np.abs(confidence - correct))),
        ("It has ten bins whatever is asked for.", _error(confidence, correct, 10)),
    ]  # fmt: skip


def _temperature(function):
    rng = np.random.default_rng(0)
    for true, classes, offset in ((2.4, 2, 0), (0.45, 3, 0), (3.3, 3, 0), (2.4, 2, 1_000)):
        logits = rng.normal(0, 1.5, (600, classes))
        share = softmax(logits, axis=1)
        label = (rng.random((600, 1)) > np.cumsum(share, axis=1)).sum(axis=1).clip(0, classes - 1)
        logits = true * logits + offset
        given, right = float(function(logits, label)), _coolest(logits, label)
        if abs(np.log(max(given, 1e-9) / right)) < 0.05:
            continue
        if offset:
            return (
                "Nearly: with 1,000 more in all logits its answer is another one. exp(1000) is "
                "too large for a number: take each row's largest logit off first."
            )
        if not np.isfinite(given) or given <= 0:
            return f"A temperature is a number above 0, not {given:g}."
        for reason, value in (
            ("Nearly: by that the logits are to be multiplied. Divide them.", 1 / right),
            ("That is the least log loss; the temperature at which it is reached is asked for.",
             _loss(logits, label, right)),
            ("It divides probabilities. Divide the logits, and make probabilities of what comes.",
             _coolest(softmax(logits, axis=1), label)),
            ("Nearly: it asks for one class's probability all along. Each clip has its own.",
             _coolest(logits, 0 * label)),
        ):  # fmt: skip
            if abs(np.log(given / value)) < 0.05:
                return reason
        if given < 0.2:
            return (
                "It takes the smallest temperature. Does the loss ask for the class that the clip "
                "is of, not for the likeliest one? Has it its minus, and is the least one taken?"
            )
        if abs(np.log(given / right)) < 0.4:
            return (
                f"Nearly: {given:.2f} comes close. Try temperatures that lie closer together, all "
                "the way from 0.1 to 10."
            )
        return (
            f"At {given:.2f} the log loss is {_loss(logits, label, given):.3f}, and at another "
            f"temperature {_loss(logits, label, right):.3f}."
        )
    return None


def _loss(logits, label, temperature):
    return -np.mean(log_softmax(logits / temperature, axis=1)[np.arange(len(label)), label])


def _coolest(logits, label):
    """The temperature from 0.1 to 10 with the least log loss."""
    return min(np.geomspace(0.1, 10, 401), key=lambda one: _loss(logits, label, one))


EXERCISES = {  # number: judge, and what to say of a right answer
    "05.1": (
        _clips_for_width,
        "Half the width costs four times the clips: the width shrinks with the root.",
    ),
    "05.2": (
        _threshold,
        "A threshold trades one error for the other; the costs decide, not the model.",
    ),
    "05.3": (
        _calibration,
        "Small on average, and yet a single bin may be far off: look at the picture as well.",
    ),
    "05.4": (
        _temperature,
        "One number for all clips: it mends how sure a model is, and no single verdict.",
    ),
}
