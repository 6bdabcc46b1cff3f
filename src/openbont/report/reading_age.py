"""How hard a text is to read: the grade of Flesch and Kincaid (1975), in years of school."""

import re

_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
_SENTENCE = re.compile(r"[.!?:]+(?:\s|$)")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = tuple(
    (re.compile(silent), re.compile(spoken))
    for silent, spoken in (
        (r"ed$", r"[td]ed$"),  # called, but wanted
        (r"es$", r"(?:[sxzcg]|ch|sh|[^aeiouy]l)es$"),  # makes, but places and muscles
        (r"e$", r"[^aeiouy]le$"),  # make, but muscle
    )
)
"""Endings whose e is not spoken, and where it is."""


def grade(text: str) -> float:
    """0.39 words per sentence + 11.8 syllables per word - 15.59."""
    words = _WORD.findall(text)
    sentences = len(_SENTENCE.findall(text)) or 1
    if not words:
        return 0.0
    spoken = sum(map(syllables, words))
    return 0.39 * len(words) / sentences + 11.8 * spoken / len(words) - 15.59


def syllables(word: str) -> int:
    """Groups of vowels, without an e at the end that is not spoken; at least one."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    plain = re.sub(r"(?<=[aeiouy])ing$", "-ing", plain)  # see-ing
    for silent, but in _SILENT:
        if silent.search(plain) and not but.search(plain):
            plain = silent.sub("", plain)
            break
    return max(1, len(_VOWELS.findall(plain)))
