"""Named random streams: the same seed and name give the same numbers, whoever asks and when.

Two arms of a trial, or two plans for a patient, share every number but what the plan changes.
"""

import hashlib

import numpy as np


def stream(seed: int | str, name: str) -> np.random.Generator:
    """A generator that depends on `seed` and `name` only (counter-based Philox)."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
