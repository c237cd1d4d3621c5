"""A worker process of the local runner: one Beam worker after the other, over engines that stay open.

Its parent names each worker on a line of standard input, `ID ADDRESS`; when that ends, however the parent ended, the
engines are closed and the process is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from apache_beam.runners.worker import sdk_worker

from steplabel.pipelines.beam_logs import quieten_beam
from steplabel.transforms.host import close_engine_host


def main() -> None:
    """Work until the parent lets go."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent says when to end
    # What fails here is raised in the parent: said here as well, it would stand twice before the user.
    quieten_beam()
    vars(sdk_worker)["print"] = lambda *_, **__: None  # it prints tracebacks beside logging them
    for line in sys.stdin:
        worker_id, address = line.split()
        harness = sdk_worker.SdkHarness(address, worker_id=worker_id)
        threading.Thread(target=harness.run, name=worker_id, daemon=True).start()
    close_engine_host()
    os._exit(0)  # threads of a pipeline that was broken off wait for a parent that is gone


if __name__ == "__main__":
    main()
