"""Serves httpbin on a free port of 127.0.0.1, and prints its address."""

import sys

from httpbin import app
from waitress import create_server

server = create_server(app, host="127.0.0.1", port=0, threads=8)
print(f"Serving http://127.0.0.1:{server.effective_port}", flush=True)
sys.exit(server.run())
