"""The decisions that a case's page offers: their names, what they will do, and how they are carried out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms

from apps.moderation import actions
from apps.moderation.actions import DEFAULT_REASON, Act
from apps.moderation.models import Case, InstanceRule, ReasonTemplate
from apps.moderation.queries import Target, present_rules, reason_templates
from socialapp.core.errors import Forbidden, Problem

LONGEST_REASON = 1000
DECIDED = "Decided"
PROPOSED = "Proposed: another administrator has to confirm it"


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision. `effect` is what a moderator reads before they take it; `key` chooses it from the keyboard."""

    name: str
    label: str
    effect: str
    key: str
    for_content: bool = False
    is_timed: bool = False
    figures: str = ""


CHOICES = (
    Choice("dismiss", "Dismiss", "Nothing is wrong. Reporters are notified.", "d"),
    Choice("warn", "Warn the author", "They get a notice. Nothing else changes.", "w"),
    Choice("mark_sensitive", "Mark as sensitive", "Shown behind a warning; the author cannot undo it.", "m", True),
    Choice("hide", "Hide", "The author still sees it, nobody else does.", "h", True),
    Choice("lock", "Lock the comments", "Nobody adds comments; those that are there stay.", "c", True),
    Choice("remove", "Remove", "Gone for everybody; comes back if an appeal is accepted.", "r", True),
    Choice("reset_profile", "Empty the profile", "Name, text and picture go; an appeal brings them back.", "p"),
    Choice("limit", "Limit", "They read, but write no posts and comments.", "l", is_timed=True),
    Choice("limit_links", "Limit: no links", "They write, but no links.", "k", is_timed=True),
    Choice("limit_media", "Limit: no media", "They write, but without pictures and videos.", "v", is_timed=True),
    Choice("silence", "Silence", "Only their followers come across what they write.", "s", is_timed=True),
    Choice("demand_password", "Demand a new password", "Logged out everywhere; a mailed key lets them back.", "n"),
    Choice("ban", "Ban", "They cannot log in, and nobody sees anything of theirs.", "b", is_timed=True),
)
# What fits only some kinds of targets.
_FITS = {"mark_sensitive": ("post",), "hide": ("post", "comment"), "remove": ("post", "comment"), "lock": ("post",)}


def choices_for(target_type: str, *, figures: Mapping[str, str], has_case: bool = True) -> list[Choice]:
    """What can be decided about a target, and what each would touch; without a case there is nothing to dismiss."""
    fitting = [one for one in CHOICES if target_type in _FITS.get(one.name, ("user", "post", "comment"))]
    offered = [one for one in fitting if has_case or one.name != "dismiss"]
    return [replace(one, figures=figures.get(one.name, "")) for one in offered]


class DecisionForm(forms.Form):
    """What a moderator sends beside the decision."""

    reason = forms.CharField(required=False, max_length=LONGEST_REASON)
    note = forms.CharField(required=False, max_length=LONGEST_REASON)
    rule = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    template = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    days = forms.IntegerField(required=False, min_value=1, max_value=3650)

    def __init__(self, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self._rules, self._templates = present_rules(), reason_templates()
        self.fields["rule"].choices = _choices(self._rules)  # type: ignore[attr-defined]
        self.fields["template"].choices = _choices(self._templates)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """What was sent, with the words and the rule of the template where there are none of the moderator's own."""
        values = super().clean() or self.cleaned_data
        template = next((one for one in self._templates if one.id == values.get("template")), None)
        if template is not None:
            values["reason"] = values.get("reason") or template.text
            numbers = {rule.number: rule.id for rule in self._rules}
            values["rule"] = values.get("rule") or numbers.get(template.rule_number or 0)
        return values


def _choices(rows: Sequence[InstanceRule | ReasonTemplate]) -> list[tuple[int | str, str]]:
    return [("", "—"), *((row.id, str(row)) for row in rows)]


def act_of(form: DecisionForm, name: str, *, target: Target, moderator_id: int, case_id: int | None = None) -> Act:
    """The decision that a moderator has sent; raises a Problem when the form has mistakes."""
    if not form.is_valid():
        raise Problem("; ".join(f"{field}: {errors[0]}" for field, errors in form.errors.items()))
    values = form.cleaned_data
    return Act(
        decision=name,
        target=target,
        moderator_id=moderator_id,
        reason=values["reason"] or DEFAULT_REASON,
        note=values["note"],
        rule_id=values["rule"],
        days=values["days"],
        case_id=case_id,
    )


def decide(case: Case, name: str, *, moderator_id: int, form: DecisionForm) -> str:
    """Carries out what a moderator chose, or proposes it where two have to decide; the message for them.

    Raises a Problem when it cannot be done.
    """
    if case.author_id is None or case.target_id is None:
        actions.carry_out_for_case(case, decision=name, moderator_id=moderator_id, reason=DEFAULT_REASON)
        return DECIDED
    target = Target(case.target_type, case.target_id, case.author_id)
    return carry_out_or_propose(act_of(form, name, target=target, moderator_id=moderator_id, case_id=case.id))


def carry_out_or_propose(act: Act) -> str:
    """Carries out a decision; one about an administrator is proposed. The message for the moderator."""
    try:
        actions.carry_out(act)
    except Forbidden as refusal:
        if refusal.code != "two_people":
            raise
        actions.propose(act)
        return PROPOSED
    return DECIDED


def bulk(name: str) -> Callable[[Case, int, str], None]:
    """The decision for chosen rows of the queue."""

    def run(case: Case, moderator_id: int, reason: str) -> None:
        decide(case, name, moderator_id=moderator_id, form=DecisionForm({"reason": reason}))

    return run
