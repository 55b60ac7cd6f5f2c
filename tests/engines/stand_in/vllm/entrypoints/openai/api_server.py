"""Stands in for vLLM's server: healthy after a moment, and answers with what it was asked and started with.

VLLM_STAND_IN_SERVER says otherwise: `dies` and `sick` at the start, `dies-later` at its first question. It starts a
process of its own, whose id it writes to VLLM_STAND_IN_PIDS beside its own.
"""

import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MOOD = os.environ.get("VLLM_STAND_IN_SERVER", "")
STARTED_AT = time.monotonic()
OPTIONS = dict(zip(sys.argv[1:], [*sys.argv[2:], ""], strict=True))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        is_healthy = MOOD != "sick" and time.monotonic() > STARTED_AT + 0.3
        self.reply(200 if is_healthy else 503, {"data": [{"id": OPTIONS["--served-model-name"]}]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if MOOD == "dies-later":
            print("ValueError: no more", file=sys.stderr, flush=True)
            os._exit(5)
        folder = Path(OPTIONS["--model"])
        told = {
            "asked": asked,
            "options": OPTIONS,
            "generation": json.loads((folder / "generation_config.json").read_text()),
        }
        message = {"role": "assistant", "content": json.dumps(told)}
        self.reply(200, {"model": asked["model"], "choices": [{"message": message, "finish_reason": "stop"}]})

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if MOOD == "dies":
        sys.exit("OSError: no such model, says the server\nand goes on about it")
    if pids := os.environ.get("VLLM_STAND_IN_PIDS"):
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        Path(pids).write_text(f"{os.getpid()} {other.pid}")
    ThreadingHTTPServer((OPTIONS["--host"], int(OPTIONS["--port"])), Handler).serve_forever()
