"""Meters what LangChain calls: ``model.invoke(..., config={"callbacks": [UsageMeter(actor)]})``.

Before each call of a model credits are reserved, and a hard limit stops it there; afterwards the tokens it used are
settled, and an error gives the credits back. Works alike for chat models and plain ones, streamed, batched and async.
Needs the package ``langchain-core``, which NEXA itself does without: whoever uses this module brings it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult

from nexa_core.actor import Actor
from nexa_core.usage.reservations import Reservation, release, reserve, settle

Tokens = Mapping[str, int]
"""``input_tokens``, ``output_tokens`` and ``total_tokens``, as a model reports them."""


def per_thousand_tokens(tokens: Tokens) -> int:
    """One credit for each thousand tokens begun."""
    return -(-tokens["total_tokens"] // 1000)


class UsageMeter(BaseCallbackHandler):
    """Reserves, settles and releases for one actor; safe to share between threads and calls.

    ``credits`` are set aside before each call and charged as they are for a model that does not say what it used;
    ``price`` makes credits of tokens. ``session_id`` is the architecture session the calls are for.
    """

    raise_error = True  # a limit has to stop the call: LangChain would log it and go on

    def __init__(
        self,
        actor: Actor,
        *,
        credits: int = 10,
        price: Callable[[Tokens], int] = per_thousand_tokens,
        event_type: str = "ai_call",
        session_id: int | None = None,
        organization_id: UUID | None = None,
    ) -> None:
        self._actor, self._credits, self._price = actor, credits, price
        self._event_type, self._session_id, self._organization_id = event_type, session_id, organization_id
        self._held: dict[UUID, tuple[Reservation, str]] = {}

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **more: Any
    ) -> None:
        self._reserve(run_id, more)

    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **more: Any) -> None:
        self._reserve(run_id, more)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_more: Any) -> None:
        self._settle(run_id, tokens_of(response))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **more: Any) -> None:
        """Nothing came of it. A stream that broke off after the model had said what it used is charged for that."""
        response = more.get("response")
        if (used := tokens_of(response) if isinstance(response, LLMResult) else None) is not None:
            self._settle(run_id, used)
        elif held := self._held.pop(run_id, None):
            release(self._actor, reservation_id=held[0].id, organization_id=self._organization_id)

    def _reserve(self, run_id: UUID, more: Mapping[str, Any]) -> None:
        reservation = reserve(
            self._actor,
            event_type=self._event_type,
            credits=self._credits,
            idempotency_key=str(run_id),
            session_id=self._session_id,
            source="langchain",
            organization_id=self._organization_id,
        )
        model = (more.get("metadata") or {}).get("ls_model_name") or (more.get("name") or "")
        self._held[run_id] = (reservation, str(model)[:200])

    def _settle(self, run_id: UUID, tokens: Tokens | None) -> None:
        held = self._held.pop(run_id, None)
        if held is None:  # it never began: the reservation was refused
            return
        reservation, model = held
        data: dict[str, Any] = {"model": model} if model else {}
        data |= dict(tokens) if tokens is not None else {"estimated": True}
        cost = reservation.credits if tokens is None else self._price(tokens)
        settle(
            self._actor,
            reservation_id=reservation.id,
            credits=cost,
            event_data=data,
            organization_id=self._organization_id,
        )


def tokens_of(response: LLMResult) -> Tokens | None:
    """What a model says it used, over all its answers; None when it does not say."""
    found = [
        dict(usage)
        for answers in response.generations
        for answer in answers
        if (usage := getattr(getattr(answer, "message", None), "usage_metadata", None))
    ]
    names = ("input_tokens", "output_tokens", "total_tokens")
    if found:
        return {name: sum(int(usage.get(name, 0)) for usage in found) for name in names}
    told = (response.llm_output or {}).get("token_usage") or {}
    if not told.get("total_tokens"):
        return None
    return {
        "input_tokens": int(told.get("prompt_tokens", 0)),
        "output_tokens": int(told.get("completion_tokens", 0)),
        "total_tokens": int(told["total_tokens"]),
    }
