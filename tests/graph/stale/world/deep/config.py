"""A config module far down."""

SCALE = 2.0


class Settings:
    """Constants in a class."""

    scale = 2.0
