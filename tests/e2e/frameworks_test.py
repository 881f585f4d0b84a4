"""Agent frameworks for Python, as their users use them, against every protocol of providers: text, streams, agents with tools, answers of a type."""

import asyncio
import base64
import logging
import unittest

import agents
import instructor
import openai
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from llama_index.llms.openai_like import OpenAILike
from pydantic_ai import Agent, BinaryContent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from served import OSLO, PROVIDERS, City, Served

PROMPT = "What is the weather in Oslo?"
HELLO = "Hello, wörld: 漢字 and 🌊."
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = f"data:image/png;base64,{PIXEL}"
FINAL = "The results are: 7 degrees in Oslo | noon in Oslo"

served: Served
url: str


def setUpModule():
    global served, url
    served = Served("replay")
    unittest.addModuleCleanup(served.stop)
    url = served.gateway()
    # It would send what it did to its maker's servers.
    agents.set_tracing_disabled(True)
    # Of errors that a test wants.
    logging.getLogger("openai.agents").setLevel(logging.CRITICAL)


def weather(city: str) -> str:
    """Tells the weather of a city."""
    return f"7 degrees in {city}"


def local_time(city: str) -> str:
    """Tells the time in a city."""
    return f"noon in {city}"


class Framework:
    def each(self, what, kind="agent"):
        """Every provider, with a model of this test's own."""
        for provider, real in PROVIDERS.items():
            yield provider, f"{provider}/{real}-x~{kind}~python-{type(self).__name__}-{what}"

    def setUp(self):
        self.refused = len(served.refusals())

    def tearDown(self):
        self.assertEqual(served.refusals()[self.refused :], [], "a provider refused what it was sent")

    def saw(self, model, text):
        """Whether a text is in what the provider was sent last."""
        self.assertIn(text, str(served.requests(model.split("/", 1)[1])[-1]["body"]))


class LangChain(Framework, unittest.TestCase):
    def model(self, model, **more):
        return ChatOpenAI(base_url=f"{url}/v1", api_key="any", model=model, max_retries=0, stream_usage=True, **more)

    def both(self, what):
        """By Chat Completions, which is its default, and by Responses."""
        for api in (False, True):
            for provider, model in self.each(f"{what}-{api}"):
                yield {"provider": provider, "responses": api}, model, self.model(model, use_responses_api=api, **({"output_version": "responses/v1"} if api else {}))

    def test_text_and_a_stream(self):
        for label, _, model in self.both("text"):
            with self.subTest(**label):
                self.assertEqual(model.invoke(PROMPT).text, HELLO)
                chunks = list(model.stream(PROMPT))
                self.assertEqual("".join(chunk.text for chunk in chunks), HELLO)
                self.assertEqual(sum((chunk.usage_metadata or {}).get("total_tokens", 0) for chunk in chunks), 24)

    def test_tools(self):
        tools = {function.__name__: tool(function) for function in (weather, local_time)}
        for label, _, model in self.both("tools"):
            with self.subTest(**label):
                bound = model.bind_tools(list(tools.values()))
                for ask in (bound.invoke, lambda messages, bound=bound: sum_of(bound.stream(messages))):
                    messages = [HumanMessage(PROMPT)]
                    messages.append(ask(messages))
                    self.assertEqual([call["name"] for call in messages[-1].tool_calls], list(tools))
                    for call in messages[-1].tool_calls:
                        messages.append(ToolMessage(tools[call["name"]].invoke(call["args"]), tool_call_id=call["id"]))
                    self.assertEqual(ask(messages).text, FINAL)

    def test_an_answer_of_a_type(self):
        for label, _, model in self.both("type"):
            with self.subTest(**label):
                for method in ("json_schema", "function_calling"):
                    self.assertEqual(model.with_structured_output(City, method=method).invoke(PROMPT), OSLO)

    def test_a_picture(self):
        for label, name, model in self.both("picture"):
            with self.subTest(**label):
                model.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PICTURE}}])])
                self.saw(name, PIXEL)

    def test_errors(self):
        for provider, model in self.each("wrong", "e400"):
            with self.subTest(provider), self.assertRaisesRegex(openai.BadRequestError, "word for word"):
                self.model(model).invoke(PROMPT)


def sum_of(chunks):
    chunks = list(chunks)
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    return total


class LlamaIndex(Framework, unittest.TestCase):
    def model(self, model, **more):
        return OpenAILike(api_base=f"{url}/v1", api_key="any", model=model, max_retries=0, **more)

    def test_completion_is_its_default(self):
        for provider, model in self.each("complete"):
            with self.subTest(provider):
                llm = self.model(model)
                self.assertEqual(llm.complete(PROMPT).text, HELLO)
                self.assertEqual(list(llm.stream_complete(PROMPT))[-1].text, HELLO)

    def test_chat_and_a_stream(self):
        for provider, model in self.each("chat"):
            with self.subTest(provider):
                llm = self.model(model, is_chat_model=True)
                self.assertEqual(llm.chat([ChatMessage(PROMPT)]).message.content, HELLO)
                self.assertEqual(list(llm.stream_chat([ChatMessage(PROMPT)]))[-1].message.content, HELLO)

    def test_an_agent_with_tools(self):
        async def run(llm):
            try:
                return await FunctionAgent(tools=[weather, local_time], llm=llm).run(PROMPT)
            finally:
                # It would be closed when the loop is no more.
                await llm._get_aclient().close()

        for provider, model in self.each("agent"):
            with self.subTest(provider):
                answer = asyncio.run(run(self.model(model, is_chat_model=True, is_function_calling_model=True)))
                self.assertEqual(str(answer), FINAL)

    def test_a_picture(self):
        for provider, model in self.each("picture"):
            with self.subTest(provider):
                message = ChatMessage(blocks=[TextBlock(text="What is this?"), ImageBlock(url=PICTURE)])
                self.assertEqual(self.model(model, is_chat_model=True).chat([message]).message.content, HELLO)
                self.saw(model, PIXEL)

    def test_errors(self):
        for provider, model in self.each("wrong", "e400"):
            with self.subTest(provider), self.assertRaisesRegex(openai.BadRequestError, "word for word"):
                self.model(model, is_chat_model=True).chat([ChatMessage(PROMPT)])


