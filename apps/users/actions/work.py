"""Going on with what was too much for one transaction."""

import structlog

from apps.users.actions.erasure import erase_chunk
from apps.users.actions.follows import accept_waiting
from apps.users.models import UnfinishedWork

log = structlog.get_logger()


def continue_work(*, limit: int) -> int:
    """Does up to `limit` chunks of unfinished work, the oldest first; how many. Safe to run in many processes.

    What fails is left for the next run and does not keep the rest waiting.
    """
    done = 0
    for work in UnfinishedWork.objects.order_by("id")[:limit]:
        try:
            finished = False
            while not finished and done < limit:
                done += 1
                finished = _do_chunk(work)
        except Exception as error:
            log.warning("users.work_failed", kind=work.kind, user_id=work.user_id, error=repr(error))
    return done


def _do_chunk(work: UnfinishedWork) -> bool:
    """One transaction of it; whether it is done."""
    if work.kind == UnfinishedWork.Kind.ERASE:
        return erase_chunk(user_id=work.user_id)
    return accept_waiting(target_id=work.user_id)
