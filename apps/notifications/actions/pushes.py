"""Sends due pushes: about visible, unread notifications, to devices of people who want them now."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog
from django.utils import timezone

from apps.notifications.access import (
    Visibility,
    active_among,
    load_visibility_of_new_posts,
    load_visibility_to_send,
)
from apps.notifications.actions.excerpts import Excerpts, load_excerpts
from apps.notifications.actions.preferences import quiet_until
from apps.notifications.actions.queue import claim_due, finish, mark_dead, postpone, retry_later
from apps.notifications.actions.seen import seen_on_sockets
from apps.notifications.actions.subscriptions import forget_devices, record_device_failures, reset_device_failures
from apps.notifications.gateways.dispatch import PushDispatcher, PushRequest
from apps.notifications.gateways.messages import Device, Outcome, SendResult
from apps.notifications.models import Channel, Kind, Lane, Notification, OutgoingMessage, PushSubscription
from apps.notifications.presenters import push_message, ttl_of
from apps.notifications.queries import (
    ChannelFlags,
    channel_flags,
    settings_by_user,
    subscriptions_by_id,
    unread_notifications_among,
)

log = structlog.get_logger()

BATCH = 300
_MAX_BATCHES = 100


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message to send now, and the deadline after which it is not worth sending."""

    message: OutgoingMessage
    request: PushRequest
    until: datetime


@dataclass(slots=True)
class _Batch:
    """Claimed messages, and the decisions about each before anything is sent."""

    ready: list["_Ready"] = field(default_factory=list)
    unwanted: list[OutgoingMessage] = field(default_factory=list)
    postponed: dict[datetime, list[OutgoingMessage]] = field(default_factory=lambda: defaultdict(list))


class PushSender:
    """Sends over connections that stay open as long as it lives."""

    def __enter__(self) -> Self:
        # Imported late: only workers with something to send load the clients of push services.
        from apps.notifications.gateways.services import open_gateways

        with ExitStack() as stack:
            self._runner = stack.enter_context(asyncio.Runner())
            connections = AsyncExitStack()
            stack.callback(lambda: self._runner.run(connections.aclose()))
            self._dispatcher = PushDispatcher(self._runner.run(open_gateways(connections)))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def send(self, requests: Sequence[PushRequest]) -> list[SendResult]:
        """The result of each request, in order."""
        return self._runner.run(self._dispatcher.send_all(requests))


def send_due_pushes(*, retries: bool) -> int:
    """Sends the due messages of one lane, batch by batch; returns how many. Safe to run concurrently.

    A worker killed between sending and recording it sends again: devices show both as one (`id`).
    """
    messages = claim_due(channel=Channel.PUSH, retries=retries, limit=BATCH)
    if not messages:
        return 0
    sent = 0
    with PushSender() as sender:
        for _ in range(_MAX_BATCHES):
            sent += _send_batch(sender, messages)
            messages = claim_due(channel=Channel.PUSH, retries=retries, limit=BATCH)
            if not messages:
                break
    return sent


def _send_batch(sender: PushSender, messages: Sequence[OutgoingMessage]) -> int:
    batch = _prepare(messages, now=timezone.now())
    finish(batch.unwanted)
    for until, some in batch.postponed.items():
        postpone(some, until=until)
    if not batch.ready:
        return 0
    return _settle(batch.ready, sender.send([ready.request for ready in batch.ready]))


def _prepare(messages: Sequence[OutgoingMessage], *, now: datetime) -> _Batch:
    """Decides about each message, with a constant number of queries and calls per person."""
    notifications = unread_notifications_among(message.notification_id or 0 for message in messages)
    devices = subscriptions_by_id(message.subscription_id for message in messages)
    people = active_among({message.user_id for message in messages})
    flags = channel_flags(kinds={row.kind for row in notifications.values()}, user_ids=people)
    chosen = settings_by_user(people)
    seen = seen_on_sockets(people)
    batch = _Batch()
    wanted: list[tuple[OutgoingMessage, Notification, PushSubscription]] = []
    for message in messages:
        row, device = notifications.get(message.notification_id or 0), devices.get(message.subscription_id or 0)
        is_wanted = (
            row and flags.get((row.user_id, row.kind), ChannelFlags()).push and row.id > seen.get(row.user_id, 0)
        )
        if (
            row is None
            or device is None
            or row.user_id not in people
            or not is_wanted
            or _expiry(row) <= now
            or (device.expires_at and device.expires_at <= now)
        ):
            batch.unwanted.append(message)
        elif until := quiet_until(chosen.get(message.user_id), now=now):
            batch.postponed[until].append(message)
        else:
            wanted.append((message, row, device))
    visible = _visibilities(row for _, row, _ in wanted)
    excerpts = load_excerpts([(row, visible[row.id]) for _, row, _ in wanted if row.id in visible])
    for message, row, device in wanted:
        if row.id in visible:
            own = chosen.get(message.user_id)
            language = (own.language if own else "") or device.language
            request = _request(row, device, visible[row.id], excerpts, language)
            batch.ready.append(_Ready(message, request, _expiry(row)))
        else:
            batch.unwanted.append(message)
    return batch


def _visibilities(rows: Iterable[Notification]) -> dict[int, Visibility]:
    """What each recipient may see, by notification; those not visible now, or muted by now, are omitted."""
    by_user: dict[int, list[Notification]] = defaultdict(list)
    new_posts: dict[int, Notification] = {}
    for row in {row.id: row for row in rows}.values():
        if row.kind == Kind.NEW_POST:
            new_posts[row.id] = row
        else:
            by_user[row.user_id].append(row)
    visible = load_visibility_of_new_posts(list(new_posts.values()))
    for user_id, mine in by_user.items():
        visibility = load_visibility_to_send(user_id=user_id, rows=mine)
        visible.update({row.id: visibility for row in mine if visibility.shows(row)})
    return visible


def _request(
    row: Notification, device: PushSubscription, visibility: Visibility, excerpts: Excerpts, language: str
) -> PushRequest:
    return PushRequest(
        provider=device.provider,
        device=Device(endpoint=device.endpoint, p256dh=device.p256dh, auth=device.auth),
        message=push_message(row=row, visibility=visibility, excerpt=excerpts.of(row), language=language),
    )


def _expiry(row: Notification) -> datetime:
    return row.created_at + timedelta(seconds=ttl_of(row))


def _settle(tried: Sequence[_Ready], results: Sequence[SendResult]) -> int:
    """Records the result of each message; returns how many were sent."""
    sent, gone, failed = [], [], []
    for ready, result in zip(tried, results, strict=True):
        message = ready.message
        match result.outcome:
            case Outcome.SENT:
                sent.append(message)
            case Outcome.GONE:
                gone.append(message)
            case Outcome.RETRY:
                retry_later(message, after=result.retry_after, error=result.detail, until=ready.until)
                if result.retry_after is None:
                    failed.append(message)
            case Outcome.REFUSED:
                mark_dead(message, error=result.detail)
    finish(sent)
    forget_devices(_device_ids(gone))
    record_device_failures(_device_ids(failed))
    reset_device_failures(_device_ids(message for message in sent if message.lane == Lane.RETRY))
    log.info("notifications.pushes", sent=len(sent), gone=len(gone), failed=len(failed), batch=len(tried))
    return len(sent)


def _device_ids(messages: Iterable[OutgoingMessage]) -> set[int]:
    return {message.subscription_id for message in messages if message.subscription_id is not None}
