"""The official OpenAI SDK for Python, pointed at the gateway: what its users see when targets fail."""

import asyncio
import hashlib
import time
import unittest

import openai
from pydantic import BaseModel

from served import Served, eventually

KEY = "bw-of-alice"
MESSAGES = [{"role": "user", "content": "Hello"}]
HELLO = "Hello from the upstream"

CONFIG = """
[defaults]
stall = "500ms"
[auth]
keys = "GATEWAY_KEYS"
[providers.a]
protocol = "openai"
base_url = "{base}"
# These tests fail more often than a breaker would let them.
breaker = {{ failures = 1000, error_rate = 1.0, min_requests = 1000 }}
# A key that is refused is left alone for a while, whatever it is asked for with: this one is not that of the other tests.
[providers.refused]
protocol = "openai"
base_url = "{base}"
[providers.simulated]
[providers.recovers]
protocol = "simulated"
fail = ["500"]
breaker = {{ failures = 1, cooldown = "2s" }}
[routes.agent]
targets = ["a/s500~agent", "a/well~agent"]
[routes.tools]
targets = ["a/tools"]
[routes.limited]
targets = ["a/s429~limited"]
[routes.exhausted]
targets = ["a/s500~exhausted", "a/s502~exhausted"]
[routes.late]
targets = ["a/hang~late"]
deadline = "300ms"
[routes.cached]
targets = ["a/well~cached"]
cache = "1h"
[routes.made-up]
targets = ["simulated/any"]
[routes.other]
targets = ["a/well~other"]
"""


class City(BaseModel):
    name: str
    population: int
    districts: list[str]


class Weather(BaseModel):
    """The weather in a city."""

    city: str


served: Served
url: str
guarded: str


def setUpModule():
    global served, url, guarded
    served = Served()
    unittest.addModuleCleanup(served.stop)
    config = CONFIG.format(base=served.base)
    url = served.start(config)
    line = f"alice:{hashlib.sha256(KEY.encode()).hexdigest()} routes=agent"
    guarded = served.start(config, BREAKWATER_OPEN=None, GATEWAY_KEYS=line)


def outcomes(headers):
    """The outcomes of a trace, without times: ["a/one;server_error", "b/two;ok"]."""
    return [part.rsplit(";", 1)[0] for part in headers["x-breakwater-trace"].split(", ")]


class Stream:
    """What is put together of a stream's chunks, as far as it got."""

    def __init__(self):
        self.text = ""
        self.finish = None
        self.usage = None

    def add(self, chunk):
        self.usage = self.usage or chunk.usage
        for choice in chunk.choices:
            self.text += choice.delta.content or ""
            self.finish = self.finish or choice.finish_reason


