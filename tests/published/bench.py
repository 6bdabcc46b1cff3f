"""Muscles that are put on the bench, and the bench."""

from openbont.trials.bench import ONA, Run, inject

EDB = "extensor_digitorum_brevis.left"
BICEPS = "biceps_brachii.left"

__all__ = ["BICEPS", "EDB", "ONA", "Run", "inject"]
