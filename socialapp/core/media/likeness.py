"""Compares perceptual hashes of pictures; see `images.py` for computing them."""

_SAME_PICTURE = 31  # of 256 bits, in which pictures that look alike may differ


def distance(*, first: str, second: str) -> int:
    """The Hamming distance of two perceptual hashes of 256 bits."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


def looks_the_same(*, first: str, second: str) -> bool:
    """Whether two perceptual hashes are of the same picture; empty ones match nothing."""
    return bool(first and second) and distance(first=first, second=second) <= _SAME_PICTURE
