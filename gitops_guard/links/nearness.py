"""Whether one name is a slip of the pen of another."""

_LEAST = 4


def is_slip(name: str, other: str) -> bool:
    """Tell whether two names differ by one letter: dropped, added, exchanged, or two that changed places.

    Digits are no slip (`web-1` and `web-2` are two things), and short names prove nothing.
    """
    if name == other or min(len(name), len(other)) < _LEAST or abs(len(name) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(name), len(other)) and name[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(name), len(other)) - start and name[-1 - end] == other[-1 - end]:
        end += 1
    left, right = name[start : len(name) - end], other[start : len(other) - end]
    if any(not letter.isalpha() for letter in left + right):
        return False
    return (len(left) <= 1 and len(right) <= 1) or (len(left) == 2 and left == right[::-1])
