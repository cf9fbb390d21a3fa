"""Registration by approval: an account stays unknown to the other contexts until staff approve it."""

from django.utils import timezone

from apps.auth.actions.accounts import create_user, welcome_user
from apps.auth.actions.erasures import start_erasure
from apps.auth.actions.mails import queue_mail
from apps.auth.actions.names import NewAccount
from apps.auth.models import Application, Mail, User
from apps.auth.queries import Account, account
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Invalid, NotFound


@transactional("auth")
def apply_for_account(*, new: NewAccount, text: str) -> Account:
    """Creates an account that cannot log in until it is approved, and mails a confirmation. Invalid without a text,
    Conflict if the username or the address is taken."""
    if not text.strip():
        raise Invalid.of("application", "application_required", "Say why you would like to join.")
    user = create_user(new, status=User.Status.PENDING)
    Application(user=user, text=text).save(force_insert=True)
    queue_mail(Mail.Kind.REGISTRATION_RECEIVED, user=user)
    return account(user.id)


@transactional("auth")
def approve_application(*, application_id: int) -> None:
    """Activates the account, publishes it and mails its owner. Conflict if it was decided before."""
    application = _open_application(application_id)
    user = application.user
    user.status = User.Status.ACTIVE
    user.version += 1
    user.save(update_fields=["status", "version"])
    application.outcome, application.decided_at = Application.Outcome.APPROVED, timezone.now()
    application.save(update_fields=["outcome", "decided_at"])
    queue_mail(Mail.Kind.REGISTRATION_APPROVED, user=user)
    welcome_user(user)


@transactional("auth")
def reject_application(*, application_id: int) -> None:
    """Erases the account and mails the applicant. Conflict if it was decided before."""
    application = _open_application(application_id)
    user = application.user
    application.outcome, application.decided_at = Application.Outcome.REJECTED, timezone.now()
    application.save(update_fields=["outcome", "decided_at"])
    # Not a mail of the account: those are erased with it, even unsent.
    Mail(kind=Mail.Kind.REGISTRATION_REJECTED, address=user.email, details={"username": user.username}).save(
        force_insert=True
    )
    start_erasure(user)


def _open_application(application_id: int) -> Application:
    """The undecided application and its account, both locked until the end of the transaction."""
    application = Application.objects.select_for_update().select_related("user").filter(id=application_id).first()
    if application is None:
        raise NotFound("there is no such application")
    if application.outcome != Application.Outcome.OPEN or application.user.status != User.Status.PENDING:
        raise Conflict("this application has already been decided", code="application_decided")
    return application
