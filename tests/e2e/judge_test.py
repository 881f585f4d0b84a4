"""What the gateway sends, and what it answers, judged by the providers' own SDKs: their types parse it, and know every member of it."""

import json
import re
import typing
import unittest
import urllib.error
import urllib.request

import anthropic.types
import openai.types.chat
import openai.types.responses
from anthropic.types import message_create_params
from google.genai import types as genai
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from typing_extensions import is_typeddict

from served import ROOT, Served

RECORDED = ROOT.parent / "shared" / "recorded"

# A client's dialect: where it is spoken, and the recorded requests of it.
CLIENTS = {
    "chat": ("/v1/chat/completions", ("openai", "deepseek", "groq", "mistral", "openrouter"), "/chat/completions"),
    "responses": ("/v1/responses", ("openai",), "/responses"),
    "anthropic": ("/v1/messages", ("anthropic",), "/messages"),
}
PROVIDERS = {"chat": "gpt-4.1-mini", "responses": "gpt-5-mini", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-3-pro-preview"}

served: Served
url: str


def setUpModule():
    global served, url
    served = Served("replay")
    unittest.addModuleCleanup(served.stop)
    url = served.gateway()


def post(path, body):
    """Status, header fields and text of an answer."""
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def foreign(value, kind, place="body"):
    """The members of a value that none of the types it may be knows: a type of the SDKs' takes any in silence."""
    origin = typing.get_origin(kind)
    if origin in (typing.Required, typing.NotRequired, typing.Annotated, typing.ClassVar) or str(origin) in ("typing_extensions.Required", "typing_extensions.NotRequired"):
        return foreign(value, typing.get_args(kind)[0], place)
    if origin is typing.Union or str(origin) == "<class 'types.UnionType'>":
        # That one is meant which has the fewest complaints.
        fitting = [arm for arm in typing.get_args(kind) if fits(value, arm)] or [arm for arm in typing.get_args(kind) if arm is not type(None)]
        return min((foreign(value, arm, place) for arm in fitting), key=len, default=[])
    if isinstance(value, list):
        inner = typing.get_args(kind)
        return [wrong for at, item in enumerate(value) for wrong in (foreign(item, inner[0], f"{place}[{at}]") if inner else [])]
    if not isinstance(value, dict):
        return []
    if is_typeddict(kind):
        known = typing.get_type_hints(kind, include_extras=True)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        known = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
    else:
        return []
    return [f"{place}.{name}" for name in value if name not in known] + [
        wrong for name, inner in known.items() if name in value for wrong in foreign(value[name], inner, f"{place}.{name}")
    ]


def fits(value, kind):
    try:
        adapter(kind).validate_python(value)
    except (ValidationError, TypeError):
        return False
    except Exception:  # A type that pydantic has no schema for says nothing.
        return True
    return True


ADAPTERS = {}


def adapter(kind):
    key = repr(kind)
    if key not in ADAPTERS:
        ADAPTERS[key] = TypeAdapter(kind, config=None if isinstance(kind, type) and (issubclass(kind, BaseModel) or is_typeddict(kind)) else ConfigDict(arbitrary_types_allowed=True))
    return ADAPTERS[key]


class Gemini(BaseModel):
    """The members of a request to generateContent, by the SDK's types of what is in them, which refuse what they do not know."""

    model_config = ConfigDict(extra="forbid")
    contents: list[genai.Content]
    systemInstruction: genai.Content | None = None
    tools: list[genai.Tool] | None = None
    toolConfig: genai.ToolConfig | None = None
    safetySettings: list[genai.SafetySetting] | None = None
    generationConfig: genai.GenerationConfig | None = None
    cachedContent: str | None = None


REQUESTS = {
    "chat": typing.Union[completion_create_params.CompletionCreateParamsNonStreaming, completion_create_params.CompletionCreateParamsStreaming],
    "responses": typing.Union[response_create_params.ResponseCreateParamsNonStreaming, response_create_params.ResponseCreateParamsStreaming],
    "anthropic": typing.Union[message_create_params.MessageCreateParamsNonStreaming, message_create_params.MessageCreateParamsStreaming],
}


# Anthropic's newest models refuse them, and so its SDK's types have them no more; the model that is asked here takes them.
SAMPLING = ("body.temperature", "body.top_p", "body.top_k")


def judge(protocol, body):
    """What is wrong with a request to a provider of a protocol."""
    if protocol == "gemini":
        try:
            Gemini.model_validate(body)
        except ValidationError as error:
            return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()][:3]
        return []
    if protocol == "responses" and isinstance(body["input"], list):
        # The types want of an assistant's words the id that they were stored by. The API does not, and the AI SDK sends them without, as we do.
        said = [item for item in body["input"] if item.get("role") == "assistant" and isinstance(item["content"], list)]
        body = body | {"input": [item | {"id": "msg_1", "status": "completed"} if item in said else item for item in body["input"]]}
    # The types have a stream's `stream` required, and the other one's optional.
    kind = typing.get_args(REQUESTS[protocol])[1 if body.get("stream") else 0]
    try:
        adapter(kind).validate_python(body)
    except ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()][:3]
    return [place for place in foreign(body, kind) if place not in SAMPLING]


