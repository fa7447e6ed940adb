"""``weft.nn.functional``: the same module object as ``weft.functional``."""

import sys
from typing import TYPE_CHECKING

from weft import functional

if TYPE_CHECKING:
    from weft.functional import *  # noqa: F403

sys.modules[__name__] = functional
