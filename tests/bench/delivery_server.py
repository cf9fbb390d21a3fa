"""A WebSocket server that delivers messages in one of the modes that the bench compares: `… delivery_server MODE PORT`.

`raw` sends each message of a Redis channel to every socket in a loop. `layer`, `core` and `pubsub` run one consumer, on
the product's channel layer and on the two of channels_redis. `hub` is the product itself. All run on uvicorn.
"""

import asyncio
import os
import sys
from typing import Any

import redis.asyncio
import uvicorn

CHANNEL = "bench-deliveries"
STOCK = {"core": "channels_redis.core.RedisChannelLayer", "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer"}

_raw_sockets: set[Any] = set()
_listening: list["asyncio.Task[None]"] = []


def layer_settings(mode: str, redis_url: str) -> dict[str, Any]:
    """The CHANNEL_LAYERS setting of a mode."""
    if mode in STOCK:
        return {"default": {"BACKEND": STOCK[mode], "CONFIG": {"hosts": [redis_url]}}}
    return {"default": {"BACKEND": "socialapp.core.channel_layer.PubSubLayer"}}


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """The minimal delivery: a loop over the sockets."""
    await receive()
    await send({"type": "websocket.accept"})
    if not _listening:
        _listening.append(asyncio.create_task(_send_to_all()))
    _raw_sockets.add(send)
    await receive()
    _raw_sockets.discard(send)


async def _send_to_all() -> None:
    pubsub = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=None).pubsub()
    await pubsub.subscribe(CHANNEL)
    async for message in pubsub.listen():
        if message["type"] == "message":
            frame = {"type": "websocket.send", "text": message["data"].decode()}
            for send in _raw_sockets:
                await send(frame)


def application(mode: str) -> Any:
    """The ASGI application of a mode."""
    if mode == "raw":
        return raw
    if mode == "hub":
        from socialapp.asgi import application as product

        return product
    import django
    from django.conf import settings

    django.setup()
    settings.CHANNEL_LAYERS = layer_settings(mode, os.environ["REDIS_URL"])
    from channels.generic.websocket import AsyncWebsocketConsumer

    class Consumer(AsyncWebsocketConsumer):
        """A consumer as in Channels' documentation."""

        async def connect(self) -> None:
            """Joins the group."""
            await self.channel_layer.group_add(CHANNEL, self.channel_name)
            await self.accept()

        async def notify(self, event: dict[str, Any]) -> None:
            """Sends the frame."""
            await self.send(text_data=event["text"])

    return Consumer.as_asgi()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialapp.settings")
    uvicorn.run(
        application(sys.argv[1]),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        ws="socialapp.runtime.websockets:BoundedWebSocket",
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="warning",
        backlog=4096,
    )
