"""A stand-in endpoint: `endpoint.py FOLDER` serves the name in FOLDER/served.txt, and a judge, and prints its port.

The policy answers by its name, the question and the seed; the judge gives a score by the answer's length.
"""

import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    folder: Path

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, said = body["model"], body["messages"][-1]["content"]
        served = self.folder / "served.txt"
        if name != "judge" and (not served.exists() or name != served.read_text()):
            self.reply(404, {"error": {"message": f"{name} is not served"}})
            return
        text = f"Evidence.\nScore: {2 + len(said) % 8}.0" if name == "judge" else answer(name, said, body["seed"])
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 1, "completion_tokens": 1}
        self.reply(200, {"model": name, "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})

    def reply(self, code, body):
        sent = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_):
        pass


def answer(name, said, seed):
    """Return an answer of its own length for each name, question and seed."""
    digest = hashlib.sha256(f"{name} {said} {seed}".encode()).hexdigest()
    return f"{name} says {digest[: 1 + int(digest[:2], 16) % 8]}"


def main(folder):
    Handler.folder = Path(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
