"""Lesson 04, Train a CNN: what is right, and what to say of a wrong answer."""

import numpy as np


def _cross_entropy(function):
    for logits, label in (([2.0, 0.5], 0), ([2.0, 0.5], 1), ([-1.0, 0.3, 1.2], 1)):
        given, share = _number(function(np.array(logits), label)), _softmax(np.array(logits))
        right = -np.log(share[label])
        if _near(given, right):
            continue
        case = f"For logits {logits} and label {label}"
        if _near(given, -right):
            return f"Nearly: {case} it gives {given:.3f}. A loss is above 0: the sign is missing."
        if _near(given, share[label]):
            return "Nearly: that is the probability of the right class. The loss is -ln of it."
        if _near(given, right / np.log(2)) or _near(given, right / np.log(10)):
            return "Nearly: right but for the base. Take the natural logarithm, np.log."
        if any(_near(given, -np.log(p)) for p in np.delete(share, label)):
            return f"Nearly: {case} it takes the probability of another class than the label's."
        return f"{case} it gives {given:.3f}. Softmax first, then -ln of the label's probability."
    with np.errstate(all="ignore"):
        try:
            large = _number(function(np.array([1000.0, 998.0]), 0))
        except Exception:  # math.exp stops where np.exp gives infinity
            large = np.nan
    if not _near(large, np.log1p(np.exp(-2))):
        return (
            "Nearly: right for small logits. But exp(1000) is more than a float holds: subtract "
            "the largest logit from all of them first, which changes no probability."
        )
    return None


def _descend(function):
    for seed, rate, steps in ((0, 0.5, 1), (0, 0.5, 7), (1, 2.0, 20)):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=30)
        y = (x + rng.normal(size=30) > 0).astype(float)
        given = _number(function(x, y, rate, steps))
        if _near(given, _descent(x, y, rate, steps)):
            continue
        if _near(given, _descent(x, y, -rate, steps)):
            return "Nearly: it climbs. Go against the gradient, which is the mean of (p - y) * x."
        if _near(given, _descent(x, y, rate * len(x), steps)):
            return "Nearly: the gradient is the mean over the examples. Yours is their sum."
        if _near(given, _descent(x, y, rate, 1)):
            return f"Nearly: that is where one step leads. {steps} were asked for."
        if _near(given, _descent(x, y, 1.0, steps)):
            return "Nearly: the step has to be the learning rate times the gradient."
        if _near(given, _descent(x, y, rate, steps, squash=False)):
            return "w * x is a logit. The probability p is its sigmoid, 1 / (1 + exp(-w * x))."
        right = _descent(x, y, rate, steps)
        return f"After {steps} step(s) from 0 at rate {rate} it is at {given:.3f}, not {right:.3f}."
    return None


def _convolve(function):
    rng = np.random.default_rng(0)
    for size, of_kernel in (((5, 7), (3, 3)), ((6, 4), (3, 3)), ((6, 8), (2, 5))):
        picture, kernel = rng.integers(-4, 5, size) * 1.0, rng.integers(-4, 5, of_kernel) * 1.0
        right = _slide(picture, kernel)
        try:
            given = np.asarray(function(picture, kernel), float)
        except Exception as error:
            if of_kernel == (3, 3):
                raise
            objection = str(error).removeprefix("Not quite. ")
        else:
            objection = _of_map(given, right, picture, kernel)
        if objection and of_kernel != (3, 3):
            return f"Nearly: right for filters of 3 × 3, not for {_by(of_kernel)}. {objection}"
        if objection:
            return objection
    return None


def _of_map(given, right, picture, kernel):
    """The objection to a feature map, or None."""
    if given.shape == picture.shape:
        return "It is as large as the picture. Only places count where the whole filter fits."
    if given.shape != right.shape:
        return (
            f"A filter of {_by(kernel.shape)} fits on a picture of {_by(picture.shape)} at "
            f"{_by(right.shape)} places; yours has the shape {given.shape}."
        )
    if np.allclose(given, right):
        return None
    if np.allclose(given, right / kernel.size):
        return "Nearly: that is the mean of the products. A convolution takes their sum."
    if np.allclose(given, _slide(picture, kernel[::-1, ::-1])):
        return "Nearly: your filter is turned around. A CNN's is laid on as it stands."
    if np.allclose(given, np.maximum(right, 0)):
        return "Nearly: that is the map after ReLU. The convolution keeps what is below 0."
    return f"At the first place the products sum to {right[0, 0]:g}, not {given[0, 0]:g}."


def _careful(function):
    rng = np.random.default_rng(0)
    for judge in (_of_plain_clips, _of_pure_noise, _of_unknown_labels, _of_other_clips):
        objection = judge(function, rng)
        if objection:
            return objection
    return None


