"""Judges texts by JSON schemas, with a validator that is not the gateway's: a line of JSON in, `true` or `false` out."""

import json
import sys

from jsonschema import Draft202012Validator

for line in sys.stdin:
    asked = json.loads(line)
    try:
        verdict = Draft202012Validator(asked["schema"]).is_valid(json.loads(asked["text"]))
    except ValueError:
        verdict = False
    print(json.dumps(verdict), flush=True)