class Answers(unittest.TestCase):
    def setUp(self):
        self.client = openai.OpenAI(base_url=url, api_key="any")
        self.addCleanup(self.client.close)
        self.create = self.client.chat.completions.create

    def test_an_answer_after_a_target_failed(self):
        before = served.calls("s500~agent")
        answer = self.create(model="agent", messages=MESSAGES)
        self.assertEqual(answer.choices[0].message.content, HELLO)
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.usage.total_tokens, 5)
        self.assertTrue(answer._request_id)
        self.assertEqual(served.calls("s500~agent"), before + 1)

    def test_raw_responses_tell_who_answered(self):
        raw = self.client.chat.completions.with_raw_response.create(model="agent", messages=MESSAGES)
        self.assertEqual(raw.headers["x-breakwater-target"], "a/well~agent")
        self.assertEqual(outcomes(raw.headers), ["a/s500~agent;server_error", "a/well~agent;ok"])
        self.assertTrue(raw.headers["x-request-id"])
        self.assertEqual(raw.request_id, raw.headers["x-request-id"])
        self.assertEqual(raw.headers["x-ratelimit-remaining-requests"], "41")
        self.assertEqual(raw.parse().choices[0].message.content, HELLO)

    def test_a_stream_with_usage(self):
        stream = Stream()
        for chunk in self.create(model="agent", messages=MESSAGES, stream=True, stream_options={"include_usage": True}):
            stream.add(chunk)
        self.assertEqual((stream.text, stream.finish, stream.usage.total_tokens), (HELLO, "stop", 5))

    def test_a_streams_headers_tell_who_answered(self):
        raw = self.client.chat.completions.with_raw_response.create(model="agent", messages=MESSAGES, stream=True)
        self.assertEqual(outcomes(raw.headers), ["a/s500~agent;server_error", "a/well~agent;ok"])
        stream = Stream()
        for chunk in raw.parse():
            stream.add(chunk)
        self.assertEqual((stream.text, stream.usage), (HELLO, None))

    def test_its_stream_helper_puts_the_answer_together(self):
        with self.client.chat.completions.stream(model="agent", messages=MESSAGES) as stream:
            kinds = {event.type for event in stream}
            answer = stream.get_final_completion()
        self.assertLessEqual({"chunk", "content.delta", "content.done"}, kinds)
        self.assertEqual(answer.choices[0].message.content, HELLO)

    def test_tool_calls(self):
        tool = openai.pydantic_function_tool(Weather, name="weather")
        answer = self.create(model="tools", messages=MESSAGES, tools=[tool])
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        [call] = answer.choices[0].message.tool_calls
        self.assertEqual((call.id, call.function.name, call.function.arguments), ("call_1", "weather", '{"city":"Oslo"}'))
        parsed = self.client.chat.completions.parse(model="tools", messages=MESSAGES, tools=[tool])
        self.assertEqual(parsed.choices[0].message.tool_calls[0].function.parsed_arguments, Weather(city="Oslo"))

    def test_streamed_tool_calls(self):
        tool = openai.pydantic_function_tool(Weather, name="weather")
        for model in ("tools", "made-up"):
            with self.subTest(model), self.client.chat.completions.stream(
                model=model, messages=MESSAGES, tools=[tool], tool_choice="required"
            ) as stream:
                answer = stream.get_final_completion()
                self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
                self.assertIsInstance(answer.choices[0].message.tool_calls[0].function.parsed_arguments, Weather)

    def test_an_answer_of_a_models_shape(self):
        answer = self.client.chat.completions.parse(model="made-up", messages=MESSAGES, response_format=City)
        self.assertIsInstance(answer.choices[0].message.parsed, City)

    def test_a_streamed_answer_of_a_models_shape(self):
        with self.client.chat.completions.stream(model="made-up", messages=MESSAGES, response_format=City) as stream:
            answer = stream.get_final_completion()
        self.assertIsInstance(answer.choices[0].message.parsed, City)

    def test_a_header_makes_a_simulated_model_fail(self):
        raw = self.client.chat.completions.with_raw_response.create(
            model="made-up",
            messages=MESSAGES,
            extra_body={"models": ["made-up", "agent"]},
            extra_headers={"x-breakwater-simulate": "any=500"},
        )
        self.assertEqual(outcomes(raw.headers), ["simulated/any;server_error", "a/s500~agent;server_error", "a/well~agent;ok"])

    def test_models(self):
        ids = [model.id for model in self.client.models.list()]
        self.assertIn("agent", ids)
        self.assertEqual(self.client.models.retrieve("agent").id, "agent")
        self.assertEqual(self.client.models.retrieve("agent").object, "model")
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("nothing")

    def test_an_identical_question_is_answered_from_the_cache(self):
        def ask(**more):
            return self.client.chat.completions.with_raw_response.create(model="cached", messages=MESSAGES, **more)

        def hit():
            # It is stored after it was answered.
            raw = ask()
            return raw if raw.headers["x-breakwater-cache"] == "hit" else None

        first = ask()
        self.assertEqual(first.headers["x-breakwater-cache"], "miss")
        second = eventually(hit)
        self.assertEqual(second.parse(), first.parse())
        self.assertRegex(second.headers["age"], r"^\d+$")
        calls = served.calls("well~cached")
        raw = ask(stream=True, stream_options={"include_usage": True})
        self.assertEqual(raw.headers["x-breakwater-cache"], "hit")
        stream = Stream()
        for chunk in raw.parse():
            stream.add(chunk)
        self.assertEqual((stream.text, stream.finish, stream.usage.total_tokens), (HELLO, "stop", 5))
        self.assertEqual(served.calls("well~cached"), calls)

    def test_one_client_asks_many_times(self):
        # Its connections are kept and used again, and nothing of one answer is left for the next.
        for _ in range(50):
            self.assertEqual(self.create(model="agent", messages=MESSAGES).choices[0].message.content, HELLO)