def arms(union):
    """The types of a union by what their `type` is."""
    if typing.get_origin(union) is typing.Annotated:
        return arms(typing.get_args(union)[0])
    return {name: kind for kind in typing.get_args(union) for name in typing.get_args(kind.model_fields["type"].annotation)}


def requests(dialect):
    """The recorded requests of a dialect: their names and bodies."""
    _, folders, suffix = CLIENTS[dialect]
    for folder in folders:
        for file in sorted((RECORDED / folder).glob("*.json")):
            recorded = json.loads(file.read_text())
            body = recorded["request"]["body"]
            body = json.loads(body) if isinstance(body, str) and body else body
            # What a provider refused is no request of its dialect's.
            if recorded["request"]["path"].split("?")[0].endswith(suffix) and recorded["response"]["status"] == 200 and body:
                yield f"{folder}/{file.stem}", body


@unittest.skipUnless(RECORDED.exists(), "../shared/recorded is not there")
class Sent(unittest.TestCase):
    """Every recorded request of every dialect, to a provider of every other protocol."""

    def sent(self, dialect):
        path, _, _ = CLIENTS[dialect]
        for provider, real in PROVIDERS.items():
            if provider == dialect:
                continue
            judged = refused = 0
            for at, (name, body) in enumerate(requests(dialect)):
                own = f"{real}-x~agent~judged-{dialect}-{at}"
                status, _, text = post(path, body | {"model": f"{provider}/{own}"})
                said = json.loads(text).get("error", {}) if status != 200 else {}
                received = served.requests(own)
                with self.subTest(name, provider=provider):
                    if not received:
                        # The gateway itself says what cannot be said.
                        self.assertEqual(status, 400, text)
                        self.assertEqual(said.get("code", "unsupported_parameter"), "unsupported_parameter", text)
                        self.assertIn("cannot honour", said["message"])
                        refused += 1
                        continue
                    self.assertIsNone(received[0]["refused"], json.dumps(received[0]["body"])[:1500])
                    self.assertEqual(judge(provider, received[0]["body"]), [], json.dumps(received[0]["body"])[:1500])
                    # What the replayed provider says is none of the forms that a few of these ask for.
                    self.assertTrue(status == 200 or status == 422 and "schema_unsatisfied" in text, text)
                    judged += 1
            print(f"{dialect} to {provider}: {judged} judged, {refused} refused by name")
            self.assertGreater(judged, 30)

    def test_chat(self):
        self.sent("chat")

    def test_responses(self):
        self.sent("responses")

    def test_anthropic(self):
        self.sent("anthropic")


