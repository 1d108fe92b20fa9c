"""`python -m httpkit.server.healthcheck`: asks the service in this container whether it is ready."""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

_ANSWER_WITHIN_S = 2.5


def is_ready(port: int) -> bool:
    """Say whether the service on `port` of this machine answers that it is ready. Blocks while it thinks."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_ANSWER_WITHIN_S)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_ready(int(os.environ["PORT"])) else 1)
