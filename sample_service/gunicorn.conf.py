"""How gunicorn serves the service: every value here answers for no request lost while versions change."""

from __future__ import annotations

import os
from pathlib import Path

from greeter.logs import LOGGING

# A container is reached through its own network interface, so it must listen on all of its addresses.
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  # nosec B104
bind = f"{os.environ.get('HOST', EVERY_ADDRESS)}:{os.environ.get('PORT', '8080')}"

worker_class = "gthread"
workers = 2
threads = 8
preload_app = True  # A service that cannot start ends at once, instead of restarting its workers for ever.

# Longer than the load balancer's idle timeout of 60 s: whoever closes first must not be us (pitfall N1).
keepalive = 75
# SIGTERM: stop accepting, finish what runs. The task's stopTimeout must be longer (pitfall N2).
graceful_timeout = 30

# The workers' heartbeat files; /dev/shm stays writable when the root file system is read-only.
SHARED_MEMORY = "/dev/shm"  # noqa: S108  # nosec B108
worker_tmp_dir = SHARED_MEMORY if Path(SHARED_MEMORY).is_dir() else None

logconfig_dict = LOGGING