def _of_plain_clips(function, rng):
    """The objection to what it says of clips that are easily told apart, or None."""
    train, (new, truth) = _clips(rng, 40), _clips(rng, 40)
    given = _number(function(train, (new, truth)))
    if 1 < given <= 100:
        return "Nearly: a share from 0 to 1 is asked for, as before, and yours is a percentage."
    swapped = _number(function(train, (new, np.where(truth == "cat", "dog", "cat"))))
    if given > 0.5 and swapped == given:
        return (
            f"With cat and dog changed about in the test part it reports {given:.2f} as before. "
            "Which part's clips does it count?"
        )
    if not 0.7 < given <= 1:
        return (
            f"On clips that are easily told apart it reports {given:.2f}, where careless has 0.9 "
            "and more. Has a line been lost? Descent and scale are needed still."
        )
    return None


def _of_pure_noise(function, rng):
    """The objection to what it says of labels dealt at random, or None."""
    draws = [(_clips(rng, 40, apart=0), _clips(rng, 16, apart=0)) for _ in range(60)]
    shares = [_number(function(*parts)) for parts in draws]
    if any(_number(function(*parts)) != share for parts, share in zip(draws[:4], shares)):
        return "Asked twice about the same clips it gives two shares. Seed whatever it draws."
    mean = np.mean(shares)
    if mean > 0.56:
        return (
            f"On labels dealt at random it reports {mean:.2f}, the mean of {len(draws)} draws; a "
            "coin has 0.50. What is chosen by a look at the test part's labels?"
        )
    if mean < 0.44:
        return f"On labels dealt at random it reports {mean:.2f}; they are worth 0.50."
    return None


def _of_unknown_labels(function, rng):
    """The objection to what it does with labels that training has not, or None."""
    train, (new, truth) = _clips(rng, 40), _clips(rng, 40)
    cats = truth == "cat"
    try:
        function.function(train, (new[cats], truth[cats]))
    except Exception as error:
        return f"Nearly: a test part of cats alone is no error, and it stops with {error!r}."
    strange = np.where(np.arange(len(truth)) < 3, "rabbit", truth)
    try:
        given = function.function(train, (new, strange))  # it may stop here, and should
    except Exception:
        return None
    try:
        given = _number(given)
    except (TypeError, ValueError):
        return "Nearly: it notices the rabbits. Let it stop there with an error (raise)."
    return (
        f"Three test clips are labelled rabbit, which training has never seen, and it reports "
        f"{given:.2f} without a word. Let it stop with an error."
    )


def _of_other_clips(function, rng):
    """The objection if a clip's answer depends on which others are tested, or None."""
    for shift in (1.5, -3.0, 6.0):
        train, near, far = _clips(rng, 40), _clips(rng, 20), _clips(rng, 20, shift=shift)
        both = tuple(np.concatenate(parts) for parts in zip(near, far))
        alone = [_number(function(train, part)) for part in (near, far)]
        together = _number(function(train, both))
        if not _near(together, np.mean(alone)):
            return (
                f"Nearly: of 20 test clips it has {alone[0]:.2f} right and of 20 from another "
                f"microphone {alone[1]:.2f}, but of all 40 at once {together:.3f}, not the mean. "
                "Does a clip's answer depend on the others that are tested, or is it no share?"
            )
    return None


def _clips(rng, n, apart=3.0, shift=0.0):
    """Values of n clips, on scales far apart, and labels; with apart 0 they say nothing of them."""
    label = rng.permutation(np.arange(n) % 2)
    values = rng.normal(size=(n, 12)) + shift
    values[:, :3] += apart * label[:, None]
    return values * np.geomspace(0.01, 100, 12), np.array(["cat", "dog"])[label]


def _number(value):
    """A float, of whatever holds one number."""
    return float(np.squeeze(np.asarray(value)))


def _near(one, other):
    return abs(one - other) < 1e-6 * max(1, abs(other))


def _softmax(logits):
    power = np.exp(logits - logits.max())
    return power / power.sum()


def _descent(x, y, rate, steps, squash=True):
    w = 0.0
    with np.errstate(over="ignore"):
        for _ in range(steps):
            p = 1 / (1 + np.exp(-w * x)) if squash else w * x
            w -= rate * np.mean((p - y) * x)
    return w


def _slide(picture, kernel):
    return np.einsum(
        "abij,ij->ab", np.lib.stride_tricks.sliding_window_view(picture, kernel.shape), kernel
    )


def _by(shape):
    return " × ".join(map(str, shape))


EXERCISES = {  # number: judge, and what to say of a right answer
    "04.1": (_cross_entropy, "Keras' SparseCategoricalCrossentropy does this for a whole batch."),
    "04.2": (_descend, "Every network here learns by this loop, with more weights."),
    "04.3": (_convolve, "A Conv2D layer does this for every filter and channel, and adds a bias."),
    "04.4": (_careful, "Noise is worth half again, and no label passes unknown."),
}
