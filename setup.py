"""The package's dependencies: the part of requirements.txt that the lessons import."""

from pathlib import Path

from setuptools import setup

LIST = Path(__file__).resolve().with_name("requirements.txt").read_text("utf-8")
LINES = (line.split("#")[0].strip() for line in LIST.split("# [tools]")[0].splitlines())

setup(install_requires=[line for line in LINES if line])
