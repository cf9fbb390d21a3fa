"""Going on with what was too much for one transaction."""

from apps.users.actions.erasure import erase_chunk
from apps.users.actions.follows import accept_waiting
from apps.users.models import UnfinishedWork


def continue_work(*, limit: int) -> int:
    """Does up to `limit` chunks of unfinished work, the oldest first; how many. Safe to run in many processes."""
    done = 0
    for work in UnfinishedWork.objects.order_by("id")[:limit]:
        finished = False
        while not finished and done < limit:
            finished = _do_chunk(work)
            done += 1
    return done


def _do_chunk(work: UnfinishedWork) -> bool:
    """One transaction of it; whether it is done."""
    if work.kind == UnfinishedWork.Kind.ERASE:
        return erase_chunk(user_id=work.user_id)
    finished = accept_waiting(target_id=work.user_id)
    if finished:
        UnfinishedWork.objects.filter(id=work.id).delete()
    return finished
