"""The judges of the exercises: what is right, and what to say of a wrong answer."""

import numpy as np

_JUDGES = {}


def _exercise(number, praise):
    """Register a judge: a function of the answer that returns an objection, or None if right."""

    def register(judge):
        _JUDGES[number] = judge, praise
        return judge

    return register


# ---- 00 · Start here


@_exercise("00.1", "Lesson 05 shows what so few clips can tell, and what they cannot.")
def _dogs_in_test(answer):
    count, catalog = answer
    dogs = catalog.label == "dog"
    if count == int((dogs & (catalog.split == "test")).sum()):
        return None
    if count == int(dogs.sum()):
        return "These are all dogs, those of the training part among them."
    if count == int((catalog.split == "test").sum()):
        return "These are all test clips, cats among them."
    return "Count the rows of which both hold: the split is test, and the label is dog."


@_exercise("00.2", "A model must beat this before it has shown anything at all.")
def _majority_accuracy(answer):
    share, catalog = answer
    labels = {part: catalog[catalog.split == part].label for part in ("train", "test")}
    right = (labels["test"] == labels["train"].value_counts().idxmax()).mean()
    if abs(share - right) < 0.005:
        return None
    if abs(share - 100 * right) < 0.5:
        return "Give it as a share from 0 to 1, not in percent."
    if abs(share - (labels["train"] == labels["train"].value_counts().idxmax()).mean()) < 0.005:
        return "That is its accuracy on the training part; the test part is asked for."
    return "Take the commonest label of the training part: which share of the test clips bears it?"


# ---- 01 · Waveforms


@_exercise("01.1", "8,000 samples at 16,000 a second; the rate must travel along with them.")
def _tone(answer):
    wave = np.asarray(answer, float)
    if wave.ndim != 1:
        return f"A waveform has one dimension, and yours {wave.ndim}."
    if len(wave) != 8_000:
        return f"Half a second at 16,000 Hz is another number of samples than {len(wave):,}."
    if not 0 < np.abs(wave).max() <= 1:
        return "Its samples must lie between -1 and 1, and not all at 0."
    strength = np.abs(np.fft.rfft(wave)) ** 2
    peak = 2 * int(strength.argmax())  # bins are 2 Hz wide
    if peak != 440:
        return f"Its strongest frequency is {peak:,} Hz. Does the sine get 2 pi times f times t?"
    if strength[200:241].sum() < 0.9 * strength.sum():
        return "440 Hz is in it, but so is much else: a tone is one sine."
    return None


@_exercise("01.2", "Folded at half the rate: 2,000 Hz above it comes out 2,000 Hz below.")
def _alias(answer):
    if abs(answer - 6) < 0.01:
        return "That is in kHz; hertz are asked for."
    if abs(answer + 6_000) < 1:
        return "A frequency has no sign: take the absolute value."
    if abs(answer - 2_000) < 1:
        return "That is how far it lies above half the rate. How far is it from the rate itself?"
    if abs(answer - 6_000) > 1:
        return "Take the distance to the nearest multiple of the sample rate."
    return None


@_exercise("01.3", "Each halving takes about 6 dB away, which is also what one bit is worth.")
def _halved_level(answer):
    if abs(answer - 6.02) < 0.1:
        return "The size is right. Does the level rise or fall?"
    if abs(answer + 3.01) < 0.1:
        return "That is half the power. Half the amplitude is a quarter of the mean square."
    if abs(answer + 6.02) > 0.1:
        return "Compare audio.level(tone / 2) with audio.level(tone)."
    return None


# ---- 02 · Spectrograms


@_exercise("02.1", "94 frames is how wide every log-mel picture of 1.5 s is in this course.")
def _picture_shape(answer):
    frames, bins, other_frames, other_bins = answer
    if (bins, other_bins) != (257, 321):
        return "Count the bins: from 0 Hz to half the sample rate, both ends included."
    if (frames, other_frames) == (93, 33):
        return "Nearly: the first frame is centred on sample 0, and it counts too."
    if (frames, other_frames) != (94, 34):
        return "After padding, a frame begins every hop_length for as long as a whole one fits."
    return None


@_exercise("02.2", "A meow's pitch lies far above 50 Hz, so that 40 ms keep its harmonics apart.")
def _window_length(answer):
    if abs(answer - 0.040) < 0.001:
        return "That is in seconds; milliseconds are asked for."
    if abs(answer - 20) < 0.5:
        return "With 20 ms the tones lie one bin apart; the Hann window needs two."
    if abs(answer - 40) > 0.5:
        return "Two bins must fit into 50 Hz. How wide is a bin then, and how long the window?"
    return None


