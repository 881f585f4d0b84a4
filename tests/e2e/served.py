"""The built worker and its upstreams, which are in JavaScript (serve.mjs), as a Python test sees them."""

import json
import subprocess
import time
from pathlib import Path

from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "node_modules" / ".bin" / "node"

# Whom the replayed upstreams play, each with a model of theirs.
PROVIDERS = {
    "chat": "gpt-4.1-mini",
    "responses": "gpt-5-mini",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-3-pro-preview",
    "mistral": "mistral-large-latest",
}


class City(BaseModel):
    name: str
    population: int
    districts: list[str]


# What they all answer where a city is asked for.
OSLO = City(name="Oslo", population=7, districts=["Oslo"])


class Served:
    """A process of serve.mjs. It ends when `stop` closes its input, or when this process ends, however it does."""

    def __init__(self, *arguments):
        script = Path(__file__).with_name("serve.mjs")
        self.process = subprocess.Popen([NODE, script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.base = self._line()["upstream"]

    def _line(self):
        line = self.process.stdout.readline()
        if line == "":
            raise RuntimeError("serve.mjs ended; what it said is above")
        return json.loads(line)

    def _ask(self, name, argument):
        self.process.stdin.write(json.dumps([name, argument]) + "\n")
        self.process.stdin.flush()
        answer = self._line()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def start(self, config, **variables):
        """Starts a worker, and gives the address that an SDK is pointed at."""
        return self._ask("start", {"config": config, "vars": variables})["url"] + "/v1"

    def gateway(self, more=""):
        """Starts a worker whose providers are those of the replaying upstream, and gives its address, without "/v1"."""
        return self._ask("gateway", more)["url"]

    def requests(self, model):
        """What the replaying upstream received for a model."""
        return self._ask("requests", model)

    def refusals(self):
        """All that the replaying upstream refused."""
        return self._ask("refusals", None)

    def recordings(self, protocol):
        """The recordings of a protocol's successful answers: name, and whether it is a stream."""
        return self._ask("recordings", protocol)

    def calls(self, model):
        """How often a model of the upstream was called."""
        return self._ask("calls", model)

    def open(self, model):
        """How many connections that carried a call of a model are still open."""
        return self._ask("open", model)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stdout.close()


def eventually(check, seconds=3.0):
    """Waits until `check` gives something true, and gives that."""
    until = time.monotonic() + seconds
    while not (value := check()):
        if time.monotonic() > until:
            raise AssertionError(f"still not so after {seconds} s")
        time.sleep(0.01)
    return value