ANSWERS = {
    "chat": (openai.types.chat.ChatCompletion, openai.types.chat.ChatCompletionChunk),
    "responses": (openai.types.responses.Response, openai.types.responses.ResponseStreamEvent),
    "anthropic": (anthropic.types.Message, anthropic.types.RawMessageStreamEvent),
}
ASKED = {
    "chat": {"messages": [{"role": "user", "content": "Hello"}]},
    "responses": {"input": "Hello"},
    "anthropic": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 100},
}
# What the types do not know and our answers have: OpenRouter's and DeepSeek's way to tell reasoning, a stream's citations, what OpenAI's own answers
# have beyond the types, and what else a provider counted.
ADDED = re.compile(r"\.(reasoning_content|reasoning_details|delta\.annotations|frequency_penalty|presence_penalty|store)$|\.usage\.\w+$|\.usage\.\w+_details\.\w+$|logprobs\[\d+\]\.bytes$")


@unittest.skipUnless(RECORDED.exists(), "../shared/recorded is not there")
class Answered(unittest.TestCase):
    """Every recorded answer of every protocol, to a client of every other dialect, whole and as a stream."""

    def read(self, dialect):
        path, _, _ = CLIENTS[dialect]
        whole, union = ANSWERS[dialect]
        event = (lambda _: union) if dialect == "chat" else arms(union).__getitem__
        count = 0
        for protocol in PROVIDERS:
            if protocol == dialect:
                continue
            for recording in served.recordings(protocol):
                name = recording["name"]
                status, _, text = post(path, ASKED[dialect] | {"model": f"{protocol}/{name}"} | ({"stream": True} if recording["streamed"] else {}))
                with self.subTest(name):
                    self.assertEqual(status, 200, text)
                    if recording["streamed"]:
                        self.events(dialect, text, event)
                    else:
                        value = json.loads(text)
                        self.known(value, whole)
                    count += 1
        print(f"to {dialect}: {count} answers read")
        self.assertGreater(count, 150)

    def events(self, dialect, text, event):
        # A comment of the provider's says nothing.
        frames = [frame for frame in text.split("\n\n") if frame and not frame.startswith(":")]
        if dialect == "chat":
            self.assertEqual(frames.pop(), "data: [DONE]")
        for at, frame in enumerate(frames):
            lines = dict(line.split(": ", 1) for line in frame.split("\n"))
            value = json.loads(lines["data"])
            if value.get("type") == "ping":
                # No part of the union, which is of what says something.
                continue
            if dialect != "chat":
                self.assertEqual(lines["event"], value["type"])
            if dialect == "responses":
                self.assertEqual(value["sequence_number"], at)
            self.known(value, event(value.get("type")))

    def known(self, value, kind):
        try:
            adapter(kind).validate_python(value, strict=True)
        except ValidationError as error:
            self.fail([f"{kind.__name__}.{'.'.join(map(str, one['loc']))}: {one['msg']}, not {str(one['input'])[:80]}" for one in error.errors()][:3])
        unknown = [place for place in foreign(value, kind, "answer") if not ADDED.search(place)]
        self.assertEqual(unknown, [])

    def test_chat(self):
        self.read("chat")

    def test_responses(self):
        self.read("responses")

    def test_anthropic(self):
        self.read("anthropic")


class Judge(unittest.TestCase):
    """That the judge sees what is wrong."""

    def test_it_knows_a_stranger(self):
        good = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}
        self.assertEqual(judge("anthropic", good), [])
        self.assertTrue(judge("anthropic", good | {"n": 2}))
        self.assertTrue(judge("anthropic", {"model": "m", "messages": good["messages"]}))
        deep = good | {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "index": 0}]}]}
        self.assertTrue(judge("anthropic", deep))
        self.assertTrue(judge("gemini", {"contents": [{"role": "user", "parts": [{"text": "x", "type": "text"}]}]}))
        self.assertTrue(judge("responses", {"model": "m", "input": [{"type": "message", "role": "user", "content": [{"type": "text", "text": "x"}]}]}))
        self.assertTrue(judge("chat", {"model": "m", "messages": [{"role": "user", "content": "x", "thinking": "y"}]}))


if __name__ == "__main__":
    unittest.main()
