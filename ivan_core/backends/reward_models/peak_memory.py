"""The most memory that was in use since it was asked last: of the card, or of this process."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def forget_peak(on_gpu: bool) -> None:
    """Begin to watch anew; where the system does not let a process do so, the old peak stays."""
    if on_gpu:
        import torch

        torch.cuda.reset_peak_memory_stats()
        return
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes(on_gpu: bool) -> int:
    """Bytes at the peak; the weights are among them."""
    if on_gpu:
        import torch

        return int(torch.cuda.max_memory_allocated())
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
