"""Lesson 07, Transfer learning: what is right, and what to say of a wrong answer."""

import numpy as np
from scipy.special import log_softmax, softmax


def _few_shot(function):
    inner, label, group = _recordings((12, 12), apart=0)
    given = np.asarray(function(inner, label, group, 12, 20, 0), float).ravel()
    if given.shape != (2,):
        return f"It gives {given.size} numbers where two are asked for, the mean and the spread."
    if given[0] > 1:
        return "Give a share from 0 to 1, not percent."
    if not np.array_equal(given, np.ravel(function(inner, label, group, 12, 20, 0))):
        return "The same seed should give the same answer."
    if given[1] < 1e-9:
        return "All draws are alike: make the random generator once, before the loop."
    if np.array_equal(given, np.ravel(function(inner, label, group, 12, 20, 1))):
        return "Another seed should draw other clips: what is seed used for?"
    if np.array_equal(given, np.ravel(function(inner, label, group, 12, 3, 0))):
        return "Three draws give the same as twenty: what is draws used for?"
    if given[0] > _LEAK:
        return (
            f"A leak: nothing tells these clips apart, and it finds {given[0]:.2f}, for it is "
            "asked about recordings that the head has learnt from."
        )
    mean, spread = np.ravel(function(*_recordings((12, 36), apart=4), 3, 60, 1)).astype(float)
    case = f"From 3 clips a class it gives {mean:.2f} and {spread:.3f}"
    if abs(mean - _PLAIN) < 0.04:
        return f"{case}: the share of all clips. Balanced accuracy counts each class alike."
    if abs(mean - _BALANCED) > 0.04:
        return f"{case}, and a mean of about {_BALANCED:.2f} is right."
    if abs(spread / _SPREAD - 1) > 0.4:
        return f"{case}: how far do single draws lie from their mean? About {_SPREAD:.2f}."
    return None


# what the solution finds on the recordings below, with other seeds too; a leak gives 0.7 and more
_LEAK = 0.6
_BALANCED, _PLAIN, _SPREAD = 0.70, 0.84, 0.10


def _recordings(recordings, apart):
    """Made embeddings of two classes, six clips a recording; apart 0 is no difference at all."""
    rng = np.random.default_rng(4)
    of = np.repeat([0, 1], recordings)  # the class of each recording
    centre = rng.normal(0, 1, (len(of), 16))
    centre[:, 0] += apart * of
    centre *= np.where(of + (apart == 0), 1, 2)[:, None]  # else cats differ more among themselves
    group = rng.permutation(np.repeat(np.arange(len(of)), 6))
    inner = centre[group] + rng.normal(0, 0.1, (len(group), 16))
    return inner, np.array(["cat", "dog"])[of[group]], group


def _nearest_mean(function):
    rng = np.random.default_rng(0)
    for classes, width in ((2, 2), (3, 5)):
        means = rng.normal(0, 3, (classes, width))
        labels = np.array(["cat", "dog", "rain"])[rng.permutation(np.arange(24) % classes)]
        row = np.searchsorted(["cat", "dog", "rain"], labels)
        # one class is spread widely: its nearest clip is another matter than its mean
        features = means[row] + rng.normal(0, 1, (24, width)) * np.where(row == 0, 4, 0.2)[:, None]
        new = rng.normal(0, 3, (200, width))
        found = np.unique(labels)
        own = np.stack([features[labels == name].mean(axis=0) for name in found])
        right = found[np.linalg.norm(new[:, None] - own, axis=2).argmin(axis=1)]
        given = np.asarray(function(features, labels, new))
        if given.shape != right.shape:
            return f"For {len(new)} new clips it gives an array of shape {given.shape}."
        if not set(given) <= set(found):
            return f"It should answer with labels such as 'cat', not with {given[0]!r}."
        share = np.mean(given == right)
        if share < 1:
            return f"Of {len(new)} clips with {classes} classes, {share:.0%} get the right label."
    return None


def _distillation_loss(function):
    rng = np.random.default_rng(0)
    for clips, classes, temperature in ((4, 3, 1.0), (5, 2, 4.0), (7, 3, 2.5)):
        teacher, student = rng.normal(0, 3, (2, clips, classes))
        right = _softened(teacher, student, temperature)
        given = np.asarray(function(teacher, student, temperature))
        if given.shape != ():
            return f"One number is asked for, and it gives an array of shape {given.shape}."
        if np.isclose(given, right, rtol=1e-4):
            continue
        case = f"For {clips} clips, {classes} classes and T = {temperature:g} it gives {given:.3f}"
        hard = np.eye(classes)[teacher.argmax(axis=1)]
        likely = {
            "the factor of the squared temperature is missing": right / temperature**2,
            "the sum over the clips, not their mean": right * clips,
            "the mean over the classes, where their sum is asked for": right / classes,
            "the sign is the wrong way round": -right,
            "teacher and student have changed places": _softened(student, teacher, temperature),
            "the temperature is never used": _softened(teacher, student, 1.0),
            "the teacher's verdicts, not its soft answers": -(temperature**2)
            * np.mean(np.sum(hard * log_softmax(student / temperature, axis=1), axis=1)),
        }
        for mistake, value in likely.items():
            if np.isclose(given, value, rtol=1e-4):
                return f"Nearly: {mistake}. {case}."
        return f"{case}, and {right:.3f} is right."
    return None


def _softened(teacher, student, temperature):
    q = softmax(teacher / temperature, axis=1)
    log_p = log_softmax(student / temperature, axis=1)
    return -(temperature**2) * np.mean(np.sum(q * log_p, axis=1))


def _head_size(answer):
    last_layer, own_head = answer
    if (last_layer, own_head) in ((521 * 1024, 1024), (521 * 1024, 1025), (521 * 1025, 1024)):
        return "Nearly: each weighted sum also has a bias."
    if own_head in (2 * 1024, 2 * 1025):
        return "Two classes need one weighted sum: the other probability is what is left to 1."
    if last_layer != 521 * 1025:
        return "Each of the 521 scores has a weight for each of the 1,024 values, and a bias."
    if own_head != 1025:
        return "The head has one weight for each of the 1,024 values, and one bias."
    return None


EXERCISES = {  # number: judge, and what to say of a right answer
    "07.1": (
        _few_shot,
        "With the spread beside the mean one sees how much depends on which clips were drawn.",
    ),
    "07.2": (
        _nearest_mean,
        "No optimiser is needed: one clip a class will do, if the backbone is good.",
    ),
    "07.3": (
        _distillation_loss,
        "With one class at 1, all others at 0 and T = 1 it is the cross-entropy of labels.",
    ),
    "07.4": (
        _head_size,
        "So few can be fitted to a handful of clips; the backbone's millions could not.",
    ),
}
