"""A million clips: the course's pipeline on Dask, over clips and results that lie anywhere.

`python -m helpers.datasets.large TABLE` runs it; `make large` does so. Needs requirements.txt of
this folder besides the course's own.
"""