class Errors(unittest.TestCase):
    """Each is the SDK's own class, and is not asked for again: the SDK asks twice more unless it is told not to."""

    def setUp(self):
        self.client = openai.OpenAI(base_url=url, api_key="any")
        self.addCleanup(self.client.close)

    def fails(self, kind, client=None, **request):
        with self.assertRaises(kind) as caught:
            (client or self.client).chat.completions.create(messages=MESSAGES, **request)
        self.assertIs(type(caught.exception), kind)
        return caught.exception

    def test_an_unknown_model(self):
        error = self.fails(openai.NotFoundError, model="nothing")
        self.assertEqual((error.status_code, error.code, error.type), (404, "model_not_found", "invalid_request_error"))
        self.assertTrue(error.request_id)

    def test_a_request_that_the_provider_refuses(self):
        error = self.fails(openai.BadRequestError, model="a/s400~refused")
        self.assertEqual((error.code, error.param), ("invalid_value", "temperature"))
        self.assertEqual(error.body["message"], "temperature: must be at most 2 — word for word")
        self.assertEqual(served.calls("s400~refused"), 1)

    def test_a_field_of_the_wrong_type(self):
        error = self.fails(openai.BadRequestError, model="agent", stream_options="yes", stream=True)
        self.assertEqual((error.code, error.param), ("invalid_request", "stream_options"))

    def test_keys(self):
        def client(key):
            made = openai.OpenAI(base_url=guarded, api_key=key)
            self.addCleanup(made.close)
            return made

        error = self.fails(openai.AuthenticationError, client("bw-of-nobody"), model="agent")
        self.assertEqual((error.status_code, error.code), (401, "invalid_api_key"))
        with self.assertRaises(openai.AuthenticationError):
            client("bw-of-nobody").models.list()
        alice = client(KEY)
        self.assertEqual(alice.chat.completions.create(model="agent", messages=MESSAGES).choices[0].message.content, HELLO)
        self.assertEqual([model.id for model in alice.models.list()], ["agent"])
        error = self.fails(openai.PermissionDeniedError, alice, model="other")
        self.assertEqual((error.status_code, error.code), (403, "not_allowed"))

    def test_a_key_that_the_provider_refuses_is_not_the_callers(self):
        error = self.fails(openai.InternalServerError, model="refused/s401~key")
        self.assertEqual((error.status_code, error.code), (502, "upstream_failed"))
        self.assertNotIn("Bearer", str(error))
        self.assertEqual(served.calls("s401~key"), 1)

    def test_rate_limits(self):
        error = self.fails(openai.RateLimitError, self.client.with_options(max_retries=0), model="limited")
        self.assertEqual((error.status_code, error.code), (429, "rate_limited"))
        self.assertEqual((error.response.headers["retry-after"], error.response.headers["x-should-retry"]), ("7", "true"))
        self.assertEqual(served.calls("s429~limited"), 1)

    def test_its_retries_come_back_when_they_were_told_to(self):
        error = self.fails(openai.InternalServerError, model="recovers/soon")
        self.assertEqual((error.status_code, error.code), (502, "upstream_failed"))
        error = self.fails(openai.InternalServerError, self.client.with_options(max_retries=0), model="recovers/soon")
        self.assertEqual((error.status_code, error.code), (503, "circuit_open"))
        self.assertEqual(error.response.headers["x-should-retry"], "true")
        # The circuit lets a probe through when its cooldown is over, and the SDK's second try is one.
        raw = self.client.chat.completions.with_raw_response.create(model="recovers/soon", messages=MESSAGES)
        self.assertEqual(outcomes(raw.headers), ["recovers/soon;ok"])
        self.assertGreaterEqual(raw.retries_taken, 1)

    def test_no_target_answered(self):
        error = self.fails(openai.InternalServerError, model="exhausted")
        self.assertEqual((error.status_code, error.code), (502, "upstream_failed"))
        self.assertEqual(error.response.headers["x-should-retry"], "false")
        self.assertEqual([attempt["target"] for attempt in error.body["attempts"]], ["a/s500~exhausted", "a/s502~exhausted"])
        self.assertEqual((served.calls("s500~exhausted"), served.calls("s502~exhausted")), (1, 1))

    def test_the_deadline_passed(self):
        # Statuses of 500 and more are one class of its own, under APIStatusError.
        before = served.calls("hang~late")
        begun = time.monotonic()
        error = self.fails(openai.InternalServerError, model="late")
        self.assertIsInstance(error, openai.APIStatusError)
        self.assertEqual((error.status_code, error.code), (504, "deadline_exceeded"))
        self.assertEqual(served.calls("hang~late"), before + 1)
        self.assertLess(time.monotonic() - begun, 2)

    def test_a_client_may_shorten_the_deadline(self):
        error = self.fails(openai.InternalServerError, model="a/hang~shortened", extra_headers={"x-breakwater-deadline-ms": "200"})
        self.assertEqual((error.status_code, served.calls("hang~shortened")), (504, 1))

    def test_a_client_that_waits_no_longer(self):
        impatient = self.client.with_options(timeout=0.3, max_retries=0)
        begun = time.monotonic()
        self.fails(openai.APITimeoutError, impatient, model="a/hang~impatient")
        self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual(served.calls("hang~impatient"), 1)
        patient = self.client.with_options(timeout=30)
        answer = patient.chat.completions.create(model="agent", messages=MESSAGES)
        self.assertEqual(answer.choices[0].message.content, HELLO)


