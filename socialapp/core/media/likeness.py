"""Whether two perceptual hashes stand for the same picture; how they are made: see `images.py`."""

_SAME_PICTURE = 31  # of 256 bits, in which pictures that look alike may differ


def distance(*, first: str, second: str) -> int:
    """In how many of the 256 bits two perceptual hashes differ."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


def looks_the_same(*, first: str, second: str) -> bool:
    """Whether two perceptual hashes stand for the same picture; one that is empty stands for none."""
    return bool(first and second) and distance(first=first, second=second) <= _SAME_PICTURE
