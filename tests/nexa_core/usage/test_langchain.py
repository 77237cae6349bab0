"""The LangChain meter, on langchain-core's own fake models: plain, chat, streamed, batched and async."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import (
    FakeListChatModel,
    FakeListChatModelError,
    GenericFakeChatModel,
)
from langchain_core.language_models.llms import LLM
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from nexa_core.errors import LimitExceeded
from nexa_core.usage.langchain import UsageMeter
from tests.nexa_core.usage.conftest import Customer
from tests.stories import play


def answer(total: int) -> AIMessage:
    used = {"input_tokens": total - 200, "output_tokens": 200, "total_tokens": total}
    return AIMessage("a fine architecture", usage_metadata=used)  # type: ignore[arg-type]


def model(*totals: int) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([answer(total) for total in totals]))


class Streaming(FakeListChatModel):
    """Says at the end of its stream what it used, as models do."""

    def _stream(self, *args: Any, **more: Any) -> Iterator[ChatGenerationChunk]:
        yield from super()._stream(*args, **more)
        yield self.last()

    async def _astream(self, *args: Any, **more: Any) -> AsyncIterator[ChatGenerationChunk]:
        async for chunk in super()._astream(*args, **more):
            yield chunk
        yield self.last()

    @staticmethod
    def last() -> ChatGenerationChunk:
        used = {"input_tokens": 2_000, "output_tokens": 500, "total_tokens": 2_500}
        return ChatGenerationChunk(message=AIMessageChunk("", usage_metadata=used))  # type: ignore[arg-type]


class Failing(LLM):
    """A plain model that fails after it was called."""

    @property
    def _llm_type(self) -> str:
        return "failing"

    def _call(self, *args: Any, **more: Any) -> str:
        raise ConnectionError("the model is away")


def events(customer: Customer) -> list[tuple[int, Any]]:
    return customer.rows(
        "SELECT credits_consumed, event_data->'total_tokens' FROM usage_events"
        " WHERE organization_id = %(id)s ORDER BY 1"
    )


def test_a_call_is_settled_with_the_tokens_it_used(customer: Customer) -> None:
    meter = UsageMeter(customer.actor, credits=10)
    assert model(2_900).invoke("draw", config={"callbacks": [meter]}).content == "a fine architecture"
    assert events(customer) == [(3, 2_900)]
    customer.assert_all_figures_agree()
    assert customer.reserved() == {}


def test_many_at_once_and_async_calls_are_settled_each_by_itself(customer: Customer) -> None:
    meter = UsageMeter(customer.actor)
    model(1_000, 2_000, 3_000).batch(["a", "b", "c"], config={"callbacks": [meter]})

    async def ask() -> None:
        many = model(4_000, 5_000)
        await asyncio.gather(*(many.ainvoke("draw", config={"callbacks": [meter]}) for _ in range(2)))
        async for _ in Streaming(responses=["one two"]).astream("draw", config={"callbacks": [meter]}):
            pass

    play(ask())
    assert [credits for credits, _ in events(customer)] == [1, 2, 3, 3, 4, 5]
    customer.assert_all_figures_agree()


def test_a_stream_is_settled_at_its_end_and_one_that_breaks_off_gives_back(customer: Customer) -> None:
    meter = UsageMeter(customer.actor)
    assert (
        "".join(
            str(chunk.content) for chunk in Streaming(responses=["abc"]).stream("draw", config={"callbacks": [meter]})
        )
        == "abc"
    )
    assert events(customer) == [(3, 2_500)]
    broken = FakeListChatModel(responses=["abc"], error_on_chunk_number=1)
    with pytest.raises(FakeListChatModelError):
        list(broken.stream("draw", config={"callbacks": [meter]}))
    assert events(customer) == [(3, 2_500)]
    assert customer.reserved() == {}
    customer.assert_all_figures_agree()


def test_an_error_gives_the_credits_back(customer: Customer) -> None:
    meter = UsageMeter(customer.actor)
    with pytest.raises(ConnectionError):
        Failing().invoke("draw", config={"callbacks": [meter]})
    with pytest.raises(ConnectionError):
        play(Failing().ainvoke("draw", config={"callbacks": [meter]}))
    assert customer.stored() == (0, 0)
    customer.assert_all_figures_agree()


def test_a_hard_limit_stops_the_call_before_the_model_is_asked(world: Any) -> None:
    customer = Customer(world, usage_limits={"monthly_credits": 15, "hard": True})
    meter, asked = UsageMeter(customer.actor, credits=10), model(9_500, 9_500)
    asked.invoke("draw", config={"callbacks": [meter]})
    with pytest.raises(LimitExceeded):
        asked.invoke("draw", config={"callbacks": [meter]})
    with pytest.raises(LimitExceeded):
        play(asked.ainvoke("draw", config={"callbacks": [meter]}))
    assert len(list(asked.messages)) == 1, "the model was not asked"
    assert events(customer) == [(10, 9_500)]
    customer.assert_all_figures_agree()


def test_a_model_that_does_not_say_what_it_used_costs_what_was_reserved(customer: Customer) -> None:
    FakeListChatModel(responses=["yes"]).invoke("draw", config={"callbacks": [UsageMeter(customer.actor, credits=7)]})
    assert customer.rows(
        "SELECT credits_consumed, event_data->'estimated' FROM usage_events WHERE organization_id = %(id)s"
    ) == [(7, True)]


def test_nexa_itself_does_without_langchain() -> None:
    program = "import sys; import nexa_core.usage, nexa_core.api; print('langchain_core' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "False"
