"""How much CPU time processes of this machine have used."""

from contextlib import suppress

import psutil


def cpu_seconds(process_id: int) -> float:
    """Return the CPU seconds of a process and of all processes below it; 0 if it has ended."""
    seconds = 0.0
    with suppress(psutil.Error):
        process = psutil.Process(process_id)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                times = each.cpu_times()
                seconds += times.user + times.system
    return seconds