@_exercise("02.3", "Twice the amplitude is 6 dB, ten times 20 dB: the two worth knowing by heart.")
def _amplitude_decibels(answer):
    one, two, ten, thousandth = map(float, answer)
    if abs(ten - 10) < 0.1:
        return "That is right for a ratio of powers; power goes with the square of the amplitude."
    if abs(one) > 0.01:
        return "Equal amplitudes, a ratio of 1, are 0 dB apart."
    if max(abs(two - 6.0206), abs(ten - 20), abs(thousandth + 60)) > 0.01:
        return f"Ten times the amplitude must give 20 dB, and yours gives {ten:.4g}."
    return None


# ---- 03 · Data pipeline


@_exercise("03.1", "An epoch has that many steps, and the last of them sees fewer clips.")
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


@_exercise("03.2", "Sorted names give each class the same number in every part of the data.")
def _label_ids(answer):
    if tuple(answer) == (0, 1, 2, 1, 0, 1):
        return "That numbers classes as they first appear; then cat is 1 here and 0 elsewhere."
    if tuple(answer) != (2, 0, 1, 0, 1, 0):
        return "In alphabetical order cat is 0, dog 1 and rain 2."
    return None


@_exercise("03.3", "Run it on any catalog before you believe an accuracy.")
def _leak_count(answer):
    counts = tuple(map(int, answer))
    if counts == (2, 2):
        return "That counts recordings; each of their test clips counts."
    if counts == (2, 3):
        return "You count training clips; the question is about test clips."
    if counts != (3, 2):
        return "In the table, a and twice c are test clips whose recording training holds too."
    return None


# ---- 04 · Train a CNN


@_exercise("04.1", "The next layer, 128 filters of 7 × 7, has 22 times as many.")
def _conv_parameters(answer):
    if answer == 3 * 3 * 32 * 64:
        return "Nearly: each filter also has a bias."
    if answer in (3 * 3 * 64, (3 * 3 + 1) * 64):
        return "A filter looks at all 32 channels, not at one."
    if answer != 18_496:
        return "Count the values of one filter, 3 × 3 × channels, and a bias; times the filters."
    return None


@_exercise("04.2", "Without padding a filter of 7 takes 6 away each way; pooling halves the rest.")
def _conv_shape(answer):
    rows, columns = answer
    if (rows, columns) == (34, 34):
        return "That is after the convolution. Pooling is still to come."
    if (rows, columns) == (20, 20):
        return "Without padding the filter cannot stand on the border: the convolution shrinks too."
    if (rows, columns) != (17, 17):
        return "At how many places does a filter of 7 fit along a line of 40? Halve that."
    return None


@_exercise("04.3", "A perfect score for knowing nothing: the line only counts what is called cat.")
def _all_cats(answer):
    printed, true = answer
    if max(printed, true) > 1:
        return "Answer with shares from 0 to 1."
    if abs(printed - 0.5) < 0.01:
        return "In truth half are cats. But which label has the article's code given to the dogs?"
    if abs(printed - 1) > 0.001:
        return "All labels are 0, and all answers too: which share agrees?"
    if abs(true - 0.5) > 0.001:
        return "For the true accuracy, count the cats among the 98 clips."
    return None


# ---- 05 · Evaluate


@_exercise("05.1", "Half the width costs four times the clips: the width shrinks with the root.")
def _clips_for_width(answer):
    from helpers import evaluation

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


@_exercise("05.2", "With nine cats to a dog, calling all cat is 90 % accurate: balance tells.")
def _balanced(answer):
    if answer > 1:
        return "Answer with a share from 0 to 1."
    if abs(answer - 0.9) < 0.001:
        return "That is the accuracy. Take each class's own share first, then their mean."
    if abs(answer - (85 / 90 + 5 / 10) / 2) > 0.002:
        return "Of the 90 cats 85 are right, of the 10 dogs 5: the mean of the two shares."
    return None


@_exercise("05.3", "A threshold trades one error for the other; the costs decide, not the model.")
def _threshold(answer):
    if not callable(answer):
        return 'Give the function itself: checks.check("05.3", best_threshold).'
    import numpy as np

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
