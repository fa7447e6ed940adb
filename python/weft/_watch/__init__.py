"""What a recording depended on besides tensor arguments: everything that it read outside.

The doors through which something from outside can come are a closed list; each is compared
before a plan runs, or refused:

* names, closure cells, defaults and chains ``name.a.b`` in the bytecode of every function that ran
  (``_code``, ``_chains``);
* attributes of objects that came through a door, seen by a temporary ``__getattribute__`` on their
  classes (``_classes``);
* what collections contain that came through a door (``weft._core.Snapshot``);
* what functions give that are not written in Python: known, refused or reported (``_known``);
* arrays of numpy.
"""

from weft._watch import _fork
from weft._watch._classes import local
from weft._watch._place import LIMIT, MISSING, Place
from weft._watch._watch import Watch, line_of_user

__all__ = ["LIMIT", "MISSING", "Place", "Watch", "current", "line_of_user"]

_fork.register()


def current() -> Watch | None:
    """The watch of the recording that runs on this thread, if one does."""
    return local.watch
