"""The service with a slow answer, for tests that stop gunicorn while it works."""

from __future__ import annotations

import time

from greeter import create_app

app = create_app()


@app.get("/slow")
def slow() -> dict[str, str]:
    """Answer after a second."""
    app.logger.info("working")
    time.sleep(1)
    return {"slow": "done"}
