"""What compiling a function achieved, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """What compiling a function achieved. Bytes and milliseconds; counts of operations.

    Attributes:
        recordings: how many recordings exist, over all signatures.
        causes: why each one was made.
        effects: what happens while recording and not when a plan runs, with its line.
        unknown: what was called or read that nobody knows to be free of surprises.
        guards: places outside that are compared before each run of the latest plan.
        nodes_recorded: operations in the recording.
        folded: computed at compile time.
        simplified: replaced by a cheaper form.
        merged: computed once instead of several times.
        dropped: not needed for any result.
        chains: groups of pointwise operations that run together.
        chain_nodes: operations in them.
        in_place: results written over an operand, or straight into what they update.
        late_copies: updates that are computed aside and copied when nothing can fail any more.
        steps: kernel calls of one run.
        slab_bytes: memory for intermediate results.
        total_bytes: what they would take side by side.
        flops: arithmetic operations of one run.
        compile_ms: from recording to plan.
    """

    recordings: int
    causes: tuple[str, ...]
    effects: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    guards: int = 0
    nodes_recorded: int = 0
    folded: int = 0
    simplified: int = 0
    merged: int = 0
    dropped: int = 0
    chains: int = 0
    chain_nodes: int = 0
    in_place: int = 0
    late_copies: int = 0
    steps: int = 0
    slab_bytes: int = 0
    total_bytes: int = 0
    flops: int = 0
    compile_ms: float = 0.0

    def __str__(self) -> str:
        """A few lines to read."""
        lines = [f"recordings      {self.recordings}"]
        lines += [f"                {cause}" for cause in self.causes]
        lines += [f"only recorded   {effect}" for effect in self.effects]
        lines += [f"not known       {call}" for call in self.unknown]
        if not self.steps:
            return "\n".join([*lines, "no plan yet: the first two calls record"])
        ratio = self.slab_bytes / max(self.total_bytes, 1)
        lines += [
            f"compared        {self.guards} places before each run",
            f"operations      {self.nodes_recorded} recorded, {self.steps} kernel calls",
            f"tidied          {self.folded} folded, {self.simplified} simplified, "
            f"{self.merged} merged, {self.dropped} dropped",
            f"fused           {self.chain_nodes} operations in {self.chains} chains",
            f"in place        {self.in_place} results, {self.late_copies} copied at the end",
            f"memory          slab {self.slab_bytes:,} bytes for {self.total_bytes:,} "
            f"({ratio:.0%})",
            f"arithmetic      {self.flops:,} operations a run",
            f"compile time    {self.compile_ms:.3f} ms",
        ]
        return "\n".join(lines)
