"""A place in a line, as a value of a sentence; the pages translate it."""


class Ordinal(int):
    def __str__(self) -> str:
        """In English: 1st, 2nd, 3rd, 11th."""
        suffix = "th" if self % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(self % 10, "th")
        return f"{int(self)}{suffix}"
