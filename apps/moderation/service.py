"""The services that moderation provides to the other contexts."""

from functools import partial

from apps.moderation import access, actions, presenters, queries
from apps.moderation.queries import Target
from socialapp.contracts.drift import DriftPage
from socialapp.contracts.moderation import InstanceRule, Screening, Workload
from socialapp.lifecycle.drift import run_comparisons


class ModerationService:
    """The `Moderation` contract."""

    def rules(self) -> list[InstanceRule]:
        """See `Moderation.rules`."""
        return [InstanceRule(id=rule.id, number=rule.number, text=rule.text) for rule in queries.present_rules()]

    def workload(self, *, moderator_id: int, span: str = "month") -> Workload:
        """See `Moderation.workload`."""
        return presenters.workload_of(moderator_id, span=span)

    def sign_up_refused(self, *, email_domain: str, address: str) -> bool:
        """See `Moderation.sign_up_refused`."""
        return access.is_sign_up_refused(email_domain=email_domain, address=address)

    def refusal(self, *, author_id: int, text: str, is_profile: bool = False) -> str:
        """See `Moderation.refusal`."""
        return access.screen_text(target=Target("user" if is_profile else "post", 0, author_id), text=text).refusal

    def screening(self, *, author_id: int, text: str, target_type: str, target_id: int = 0) -> Screening:
        """See `Moderation.screening`."""
        return access.screen_text(target=Target(target_type, target_id, author_id), text=text)

    def remove(self, *, moderator_id: int, target_type: str, target_id: int, author_id: int, reason: str) -> int:
        """See `Moderation.remove`."""
        target = Target(target_type, target_id, author_id)
        decision = actions.Decision(reason=reason.strip() or actions.DEFAULT_REASON)
        return actions.remove_content(moderator_id=moderator_id, target=target, decision=decision).id

    def sanction(self, *, user_id: int, kind: str, reason: str) -> int:
        """See `Moderation.sanction`."""
        return actions.sanction_by_operator(user_id=user_id, kind=kind, reason=reason).id

    def file_appeal(self, *, user_id: int, action_id: int, text: str) -> None:
        """See `Moderation.file_appeal`."""
        actions.file_appeal(user_id=user_id, action_id=action_id, text=text)


class ModerationDriftChecks:
    """The `DriftChecks` contract: counts of reports."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        comparisons = {"reports_counts": partial(actions.check_reports_counts, repair=repair)}
        return run_comparisons(comparisons, after=after, limit=limit)
