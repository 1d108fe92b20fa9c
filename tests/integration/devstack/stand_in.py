"""A server with a chosen misbehaviour: `stand_in.py PORT [crash|deaf|mute|brood|chatty]`."""

import itertools
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Response(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if "mute" in sys.argv else 200)
        self.end_headers()
        self.wfile.write(b"as set")


def talk() -> None:
    for number in itertools.count():
        sys.stdout.write(f"line {number} {'.' * 1000}\n")
        sys.stdout.flush()
        time.sleep(0.001)


if __name__ == "__main__":
    if "crash" in sys.argv:
        sys.exit("the broker is on holiday")
    if "deaf" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "brood" in sys.argv:
        sys.stdout.write(f"{subprocess.Popen(['sleep', '1000']).pid}\n")
        sys.stdout.flush()
    if "chatty" in sys.argv:
        threading.Thread(target=talk, daemon=True).start()
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Response).serve_forever()
