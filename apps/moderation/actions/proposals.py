"""Decisions about administrators: proposed by one, confirmed by another."""

from apps.moderation.access import refuse_own
from apps.moderation.actions.acts import KINDS, Act, carry_out
from apps.moderation.models import Action, Proposal
from apps.moderation.queries import Target
from socialapp.core.db import transactional
from socialapp.core.errors import Conflict, Forbidden, NotFound, Problem


@transactional("moderation")
def propose(act: Act) -> Proposal:
    """Records a decision for another administrator to confirm; nothing happens until then. Invalid about oneself."""
    refuse_own(moderator_id=act.moderator_id, user_id=act.target.author_id)
    return Proposal.objects.create(
        decision=act.decision,
        target_type=act.target.type,
        target_id=act.target.id,
        author_id=act.target.author_id,
        case_id=act.case_id,
        reason=act.reason,
        note=act.note,
        rule_id=act.rule_id,
        days=act.days,
        proposed_by_id=act.moderator_id,
    )


def confirm_proposal(*, proposal_id: int, moderator_id: int) -> Action:
    """Executes what another administrator proposed. Calls auth for ranks.

    NotFound if there is none, Conflict if it was confirmed or withdrawn, Forbidden for the proposer, the person
    concerned and anybody but administrators.
    """
    proposal = _claim(proposal_id, moderator_id)
    act = Act(
        decision=proposal.decision,
        target=Target(proposal.target_type, proposal.target_id, proposal.author_id),
        moderator_id=moderator_id,
        reason=proposal.reason,
        note=proposal.note,
        rule_id=proposal.rule_id,
        days=proposal.days,
        case_id=proposal.case_id,
        proposer_id=proposal.proposed_by_id,
    )
    try:
        return carry_out(act)
    except Problem:
        _give_back(proposal_id)
        raise


@transactional("moderation")
def _claim(proposal_id: int, moderator_id: int) -> Proposal:
    proposal = _open_proposal(proposal_id)
    if proposal.proposed_by_id in (None, moderator_id):
        raise Forbidden("a proposal must be confirmed by another administrator", code="two_people")
    proposal.outcome, proposal.decided_by_id = Proposal.Outcome.CONFIRMED, moderator_id
    proposal.save(update_fields=["outcome", "decided_by_id"])
    return proposal


@transactional("moderation")
def _give_back(proposal_id: int) -> None:
    Proposal.objects.filter(id=proposal_id).update(outcome=Proposal.Outcome.OPEN, decided_by_id=None)


@transactional("moderation")
def withdraw_proposal(*, proposal_id: int, moderator_id: int) -> None:
    """Withdraws a proposal. NotFound if there is none, Conflict if it was confirmed or withdrawn."""
    proposal = _open_proposal(proposal_id)
    refuse_own(moderator_id=moderator_id, user_id=proposal.author_id)
    proposal.outcome, proposal.decided_by_id = Proposal.Outcome.WITHDRAWN, moderator_id
    proposal.save(update_fields=["outcome", "decided_by_id"])


def was_proposed_by(moderator_id: int, *, action: Action) -> bool:
    """Whether they proposed the decision that another administrator confirmed. One query."""
    return Proposal.objects.filter(
        outcome=Proposal.Outcome.CONFIRMED,
        proposed_by_id=moderator_id,
        decided_by_id=action.moderator_id,
        author_id=action.user_id or 0,  # the proposals about an erased person are deleted
        case_id=action.case_id,
        reason=action.reason,
        decision__in=[name for name, kind in KINDS.items() if kind == action.kind],
    ).exists()


def _open_proposal(proposal_id: int) -> Proposal:
    proposal = Proposal.objects.select_for_update().filter(id=proposal_id).first()
    if proposal is None:
        raise NotFound("there is no such proposal")
    if proposal.outcome != Proposal.Outcome.OPEN:
        raise Conflict("this proposal has already been decided", code="proposal_decided")
    return proposal
