"""A config module, as people write it."""

SCALE = 2.0
