"""The mail server, over one connection for many mails."""

import smtplib
from email.utils import parseaddr
from types import TracebackType
from typing import Self

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from apps.notifications.gateways.messages import Outcome, SendResult

_TRANSIENT_BELOW = 500


class MailGateway:
    """Sends mails; opens its connection for the first one, and again after a failure."""

    def __enter__(self) -> Self:
        self._connection = get_connection()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(
        self, *, address: str, subject: str, text: str, html: str, unsubscribe_url: str, message_id: int
    ) -> SendResult:
        """Sends one mail; GONE if the server permanently rejects the address. `message_id` makes retries recognizable.

        One-click unsubscribe: RFC 8058. Auto-Submitted, against autoresponders: RFC 3834.
        """
        domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
        mail = EmailMultiAlternatives(
            subject,
            text,
            settings.DEFAULT_FROM_EMAIL,
            [address],
            connection=self._connection,
            headers={
                "Message-ID": f"<notification.{message_id}@{domain}>",
                "List-Unsubscribe": f"<{unsubscribe_url}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "Auto-Submitted": "auto-generated",
            },
        )
        mail.attach_alternative(html, "text/html")
        try:
            self._connection.open()
            mail.send()
        except smtplib.SMTPRecipientsRefused as error:
            code, reply = next(iter(error.recipients.values()))
            return self._failed(code, str(reply), refused=Outcome.GONE)
        except smtplib.SMTPResponseException as error:
            return self._failed(error.smtp_code, str(error.smtp_error), refused=Outcome.REFUSED)
        except OSError as error:  # smtplib's other errors are OSErrors too
            self._close()
            return SendResult(Outcome.RETRY, detail=repr(error))
        return SendResult(Outcome.SENT)

    def _failed(self, code: int, reply: str, *, refused: Outcome) -> SendResult:
        self._close()
        return SendResult(Outcome.RETRY if code < _TRANSIENT_BELOW else refused, detail=f"{code} {reply}")

    def _close(self) -> None:
        try:
            self._connection.close()
        except OSError:
            self._connection = get_connection()
