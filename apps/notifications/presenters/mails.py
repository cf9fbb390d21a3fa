"""Mails about single notifications, and digests: as HTML from MJML, and as text."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string

from apps.notifications.access import Visibility
from apps.notifications.models import Kind, Notification
from apps.notifications.presenters.notifications import sentence
from apps.notifications.presenters.pushes import Excerpt, web_url
from apps.notifications.presenters.texts import language_named

_TEMPLATE = "notifications/mail.mjml"
_MAX_SUBJECT_CHARACTERS = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail without its recipient."""

    subject: str
    text: str
    html: str
    unsubscribe_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailItem:
    """One notification in a mail."""

    sentence: str
    excerpt: str
    url: str


def mail_item(*, row: Notification, visibility: Visibility, excerpt: Excerpt | None, language: str) -> MailItem:
    """The part of a mail about a visible notification."""
    actors, count = visibility.profiles(row), visibility.actors_count(row)
    return MailItem(
        sentence=sentence(row, actors=actors, count=count, language=language),
        excerpt=excerpt.text(language) if excerpt and row.kind != Kind.MODERATION else "",
        url=web_url(row=row, actors=actors),
    )


def notification_mail(item: MailItem, *, language: str, unsubscribe_token: str) -> Mail:
    """The mail about one notification: its sentence is the subject."""
    return _mail(item.sentence, "", [item], more=0, language=language, unsubscribe_token=unsubscribe_token)


def digest_mail(items: Sequence[MailItem], *, unread: int, language: str, unsubscribe_token: str) -> Mail:
    """The digest: `items`, and the number of further unread ones."""
    chosen = language_named(language)
    return _mail(
        chosen.digest_subject,
        chosen.digest_intro_one if unread == 1 else chosen.digest_intro.format(count=unread),
        items,
        more=unread - len(items),
        language=language,
        unsubscribe_token=unsubscribe_token,
    )


def _mail(
    subject: str, intro: str, items: Sequence[MailItem], *, more: int, language: str, unsubscribe_token: str
) -> Mail:
    from mrml import to_html  # here, as only processes that send mails need it

    chosen = language_named(language)
    url = f"{settings.PUBLIC_URL}/v1/notifications/unsubscribe?token={unsubscribe_token}"
    settings_url = f"{settings.PUBLIC_URL}/settings/notifications"
    more_line = chosen.more.format(count=more) if more > 0 else ""
    values = {
        "texts": chosen,
        "subject": subject,
        "intro": intro,
        "items": items,
        "more": more_line,
        "list_url": f"{settings.PUBLIC_URL}/notifications",
        "settings_url": settings_url,
    }
    lines = [intro, ""] if intro else []
    for item in items:
        lines += [part for part in (item.sentence, item.excerpt, item.url) if part] + [""]
    lines += [more_line, ""] if more_line else []
    lines += ["-- ", chosen.why, f"{chosen.unsubscribe}: {settings_url}", ""]
    return Mail(
        subject=" ".join(subject.split())[:_MAX_SUBJECT_CHARACTERS],
        text="\n".join(lines),
        html=to_html(render_to_string(_TEMPLATE, values)).content,
        unsubscribe_url=url,
    )
