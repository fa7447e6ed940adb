"""``weft.nn.functional`` for type checkers; ``weft.nn`` says that it is ``weft.functional``."""

from weft.functional import *  # noqa: F403
from weft.functional import __all__ as __all__
