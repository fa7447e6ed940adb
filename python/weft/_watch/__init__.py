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

One ``Watch`` (``_watch``) holds the places of a recording; ``_doors`` lets values in,
``_attributes`` notes what is read and written of them, ``_effects`` what is called that is not
Python.

Importing this package brings only what others ask on their way (:func:`current`); the rest comes
with the first function that is compiled.
"""

from weft._watch._present import MISSING, current

__all__ = ["MISSING", "current"]
