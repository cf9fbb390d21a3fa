"""The decisions that a case's page offers: their names, what they will do, and how they are carried out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.utils import timezone

from apps.moderation import actions
from apps.moderation.models import Action, Case
from apps.moderation.queries.cases import Target
from apps.moderation.queries.rules import present_rules
from socialapp.core.errors import Problem

Kind = Action.Kind
LONGEST_REASON = 1000
DEFAULT_REASON = "It breaks the rules."


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision. `effect` is what a moderator reads before they take it; `key` chooses it from the keyboard."""

    name: str
    label: str
    effect: str
    key: str
    for_content: bool = False
    is_timed: bool = False


CHOICES = (
    Choice("dismiss", "Dismiss", "Nothing is wrong. Reporters are notified.", "d"),
    Choice("warn", "Warn the author", "They get a notice. Nothing else changes.", "w"),
    Choice("mark_sensitive", "Mark as sensitive", "Shown behind a warning; the author cannot undo it.", "m", True),
    Choice("hide", "Hide", "The author still sees it, nobody else does.", "h", True),
    Choice("remove", "Remove", "Gone for everybody; comes back if an appeal is accepted.", "r", True),
    Choice("reset_profile", "Empty the profile", "Name, text and picture go; an appeal brings them back.", "p"),
    Choice("limit", "Limit", "They read, but write no posts and comments.", "l", is_timed=True),
    Choice("silence", "Silence", "Only their followers come across what they write.", "s", is_timed=True),
    Choice("ban", "Ban", "They cannot log in, and nobody sees anything of theirs.", "b", is_timed=True),
)
_SANCTIONS = {
    "warn": Kind.WARN_USER,
    "ban": Kind.BAN_USER,
    "silence": Kind.SILENCE_USER,
    "limit": Kind.LIMIT_USER,
    "reset_profile": Kind.RESET_PROFILE,
}
_RESTRICTIONS = {"mark_sensitive": Kind.MARK_SENSITIVE, "hide": Kind.HIDE_CONTENT}


def choices_for(case: Case) -> list[Choice]:
    """What can be decided about a case's target."""
    kinds = {"mark_sensitive": ("post",), "hide": ("post",), "remove": ("post", "comment")}
    return [one for one in CHOICES if case.target_type in kinds.get(one.name, ("user", "post", "comment"))]


class DecisionForm(forms.Form):
    """What a moderator sends beside the decision."""

    reason = forms.CharField(required=False, max_length=LONGEST_REASON)
    rule = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    days = forms.IntegerField(required=False, min_value=1, max_value=3650)

    def __init__(self, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        rules = present_rules()
        self.fields["rule"].choices = [("", "—"), *((rule.id, str(rule)) for rule in rules)]  # type: ignore[attr-defined]


def decide(case: Case, name: str, *, moderator_id: int, form: DecisionForm) -> None:
    """Carries out what a moderator chose; raises a Problem when it cannot be done."""
    if not form.is_valid():
        raise Problem("; ".join(f"{field}: {errors[0]}" for field, errors in form.errors.items()))
    reason, rule_id, days = form.cleaned_data["reason"], form.cleaned_data["rule"], form.cleaned_data["days"]
    reason = reason or DEFAULT_REASON
    if name == "dismiss":
        actions.dismiss_case(moderator_id=moderator_id, case_id=case.id, reason=reason)
        return
    if case.author_id is None or case.target_id is None:
        raise Problem("the person it is about was erased")
    target = Target(case.target_type, case.target_id, case.author_id)
    if name == "remove":
        actions.remove_content(moderator_id=moderator_id, target=target, reason=reason, rule_id=rule_id)
    elif name in _RESTRICTIONS:
        kind = _RESTRICTIONS[name]
        actions.restrict_content(kind, moderator_id=moderator_id, target=target, reason=reason, rule_id=rule_id)
    elif name in _SANCTIONS:
        is_timed = days is not None and any(one.is_timed for one in CHOICES if one.name == name)
        until = timezone.now() + timedelta(days=days) if is_timed else None
        decision = actions.Decision(reason=reason, case_id=case.id, rule_id=rule_id, until=until)
        actions.sanction_user(_SANCTIONS[name], moderator_id=moderator_id, user_id=case.author_id, decision=decision)
    else:
        raise Problem("there is no such decision")


def bulk(name: str) -> Callable[[Case, int, str], None]:
    """The decision for chosen rows of the queue."""

    def run(case: Case, moderator_id: int, reason: str) -> None:
        decide(case, name, moderator_id=moderator_id, form=DecisionForm({"reason": reason}))

    return run