class PydanticAI(Framework, unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        # unittest has the loop tell of every step that took a tenth of a second, as any does on a busy machine.
        asyncio.get_running_loop().slow_callback_duration = 10

    def models(self, what, kind="agent"):
        """Every provider, in each of its three dialects."""
        provided = OpenAIProvider(base_url=f"{url}/v1", api_key="any")
        claude = AnthropicProvider(base_url=url, api_key="any")
        kinds = {"chat": (OpenAIChatModel, provided), "responses": (OpenAIResponsesModel, provided), "anthropic": (AnthropicModel, claude)}
        for dialect, (model, by) in kinds.items():
            for provider, name in self.each(f"{what}-{dialect}", kind):
                yield {"provider": provider, "dialect": dialect}, name, model(name, provider=by)

    async def test_text_and_a_stream(self):
        for label, _, model in self.models("text"):
            with self.subTest(**label):
                agent = Agent(model)
                self.assertEqual((await agent.run(PROMPT)).output, HELLO)
                async with agent.run_stream(PROMPT) as stream:
                    self.assertEqual(await stream.get_output(), HELLO)

    async def test_an_agent_with_tools(self):
        for label, _, model in self.models("tools"):
            with self.subTest(**label):
                self.assertEqual((await Agent(model, tools=[weather, local_time]).run(PROMPT)).output, FINAL)

    async def test_a_conversation_goes_on_with_another_protocol(self):
        # Each agent takes over what the one before it said, tools and thoughts included.
        history = None
        for label, _, model in self.models("handed"):
            with self.subTest(**label):
                result = await Agent(model, tools=[weather, local_time]).run(PROMPT, message_history=history)
                self.assertEqual(result.output, FINAL)
                history = result.all_messages()

    async def test_an_answer_of_a_type(self):
        for label, _, model in self.models("type"):
            with self.subTest(**label):
                self.assertEqual((await Agent(model, output_type=City).run(PROMPT)).output, OSLO)
                self.assertEqual((await Agent(model, output_type=City, tools=[weather, local_time]).run(PROMPT)).output, OSLO)

    async def test_a_picture(self):
        for label, name, model in self.models("picture"):
            with self.subTest(**label):
                await Agent(model).run(["What is this?", BinaryContent(data=base64.b64decode(PIXEL), media_type="image/png")])
                self.saw(name, PIXEL)


class OpenAIAgents(Framework, unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().slow_callback_duration = 10
        self.client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)
        self.addAsyncCleanup(self.client.close)

    def models(self, what, kind="agent"):
        for model in (agents.OpenAIResponsesModel, agents.OpenAIChatCompletionsModel):
            for provider, name in self.each(f"{what}-{model.__name__}", kind):
                yield {"provider": provider, "model": model.__name__}, name, model(model=name, openai_client=self.client)

    async def test_an_agent_with_tools_whole_and_streamed(self):
        tools = [agents.function_tool(weather), agents.function_tool(local_time)]
        for label, _, model in self.models("tools"):
            with self.subTest(**label):
                agent = agents.Agent(name="clerk", instructions="Be short.", model=model, tools=tools)
                self.assertEqual((await agents.Runner.run(agent, PROMPT)).final_output, FINAL)
                running = agents.Runner.run_streamed(agent, PROMPT)
                async for _ in running.stream_events():
                    pass
                self.assertEqual(running.final_output, FINAL)

    async def test_an_answer_of_a_type(self):
        for label, _, model in self.models("type"):
            with self.subTest(**label):
                agent = agents.Agent(name="clerk", model=model, output_type=City)
                self.assertEqual((await agents.Runner.run(agent, PROMPT)).final_output, OSLO)

    async def test_errors(self):
        for label, _, model in self.models("wrong", "e400"):
            with self.subTest(**label):
                with self.assertRaisesRegex(openai.BadRequestError, "word for word"):
                    await agents.Runner.run(agents.Agent(name="clerk", model=model), PROMPT)


class Instructor(Framework, unittest.TestCase):
    def test_an_answer_of_a_type_in_every_mode(self):
        modes = (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA, instructor.Mode.TOOLS_STRICT)
        for mode in modes:
            client = instructor.from_openai(openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0), mode=mode)
            for provider, model in self.each(mode.value):
                with self.subTest(provider, mode=mode.value):
                    city = client.chat.completions.create(model=model, response_model=City, messages=[{"role": "user", "content": PROMPT}], max_retries=0)
                    self.assertEqual(city.model_dump(), OSLO.model_dump())
                    *_, last = client.chat.completions.create_partial(model=model, response_model=City, messages=[{"role": "user", "content": PROMPT}], max_retries=0)
                    self.assertEqual(last.model_dump(), OSLO.model_dump())


if __name__ == "__main__":
    unittest.main()
