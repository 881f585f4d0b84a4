"""Structured output by the Python SDKs and frameworks, each as its users ask for an answer of a type: what a model gets wrong is put right before the
SDK sees any of it, or is the SDK's own error. The models (replay/turn.mjs) stay wrong until they are told what is wrong with what they said."""

import asyncio
import json
import logging
import unittest
import warnings

import agents
import anthropic
import instructor
import openai
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import OpenAIRefusalError
from llama_index.core.base.llms.types import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from pydantic_ai import Agent, ModelHTTPError, NativeOutput, Tool, ToolOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.profiles.anthropic import anthropic_model_profile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from served import OSLO, PROVIDERS, City, Served

PROMPT = "Tell me of Oslo."
REFUSAL = "I'd rather not say — sorry."
RESULT = "7 degrees"
ASK = [{"role": "user", "content": PROMPT}]
# Those that know no schema themselves have it put into words by their users.
IN_WORDS = f"{PROMPT} Answer with JSON by this JSON schema: {json.dumps(City.model_json_schema())}"

served: Served
# By default, with the tools checked that call themselves strict; with all checked; and with streams passed on live.
strict: str
checked: str
live: str
loop: asyncio.AbstractEventLoop


def setUpModule():
    global served, strict, checked, live, loop
    served = Served("replay")
    unittest.addModuleCleanup(served.stop)
    # More is put right here than a budget of retries would have it.
    strict, checked, live = (served.gateway(f'[defaults]\nretry_budget = "off"\n{more}') for more in ("", "validate_tools = true", 'validate_tools = true\nschema_stream = "live"'))
    loop = asyncio.new_event_loop()
    unittest.addModuleCleanup(loop.close)
    # It would send what it did to its maker's servers.
    agents.set_tracing_disabled(True)
    # Of clients that a test does not keep, and of types that LangChain's answers are not made of.
    warnings.simplefilter("ignore")
    for name in ("instructor", "openai.agents"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def run(coroutine):
    return loop.run_until_complete(coroutine)


def gpt(url):
    return openai.OpenAI(base_url=f"{url}/v1", api_key="any")


def claude(url):
    return anthropic.Anthropic(base_url=url, api_key="any")


def openai_chat(url, model):
    return gpt(url).chat.completions.parse(model=model, messages=ASK, response_format=City).choices[0].message.parsed


def openai_chat_streamed(url, model):
    with gpt(url).chat.completions.stream(model=model, messages=ASK, response_format=City) as stream:
        return stream.get_final_completion().choices[0].message.parsed


def openai_responses(url, model):
    return gpt(url).responses.parse(model=model, input=PROMPT, text_format=City).output_parsed


def openai_responses_streamed(url, model):
    with gpt(url).responses.stream(model=model, input=PROMPT, text_format=City) as stream:
        return stream.get_final_response().output_parsed


def openai_responses_events(url, model):
    with gpt(url).responses.stream(model=model, input=PROMPT, text_format=City) as stream:
        for event in stream:
            # The SDK hands out this event like any other.
            if event.type == "error":
                raise openai.OpenAIError(event.message)
        return stream.get_final_response().output_parsed


def anthropic_messages(url, model):
    return claude(url).messages.parse(model=model, max_tokens=4096, messages=ASK, output_format=City).parsed_output


def anthropic_messages_streamed(url, model):
    with claude(url).messages.stream(model=model, max_tokens=4096, messages=ASK, output_format=City) as stream:
        return stream.get_final_message().parsed_output


def instructed(mode, streamed=False):
    def ask(url, model):
        completions = instructor.from_openai(gpt(url), mode=mode).chat.completions
        # It asks again itself, with what is wrong, where what it gets is wrong: here it never is.
        if streamed:
            *_, last = completions.create_partial(model=model, response_model=City, messages=ASK, max_retries=0)
        else:
            last = completions.create(model=model, response_model=City, messages=ASK, max_retries=0)
        # What it gives is of a class of its own.
        return City.model_validate(last.model_dump())

    return ask


def pydantic_model(dialect, url, model):
    if dialect == "anthropic":
        # It knows what models can do by their names, and does not know those of other providers.
        return AnthropicModel(model, provider=AnthropicProvider(base_url=url, api_key="any"), profile=anthropic_model_profile("claude-sonnet-4-5"))
    kind = {"chat": OpenAIChatModel, "responses": OpenAIResponsesModel}[dialect]
    return kind(model, provider=OpenAIProvider(base_url=f"{url}/v1", api_key="any"))


def pydantic_agent(dialect, output, streamed=False, **more):
    async def go(url, model):
        agent = Agent(pydantic_model(dialect, url, model), output_type=output(City), retries=0, **more)
        if not streamed:
            return (await agent.run(PROMPT)).output
        async with agent.run_stream(PROMPT) as stream:
            return await stream.get_output()

    return lambda url, model: run(go(url, model))


def langchain(method, api, prompt=PROMPT):
    def ask(url, model):
        chain = ChatOpenAI(base_url=f"{url}/v1", api_key="any", model=model, use_responses_api=api).with_structured_output(City, method=method)
        return chain.invoke(prompt)

    return ask


def langchain_streamed(url, model):
    *_, last = ChatOpenAI(base_url=f"{url}/v1", api_key="any", model=model).with_structured_output(City).stream(PROMPT)
    return last


def llama_index(url, model):
    # Its other way, `should_use_structured_outputs`, imports what is no longer in the OpenAI SDK.
    llm = OpenAILike(api_base=f"{url}/v1", api_key="any", model=model, is_chat_model=True, is_function_calling_model=True)
    return llm.as_structured_llm(City).chat([ChatMessage(PROMPT)]).raw


def openai_agents(kind):
    async def go(url, model):
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any") as client:
            agent = agents.Agent(name="clerk", model=kind(model=model, openai_client=client), output_type=City)
            return (await agents.Runner.run(agent, PROMPT)).final_output

    return lambda url, model: run(go(url, model))


# How to ask, and the class of the error that a 422 is.
SAID = openai.UnprocessableEntityError
WAYS = {
    "openai chat": (openai_chat, SAID),
    "openai chat, streamed": (openai_chat_streamed, SAID),
    "openai responses": (openai_responses, SAID),
    "openai responses, streamed": (openai_responses_streamed, SAID),
    "anthropic": (anthropic_messages, anthropic.UnprocessableEntityError),
    "anthropic, streamed": (anthropic_messages_streamed, anthropic.UnprocessableEntityError),
    **{f"instructor {mode.value}": (instructed(mode), Exception) for mode in (instructor.Mode.JSON_SCHEMA, instructor.Mode.TOOLS, instructor.Mode.TOOLS_STRICT)},
    "instructor json_schema, streamed": (instructed(instructor.Mode.JSON_SCHEMA, streamed=True), Exception),
    **{
        f"pydantic-ai {dialect} {output.__name__}{', streamed' * streamed}": (pydantic_agent(dialect, output, streamed), ModelHTTPError)
        for dialect in ("chat", "responses", "anthropic")
        for output in (ToolOutput, NativeOutput)
        for streamed in (False, True)
    },
    **{f"langchain {method}, responses={api}": (langchain(method, api), SAID) for method in ("json_schema", "function_calling") for api in (False, True)},
    "langchain json_schema, streamed": (langchain_streamed, SAID),
    "llama-index": (llama_index, SAID),
    **{f"openai-agents {kind.__name__}": (openai_agents(kind), SAID) for kind in (agents.OpenAIChatCompletionsModel, agents.OpenAIResponsesModel)},
}
# Any JSON object is asked for, and the schema is the prompt's.
OBJECTS = {
    **{f"langchain json_mode, responses={api}": langchain("json_mode", api, IN_WORDS) for api in (False, True)},
    "instructor json_mode": instructed(instructor.Mode.JSON),
}


def own(turn):
    return turn.get("role") in ("assistant", "model") or turn.get("type") in ("function_call", "reasoning")


class Case:
    def setUp(self):
        self.refused = len(served.refusals())

    def tearDown(self):
        self.assertEqual(served.refusals()[self.refused :], [], "a provider refused what it was sent")

    def each(self, kind, ways=WAYS):
        for way, found in ways.items():
            for provider, real in PROVIDERS.items():
                slug = "".join(letter if letter.isalnum() else "-" for letter in f"{way}-{self._testMethodName}")
                yield self.subTest(way, provider=provider), found, f"{provider}/{real}-x~{kind}~py-{slug}"

    def calls(self, model):
        return [request["body"] for request in served.requests(model.split("/", 1)[1])]

    def told(self, body, said, place):
        """That a request holds the wrong answer, and after it what is wrong with it and where."""
        turns = body.get("messages") or body.get("contents") or body["input"]
        last = max(at for at, turn in enumerate(turns) if own(turn))
        self.assertIn(said, json.dumps(turns[: last + 1]))
        self.assertIn(place, json.dumps(turns[last + 1 :]))


class Answers(Case, unittest.TestCase):
    def test_wrong_then_right(self):
        for part, (ask, _), model in self.each("mends"):
            with part:
                self.assertEqual(ask(checked, model), OSLO)
                calls = self.calls(model)
                self.assertEqual(len(calls), 2)
                self.told(calls[1], "seven", "/population")

    def test_json_that_breaks_off(self):
        for part, ask, model in self.each("breaks", OBJECTS):
            with part:
                self.assertEqual(ask(strict, model), OSLO)
                calls = self.calls(model)
                self.assertEqual(len(calls), 2)
                self.told(calls[1], "population", "not JSON")

    def test_a_fence_is_taken_off(self):
        for part, found, model in self.each("fenced", WAYS | OBJECTS):
            with part:
                ask = found[0] if isinstance(found, tuple) else found
                self.assertEqual(ask(checked, model), OSLO)
                self.assertEqual(len(self.calls(model)), 1)

    def test_never_right_is_the_sdks_own_error_and_not_repeated(self):
        for part, (ask, error), model in self.each("stubborn"):
            with part:
                with self.assertRaises(error) as raised:
                    ask(checked, model)
                self.assertIn("/population", str(raised.exception))
                cause = raised.exception
                while cause is not None and not hasattr(cause, "status_code"):
                    cause = cause.__cause__ or cause.__context__
                self.assertEqual(getattr(cause, "status_code", None), 422, repr(raised.exception))
                self.assertEqual(len(self.calls(model)), 2)

    def test_a_live_stream_ends_in_the_sdks_own_error(self):
        ways = {
            "openai chat": (openai_chat_streamed, openai.APIError),
            "openai responses": (openai_responses_events, openai.OpenAIError),
            "anthropic": (anthropic_messages_streamed, anthropic.APIError),
            "langchain": (langchain_streamed, openai.APIError),
        }
        for part, (ask, error), model in self.each("mends", ways):
            with part:
                with self.assertRaisesRegex(error, "/population"):
                    ask(live, model)
                self.assertEqual(len(self.calls(model)), 1)
        for part, (ask, _), model in self.each("agent", ways):
            with part:
                self.assertEqual(ask(live, model), OSLO)

    def test_a_refusal_is_passed_on_as_one(self):
        for provider in ("chat", "responses"):
            with self.subTest(provider):
                model = f"{provider}/{PROVIDERS[provider]}-x~refuses~py-refusal"
                message = gpt(strict).chat.completions.parse(model=model, messages=ASK, response_format=City).choices[0].message
                self.assertEqual((message.refusal, message.parsed), (REFUSAL, None))
                with self.assertRaisesRegex(OpenAIRefusalError, REFUSAL):
                    langchain("json_schema", False)(strict, model)
                message = claude(strict).messages.create(model=model, max_tokens=4096, messages=ASK, output_config={"format": {"type": "json_schema", "schema": anthropic.transform_schema(City)}})
                self.assertEqual((message.stop_reason, message.content[0].text), ("refusal", REFUSAL))
                self.assertEqual(len(self.calls(model)), 3)


class Conversations(Case, unittest.TestCase):
    """Turns that call tools, strict by their own word, are put right as the last one is, which answers by schema."""

    def check(self, model, answer):
        self.assertEqual(answer, OSLO)
        calls = self.calls(model)
        self.assertEqual(len(calls), 4)
        self.told(calls[1], "city", "/city")
        self.told(calls[3], "seven", "/population")
        # What was wrong is forgotten when it is right: the client never said it.
        self.assertNotIn("not run", json.dumps(calls[2]))
        self.assertIn(RESULT, json.dumps(calls[2]))

    def test_pydantic_ai(self):
        def weather(city: str) -> str:
            """Tells the weather of a city."""
            assert isinstance(city, str)
            return RESULT

        tools = [Tool(weather, strict=True)]
        ways = {
            f"{dialect} {output.__name__}{', streamed' * streamed}": pydantic_agent(dialect, output, streamed, tools=tools)
            for dialect in ("chat", "responses", "anthropic")
            for output in (lambda kind: ToolOutput(kind, strict=True), NativeOutput)
            for streamed in (False, True)
        }
        for part, ask, model in self.each("mends", ways):
            with part:
                self.check(model, ask(strict, model))

    def test_langchain(self):
        @tool
        def weather(city: str) -> str:
            """Tells the weather of a city."""
            return RESULT

        def ask(streamed):
            def go(url, model):
                bound = ChatOpenAI(base_url=f"{url}/v1", api_key="any", model=model).bind_tools([weather], strict=True, response_format=City)
                messages = [HumanMessage(PROMPT)]
                for _ in range(3):
                    said = list(bound.stream(messages)) if streamed else [bound.invoke(messages)]
                    messages.append(sum(said[1:], said[0]))
                    for call in messages[-1].tool_calls:
                        messages.append(ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]))
                    if not messages[-1].type == "tool":
                        break
                return City.model_validate_json(messages[-1].text)

            return go

        for part, go, model in self.each("mends", {"whole": ask(False), "streamed": ask(True)}):
            with part:
                self.check(model, go(strict, model))

    def test_openai_agents(self):
        @agents.function_tool
        def weather(city: str) -> str:
            """Tells the weather of a city."""
            return RESULT

        def ask(kind):
            async def go(url, model):
                async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any") as client:
                    agent = agents.Agent(name="clerk", model=kind(model=model, openai_client=client), output_type=City, tools=[weather])
                    return (await agents.Runner.run(agent, PROMPT)).final_output

            return lambda url, model: run(go(url, model))

        for part, go, model in self.each("mends", {kind.__name__: ask(kind) for kind in (agents.OpenAIChatCompletionsModel, agents.OpenAIResponsesModel)}):
            with part:
                self.check(model, go(strict, model))


if __name__ == "__main__":
    unittest.main()