# What a stream may die of after three of its words.
BROKEN = ("rst", "fin", "unended", "midframe", "stall")


class Streams(unittest.TestCase):
    def setUp(self):
        self.client = openai.OpenAI(base_url=url, api_key="any")
        self.addCleanup(self.client.close)

    def test_one_that_breaks_is_an_error_and_never_looks_complete(self):
        for way in BROKEN:
            with self.subTest(way):
                stream = Stream()
                with self.assertRaises(openai.APIError) as caught:
                    for chunk in self.client.chat.completions.create(model=f"a/{way}~sync", messages=MESSAGES, stream=True):
                        stream.add(chunk)
                self.assertEqual((stream.text, stream.finish), ("one two three", None))
                self.assertTrue(caught.exception.body["message"])
                self.assertEqual(served.calls(f"{way}~sync"), 1)

    def test_one_that_breaks_before_its_first_word_is_another_targets(self):
        for way in ("empty", "inside", "html", "garbage"):
            with self.subTest(way):
                stream = Stream()
                request = {"model": f"a/{way}~before", "extra_body": {"models": ["a/well"]}}
                for chunk in self.client.chat.completions.create(messages=MESSAGES, stream=True, **request):
                    stream.add(chunk)
                self.assertEqual((stream.text, stream.finish), (HELLO, "stop"))

    def test_an_error_of_the_provider_within_it(self):
        stream = Stream()
        with self.assertRaises(openai.APIError) as caught:
            for chunk in self.client.chat.completions.create(model="a/eventually~sync", messages=MESSAGES, stream=True):
                stream.add(chunk)
        self.assertEqual((stream.text, stream.finish, caught.exception.message), ("one", None, "the call failed"))

    def test_a_client_that_closes_one_ends_the_upstreams(self):
        with self.client.chat.completions.create(model="a/forever~sync", messages=MESSAGES, stream=True) as stream:
            next(chunk for chunk in stream if chunk.choices[0].delta.content == "x")
            self.assertEqual(served.open("forever~sync"), 1)
        eventually(lambda: served.open("forever~sync") == 0)

    def test_two_thousand_words_arrive_in_order(self):
        stream = Stream()
        for chunk in self.client.chat.completions.create(model="a/flood~sync", messages=MESSAGES, stream=True):
            stream.add(chunk)
        self.assertEqual(stream.text, "".join(f"word-{at} " for at in range(2000)))


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        # unittest has the loop tell of every step that took a tenth of a second, as any does on a busy machine.
        asyncio.get_running_loop().slow_callback_duration = 10
        self.client = openai.AsyncOpenAI(base_url=url, api_key="any")
        self.addAsyncCleanup(self.client.close)
        self.create = self.client.chat.completions.create

    async def test_an_answer_after_a_target_failed(self):
        raw = await self.client.chat.completions.with_raw_response.create(model="agent", messages=MESSAGES)
        self.assertEqual(raw.headers["x-breakwater-target"], "a/well~agent")
        self.assertEqual(raw.parse().choices[0].message.content, HELLO)

    async def test_a_stream_with_usage(self):
        stream = Stream()
        async for chunk in await self.create(model="agent", messages=MESSAGES, stream=True, stream_options={"include_usage": True}):
            stream.add(chunk)
        self.assertEqual((stream.text, stream.finish, stream.usage.total_tokens), (HELLO, "stop", 5))

    async def test_many_at_a_time(self):
        async def one(at):
            if at % 2:
                return (await self.create(model="agent", messages=MESSAGES)).choices[0].message.content
            stream = Stream()
            async for chunk in await self.create(model="agent", messages=MESSAGES, stream=True):
                stream.add(chunk)
            return stream.text

        self.assertEqual(set(await asyncio.gather(*map(one, range(40)))), {HELLO})

    async def test_an_answer_of_a_models_shape(self):
        answer = await self.client.chat.completions.parse(model="made-up", messages=MESSAGES, response_format=City)
        self.assertIsInstance(answer.choices[0].message.parsed, City)

    async def test_models(self):
        self.assertIn("agent", [model.id async for model in self.client.models.list()])
        self.assertEqual((await self.client.models.retrieve("agent")).id, "agent")

    async def test_errors_are_its_own_classes_and_not_asked_for_again(self):
        rows = [
            (openai.NotFoundError, "nothing", 404, "model_not_found"),
            (openai.BadRequestError, "a/s400~async", 400, "invalid_value"),
            (openai.InternalServerError, "a/s500~async", 502, "upstream_failed"),
            (openai.InternalServerError, "late", 504, "deadline_exceeded"),
        ]
        for kind, model, status, code in rows:
            with self.subTest(model):
                with self.assertRaises(kind) as caught:
                    await self.create(model=model, messages=MESSAGES)
                self.assertEqual((caught.exception.status_code, caught.exception.code), (status, code))
        self.assertEqual((served.calls("s400~async"), served.calls("s500~async")), (1, 1))

    async def test_a_stream_that_breaks_is_an_error_and_never_looks_complete(self):
        for way in BROKEN:
            with self.subTest(way):
                stream = Stream()
                with self.assertRaises(openai.APIError):
                    async for chunk in await self.create(model=f"a/{way}~async", messages=MESSAGES, stream=True):
                        stream.add(chunk)
                self.assertEqual((stream.text, stream.finish), ("one two three", None))

    async def test_a_client_that_closes_a_stream_ends_the_upstreams(self):
        stream = await self.create(model="a/forever~async", messages=MESSAGES, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content == "x":
                break
        self.assertEqual(served.open("forever~async"), 1)
        await stream.close()
        await asyncio.to_thread(eventually, lambda: served.open("forever~async") == 0)

    async def test_a_task_that_is_cancelled_ends_the_upstreams(self):
        begun = asyncio.Event()

        async def read():
            async for chunk in await self.create(model="a/forever~cancelled", messages=MESSAGES, stream=True):
                if chunk.choices[0].delta.content == "x":
                    begun.set()

        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(eventually, lambda: served.open("forever~cancelled") == 0)


if __name__ == "__main__":
    unittest.main()
