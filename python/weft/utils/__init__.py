"""What a training program needs around the model."""

from weft.utils import data

__all__ = ["data"]
