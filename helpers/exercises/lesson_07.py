"""Lesson 07, Transfer learning: what is right, and what to say of a wrong answer."""

import numpy as np
from scipy.special import log_softmax, softmax


def _frame_count(answer):
    if answer in (3, 4):
        return "Frames overlap: a new one begins every 7,680 samples, long before the last ends."
    if answer == 5:
        return "Too few: some samples at the end would lie in none."
    if answer == 7:
        return "One too many: when it begins, every sample lies in a frame already."
    if answer != 6:
        return "The first frame covers 15,600 samples, each further one 7,680 more: until 48,000."
    return None


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


def _nearest_mean(answer):
    if not callable(answer):
        return 'Give the function itself: exercises.check("07.3", nearest_mean).'
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
        given = np.asarray(answer(features, labels, new))
        if given.shape != right.shape:
            return f"For {len(new)} new clips it gives an array of shape {given.shape}."
        if not set(given) <= set(found):
            return f"It should answer with labels such as 'cat', not with {given[0]!r}."
        share = np.mean(given == right)
        if share < 1:
            return f"Of {len(new)} clips with {classes} classes, {share:.0%} get the right label."
    return None


def _distillation_loss(answer):
    if not callable(answer):
        return 'Give the function itself: exercises.check("07.4", distillation_loss).'
    rng = np.random.default_rng(0)
    for clips, classes, temperature in ((4, 3, 1.0), (5, 2, 4.0), (7, 3, 2.5)):
        teacher, student = rng.normal(0, 3, (2, clips, classes))
        right = _softened(teacher, student, temperature)
        given = np.asarray(answer(teacher.copy(), student.copy(), temperature))
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


EXERCISES = {  # number: judge, and what to say of a right answer
    "07.1": (
        _frame_count,
        "Half of every frame is heard twice, so that no call is cut in two unheard.",
    ),
    "07.2": (
        _head_size,
        "So few can be fitted to a handful of clips; the backbone's millions could not.",
    ),
    "07.3": (
        _nearest_mean,
        "No optimiser is needed: one clip a class will do, if the backbone is good.",
    ),
    "07.4": (
        _distillation_loss,
        "With one class at 1, all others at 0 and T = 1 it is the cross-entropy of labels.",
    ),
}
