"""Runs one after the other: `python -m ivan_core.in_turn WORKER … -- FOLDER …`.

One process, detached from its starter, starts the worker of each run in its folder when that of the
one before has ended, however it ended. It holds the locks that tell that a worker is on its way.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    at = sys.argv.index("--")
    worker, folders = sys.argv[1:at], [Path(one) for one in sys.argv[at + 1 :]]
    for folder in folders:
        if not folder.is_dir():  # the run was deleted
            continue
        with (folder / "worker.log").open("ab") as log:
            subprocess.run(
                [*worker, folder.name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
