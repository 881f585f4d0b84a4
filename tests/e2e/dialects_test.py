"""The official SDKs for Python, in every client dialect, against every protocol of providers: text, streams, loops of tools, shapes, pictures, errors."""

import json
import unittest

import anthropic
import openai

from served import OSLO, City, Served, eventually

PROMPT = "What is the weather in Oslo?"
HELLO = "Hello, wörld: 漢字 and 🌊."
REASONING = "The user greets me.\nI look at the weather — twice."
RESULT = "7 °C «ok»"
FINAL = f"The results are: {RESULT} | {RESULT}"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
TOOLS = ("weather", "local_time")
CALLS = [(name, {"city": "Oslo"}) for name in TOOLS]

# Each provider by a model's name that the gateway knows the abilities of, and what it says of a request that is wrong.
OPENAI = "Invalid 'temperature': decimal above maximum value — word for word"
PROVIDERS = {
    "chat": ("gpt-4.1-mini", OPENAI),
    "responses": ("gpt-5-mini", OPENAI),
    "anthropic": ("claude-sonnet-4-5", "temperature: Input should be less than or equal to 1 — word for word"),
    "gemini": ("gemini-3-pro-preview", "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), word for word — “9”"),
    "mistral": ("mistral-large-latest", OPENAI),
}


served: Served
url: str


def setUpModule():
    global served, url
    served = Served("replay")
    unittest.addModuleCleanup(served.stop)
    url = served.gateway()


class Dialect:
    """What every SDK must be able to do, whoever answers. A subclass says how its SDK does it."""

    def each(self, what, kind="agent"):
        """Every provider, with a model of this test's own."""
        # Claude's versions end at what is no number.
        return [(provider, f"{provider}/{real}-x~{kind}~python-{type(self).__name__}-{what}") for provider, (real, _) in PROVIDERS.items()]

    def tearDown(self):
        self.assertEqual(served.refusals(), [], "a provider refused what it was sent")

    def test_text_whole_and_streamed(self):
        for provider, model in self.each("text"):
            with self.subTest(provider):
                self.assertEqual(self.whole(model).text, HELLO)
                self.assertEqual(self.stream(model).text, HELLO)

    def test_a_loop_of_parallel_calls(self):
        for provider, model in self.each("loop"):
            with self.subTest(provider):
                for streamed in (False, True):
                    first, last = self.loop(model, streamed)
                    self.assertEqual(first.calls, CALLS)
                    self.assertEqual((last.text, last.calls), (FINAL, []))
                    if provider != "mistral":
                        self.assertEqual(first.reasoning.strip(), REASONING)

    def test_an_answer_of_a_models_shape(self):
        for provider, model in self.each("shape"):
            with self.subTest(provider):
                self.assertEqual(self.shape(model), OSLO)

    def test_a_picture(self):
        for provider, model in self.each("picture"):
            with self.subTest(provider):
                self.assertEqual(self.picture(model).text, HELLO)
                self.assertIn(PIXEL, json.dumps(served.requests(model.split("/", 1)[1])[-1]["body"]))

    def test_errors_are_its_own_classes_with_the_providers_message(self):
        for provider, model in self.each("wrong", "e400"):
            with self.subTest(provider):
                with self.assertRaises(self.sdk.BadRequestError) as caught:
                    self.whole(model)
                self.assertEqual(caught.exception.status_code, 400)
                self.assertIn(PROVIDERS[provider][1], str(caught.exception))
        for provider, model in self.each("limited", "e429"):
            with self.subTest(provider):
                with self.assertRaises(self.sdk.RateLimitError) as caught:
                    self.whole(model)
                self.assertIn(caught.exception.response.headers["retry-after"], ("6", "7"))

    def test_a_model_that_there_is_not(self):
        with self.assertRaises(self.sdk.NotFoundError):
            self.whole("no-such-route")

    def test_a_client_that_leaves_ends_the_upstreams_stream(self):
        for provider, model in self.each("left", "forever"):
            with self.subTest(provider):
                self.leave(model)
                own = model.split("/", 1)[1]
                eventually(lambda: len(served.requests(own)) == 1 and served.open(own) == 0, 1.0)


class Said:
    def __init__(self, text, reasoning, calls, answer):
        self.text, self.reasoning, self.calls, self.answer = text, reasoning, calls, answer


