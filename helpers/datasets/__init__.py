"""Where the clips come from, and what is known of them: one catalog, whatever the source."""

from helpers.datasets.catalog import (
    KAGGLE,
    OTHER,
    classes,
    fingerprint,
    joined,
    label_ids,
    load,
    validate,
    with_background,
)

__all__ = [
    "KAGGLE",
    "OTHER",
    "classes",
    "fingerprint",
    "joined",
    "label_ids",
    "load",
    "validate",
    "with_background",
]
