"""The channel layer: as Channels specifies it, and from any part of the product to the sockets that are open."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from apps.notifications.actions.socket_messages import user_group
from socialapp.core.channel_layer import PubSubLayer
from tests.conftest import ALL_CONTEXTS
from tests.notifications.live import TIMEOUT, SocketServer, connected, do, ready, run

pytestmark = pytest.mark.django_db(databases=ALL_CONTEXTS, transaction=True)


def test_groups_and_channels_reach_those_who_receive_there_in_every_process() -> None:
    async def scenario() -> None:
        here, elsewhere = PubSubLayer(capacity=2), PubSubLayer()
        first, second, third = [await layer.new_channel() for layer in (here, here, elsewhere)]
        for layer, channel in ((here, first), (here, second), (elsewhere, third)):
            await layer.group_add("readers", channel)
        await elsewhere.group_send("readers", {"type": "news", "number": 1})
        for layer, channel in ((here, first), (here, second), (elsewhere, third)):
            assert await asyncio.wait_for(layer.receive(channel), TIMEOUT) == {"type": "news", "number": 1}
        await here.group_discard("readers", first)
        receiving = asyncio.ensure_future(here.receive(first))
        await asyncio.sleep(0)
        await elsewhere.group_send("readers", {"type": "news", "number": 2})
        assert (await asyncio.wait_for(here.receive(second), TIMEOUT))["number"] == 2
        assert not receiving.done(), "who has left gets nothing"
        while not receiving.done():  # until the subscription to the process' own group stands
            await elsewhere.send(first, {"type": "alone"})
            await asyncio.sleep(0.01)
        assert receiving.result() == {"type": "alone"}

    asyncio.run(scenario())


def test_what_does_not_fit_is_dropped_and_later_messages_come() -> None:
    async def scenario() -> None:
        layer = PubSubLayer(capacity=2)
        slow, quick = await layer.new_channel(), await layer.new_channel()
        await layer.group_add("readers", slow)
        await layer.group_add("readers", quick)
        for number in range(4):
            await layer.group_send("readers", {"type": "news", "number": number})
            assert (await asyncio.wait_for(layer.receive(quick), TIMEOUT))["number"] == number
        assert [(await layer.receive(slow))["number"] for _ in range(2)] == [0, 1]
        with pytest.raises(TypeError):
            await layer.group_send("no such name!", {})

    asyncio.run(scenario())


def test_any_part_of_the_product_reaches_the_open_sockets_of_a_person(
    server: SocketServer, register: Any, drain: Callable[[], int]
) -> None:
    alice, bob = register("alice"), register("bob")
    drain()

    def send(person: Any) -> None:
        layer = get_channel_layer()
        assert isinstance(layer, PubSubLayer)
        message = {"type": "show", "message": {"type": "hello", "to": person.username}}
        async_to_sync(layer.group_send)(user_group(int(person.id)), message)

    async def scenario() -> None:
        async with connected(server, alice.access) as hers, connected(server, bob.access) as his:
            await ready(hers)
            await ready(his)
            await do(send, alice)
            await do(send, bob)
            assert await hers.receive() == {"type": "hello", "to": "alice"}
            assert await his.receive() == {"type": "hello", "to": "bob"}

    run(scenario())