class Chat(Dialect, unittest.TestCase):
    sdk = openai

    def setUp(self):
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)
        self.addCleanup(self.client.close)

    def options(self, messages=None, tools=False):
        declared = [{"type": "function", "function": {"name": name, "description": name, "parameters": PARAMETERS}} for name in TOOLS]
        return {"messages": messages or [{"role": "user", "content": PROMPT}]} | ({"tools": declared} if tools else {})

    def read(self, message, reasoning=None):
        calls = [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or []]
        return Said(message.content or "", reasoning or getattr(message, "reasoning_content", None) or "", calls, message)

    def whole(self, model, **more):
        return self.read(self.client.chat.completions.create(model=model, **self.options(**more)).choices[0].message)

    def stream(self, model, **more):
        reasoning = ""
        with self.client.chat.completions.stream(model=model, **self.options(**more)) as stream:
            for event in stream:
                if event.type == "chunk" and event.chunk.choices:
                    reasoning += getattr(event.chunk.choices[0].delta, "reasoning_content", None) or ""
            return self.read(stream.get_final_completion().choices[0].message, reasoning)

    def loop(self, model, streamed):
        ask = self.stream if streamed else self.whole
        messages = [{"role": "user", "content": PROMPT}]
        first = ask(model, messages=messages, tools=True)
        # As its documentation has it: what was said is put back, without what was not said.
        message = first.answer.model_dump(exclude_none=True, exclude={"parsed": True, "tool_calls": {"__all__": {"index": True, "function": {"parsed_arguments"}}}})
        messages.append(message)
        messages += [{"role": "tool", "tool_call_id": call.id, "content": RESULT} for call in first.answer.tool_calls]
        return first, ask(model, messages=messages, tools=True)

    def shape(self, model):
        return self.client.chat.completions.parse(model=model, **self.options(), response_format=City).choices[0].message.parsed

    def picture(self, model):
        content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}]
        return self.whole(model, messages=[{"role": "user", "content": content}])

    def leave(self, model):
        with self.client.chat.completions.create(model=model, **self.options(), stream=True) as stream:
            next(chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content)


class Responses(Dialect, unittest.TestCase):
    sdk = openai

    def setUp(self):
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)
        self.addCleanup(self.client.close)

    def options(self, given=PROMPT, tools=False):
        declared = [{"type": "function", "name": name, "description": name, "parameters": PARAMETERS, "strict": True} for name in TOOLS]
        return {"input": given, "store": False, "include": ["reasoning.encrypted_content"]} | ({"tools": declared} if tools else {})

    def read(self, response):
        calls = [(item.name, json.loads(item.arguments)) for item in response.output if item.type == "function_call"]
        reasoning = "\n\n".join(part.text for item in response.output if item.type == "reasoning" for part in item.summary)
        return Said(response.output_text, reasoning, calls, response)

    def whole(self, model, **more):
        return self.read(self.client.responses.create(model=model, **self.options(**more)))

    def stream(self, model, **more):
        text = ""
        with self.client.responses.stream(model=model, **self.options(**more)) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    text += event.delta
            said = self.read(stream.get_final_response())
        self.assertEqual(text, said.text)
        return said

    def loop(self, model, streamed):
        ask = self.stream if streamed else self.whole
        given = [{"role": "user", "content": PROMPT}]
        first = ask(model, given=given, tools=True)
        given += [item.model_dump(exclude_none=True, exclude={"parsed_arguments", "parsed"}) for item in first.answer.output]
        given += [{"type": "function_call_output", "call_id": item.call_id, "output": RESULT} for item in first.answer.output if item.type == "function_call"]
        return first, ask(model, given=given, tools=True)

    def shape(self, model):
        return self.client.responses.parse(model=model, **self.options(), text_format=City).output_parsed

    def picture(self, model):
        content = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PIXEL}"}]
        return self.whole(model, given=[{"role": "user", "content": content}])

    def leave(self, model):
        with self.client.responses.create(model=model, **self.options(), stream=True) as stream:
            next(event for event in stream if event.type == "response.output_text.delta")


class Messages(Dialect, unittest.TestCase):
    sdk = anthropic

    def setUp(self):
        # The address of the gateway, not of one of its endpoints; and no credential of the environment's.
        self.client = anthropic.Anthropic(base_url=url, api_key="any", auth_token=None, max_retries=0)
        self.addCleanup(self.client.close)

    def options(self, messages=None, tools=False):
        declared = [{"name": name, "description": name, "input_schema": PARAMETERS} for name in TOOLS]
        return {"messages": messages or [{"role": "user", "content": PROMPT}], "max_tokens": 4096} | ({"tools": declared} if tools else {})

    def read(self, message):
        text = "".join(block.text for block in message.content if block.type == "text")
        thinking = "".join(block.thinking for block in message.content if block.type == "thinking")
        return Said(text, thinking, [(block.name, block.input) for block in message.content if block.type == "tool_use"], message)

    def whole(self, model, **more):
        return self.read(self.client.messages.create(model=model, **self.options(**more)))

    def stream(self, model, **more):
        with self.client.messages.stream(model=model, **self.options(**more)) as stream:
            text = "".join(stream.text_stream)
            said = self.read(stream.get_final_message())
        self.assertEqual(text, said.text)
        return said

    def loop(self, model, streamed):
        ask = self.stream if streamed else self.whole
        messages = [{"role": "user", "content": PROMPT}]
        first = ask(model, messages=messages, tools=True)
        messages.append({"role": "assistant", "content": first.answer.content})
        results = [{"type": "tool_result", "tool_use_id": block.id, "content": RESULT} for block in first.answer.content if block.type == "tool_use"]
        messages.append({"role": "user", "content": results})
        return first, ask(model, messages=messages, tools=True)

    def shape(self, model):
        format = {"type": "json_schema", "schema": City.model_json_schema() | {"additionalProperties": False}}
        message = self.client.messages.create(model=model, **self.options(), output_config={"format": format})
        return City.model_validate_json(self.read(message).text)

    def picture(self, model):
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
        return self.whole(model, messages=[{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}])

    def leave(self, model):
        with self.client.messages.create(model=model, **self.options(), stream=True) as stream:
            next(event for event in stream if event.type == "content_block_delta")


if __name__ == "__main__":
    unittest.main()
