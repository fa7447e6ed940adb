"""Python in a child process under a limit of memory and time, so that a crash is a result."""

import resource
import subprocess
import sys

GIB = 1 << 30


def limited(code: str, memory: int = 4 * GIB, seconds: float = 120) -> subprocess.CompletedProcess:
    """Run ``code`` with at most ``memory`` bytes of address space. A crash shows in the return
    code, and after ``seconds`` the child is ended with ``TimeoutExpired``."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=seconds,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)),
    )
