"""Where the clips come from, and what is known of them: one catalog, whatever the source."""

from helpers.datasets.catalog import classes, fingerprint, label_ids, load, validate

__all__ = ["classes", "fingerprint", "label_ids", "load", "validate"]
