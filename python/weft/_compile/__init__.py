"""``weft.compile``: whole functions as static graphs.

The first call runs the function eagerly and records the operations that ran. The second call
records again, and the recording is believed when both agree, constants included. From then on
calls run the plan, as long as everything that the recording depended on is as it was.
"""

from weft._compile._compiled import Compiled, CompileWarning, compile
from weft._compile._explain import Explanation

__all__ = ["CompileWarning", "Compiled", "Explanation", "compile"]
