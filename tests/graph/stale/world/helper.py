"""Helper functions in another file, with globals of their own."""

from tests.graph.stale.values import use
from tests.graph.stale.world.config import SCALE

LOCAL = 2.0


def by_own_global(x):
    return use(LOCAL, x)  # read


def by_imported_name(x):
    return use(SCALE, x)  # read


def calls_another(x):
    return by_own_global(x)
