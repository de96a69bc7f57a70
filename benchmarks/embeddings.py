"""What YAMNet makes of the recordings, kept for lesson 07, so that it shows transfer offline too.

Numbers, no sound: one row of 1,024 a clip, as transfer.embed gives them, in half precision, beside
the clips' names, labels and groups. Writes data/pretrained/yamnet_embeddings.npz.

    python benchmarks/embeddings.py --dataset kaggle
"""

import sys

import numpy as np
import out_of_fold

from helpers import datasets, files, transfer

FILE = out_of_fold.ROOT / "data" / "pretrained" / "yamnet_embeddings.npz"


def main():
    options = out_of_fold.arguments(__doc__, yamnet=True).parse_args()
    clips = datasets.load(options.dataset, quiet=True)
    backbone = transfer.yamnet(options.yamnet)
    if backbone is None:
        sys.exit("There is no YAMNet to ask: say where it is with --yamnet")
    embeddings, _ = transfer.embed(backbone, clips)
    group = np.unique(clips.group, return_inverse=True)[1].astype(np.int16)
    text = {
        name: np.asarray(part, str)
        for name, part in (("clip", clips.index), ("label", clips.label))
    }
    with files.atomic(FILE) as part, part.open("wb") as file:
        np.savez_compressed(file, embeddings=embeddings.astype(np.float16), group=group, **text)
    print(
        f"{FILE.relative_to(out_of_fold.ROOT)}: {embeddings.shape}, {FILE.stat().st_size:,} bytes"
    )


if __name__ == "__main__":
    main()
