"""Lesson 02, Spectrograms: what is right, and what to say of a wrong answer."""


def _picture_shape(answer):
    frames, bins, other_frames, other_bins = answer
    if (bins, other_bins) != (257, 321):
        return "Count the bins: from 0 Hz to half the sample rate, both ends included."
    if (frames, other_frames) == (93, 33):
        return "Nearly: the first frame is centred on sample 0, and it counts too."
    if (frames, other_frames) != (94, 34):
        return "After padding, a frame begins every hop_length for as long as a whole one fits."
    return None


def _window_length(answer):
    if abs(answer - 0.040) < 0.001:
        return "That is in seconds; milliseconds are asked for."
    if abs(answer - 20) < 0.5:
        return "With 20 ms the tones lie one bin apart; the Hann window needs two."
    if abs(answer - 40) > 0.5:
        return "Two bins must fit into 50 Hz. How wide is a bin then, and how long the window?"
    return None


def _amplitude_decibels(answer):
    one, two, ten, thousandth = map(float, answer)
    if abs(ten - 10) < 0.1:
        return "That is right for a ratio of powers; power goes with the square of the amplitude."
    if abs(one) > 0.01:
        return "Equal amplitudes, a ratio of 1, are 0 dB apart."
    if max(abs(two - 6.0206), abs(ten - 20), abs(thousandth + 60)) > 0.01:
        return f"Ten times the amplitude must give 20 dB, and yours gives {ten:.4g}."
    return None


EXERCISES = {  # number: judge, and what to say of a right answer
    "02.1": (
        _picture_shape,
        "94 frames is how wide every log-mel picture of 1.5 s is in this course.",
    ),
    "02.2": (
        _window_length,
        "A meow's pitch lies far above 50 Hz, so that 40 ms keep its harmonics apart.",
    ),
    "02.3": (
        _amplitude_decibels,
        "Twice the amplitude is 6 dB, ten times 20 dB: the two worth knowing by heart.",
    ),
}
