"""What YAMNet makes of the clips, kept for lessons 06 and 07, so that they show transfer offline.

Numbers, no sound: for each clip one row of 1,024 as transfer.embed gives them, and one of 40, the
mean and deviation of its MFCCs, in half precision, beside the clips' names, labels and groups.
Writes yamnet_embeddings.npz (the recordings) and yamnet_synthetic.npz (the synthetic clips) into
data/pretrained.

    python benchmarks/embeddings.py --dataset kaggle
"""

import sys

import numpy as np
import out_of_fold

from helpers import datasets, files, transfer

FOLDER = out_of_fold.ROOT / "data" / "pretrained"


def keep(clips, backbone, file):
    """Ask the backbone about all clips of a catalog, and write what is kept of it."""
    embeddings, _ = transfer.embed(backbone, clips)
    numbers = {"embeddings": embeddings, "mfcc": transfer.mfcc_statistics(clips)}
    numbers = {name: part.astype(np.float16) for name, part in numbers.items()}
    group = np.unique(clips.group, return_inverse=True)[1].astype(np.int16)
    text = {
        name: np.asarray(part, str)
        for name, part in (("clip", clips.index), ("label", clips.label))
    }
    with files.atomic(file) as part, part.open("wb") as opened:
        np.savez_compressed(opened, group=group, **numbers, **text)
    print(
        f"{file.relative_to(out_of_fold.ROOT)}: {len(clips)} clips, {file.stat().st_size:,} bytes"
    )


def main():
    options = out_of_fold.arguments(__doc__, yamnet=True).parse_args()
    backbone = transfer.yamnet(options.yamnet)
    if backbone is None:
        sys.exit("There is no YAMNet to ask: say where it is with --yamnet")
    for name, dataset in (("embeddings", options.dataset), ("synthetic", "synthetic")):
        clips = datasets.load(dataset, quiet=True)
        keep(clips, backbone, FOLDER / f"yamnet_{name}.npz")


if __name__ == "__main__":
    main()
