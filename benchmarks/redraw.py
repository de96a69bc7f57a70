"""How long does the explorer take to redraw for a clip of 10 s? Prints the median of 20 redraws.

python benchmarks/redraw.py
"""

import time

import numpy as np

from helpers import datasets, widgets


def main():
    clips = datasets.load("synthetic", quiet=True)
    explorer = widgets.Explorer(clips[(clips.duration - 10).abs() < 0.7])
    taken = []
    for _ in range(20):
        start = time.perf_counter()
        explorer.next.click()
        taken.append(time.perf_counter() - start)
    print(f"{1000 * np.median(taken):.0f} ms, {explorer.note.value}")


if __name__ == "__main__":
    main()
