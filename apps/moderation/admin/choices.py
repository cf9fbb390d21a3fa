"""The decisions on a case's page: their names, effects and execution."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms

from apps.moderation import actions, queries
from apps.moderation.actions import Act
from apps.moderation.models import Case, InstanceRule, ReasonTemplate
from apps.moderation.queries import Target
from socialapp.core.errors import Forbidden, Problem

LONGEST_REASON = 1000
DECIDED = "Decided"
PROPOSED = "Proposed: another administrator must confirm it"


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision. `effect` describes it to moderators; `key` is its keyboard shortcut."""

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
    Choice("hide", "Hide", "Only the author still sees it.", "h", True),
    Choice("lock", "Lock the comments", "Nobody can add comments; existing ones stay.", "c", True),
    Choice("remove", "Remove", "Removed for everybody; restored if an appeal is accepted.", "r", True),
    Choice(
        "reset_profile", "Reset the profile", "Deletes name, text and pictures; restored if an appeal is accepted.", "p"
    ),
    Choice("limit", "Limit", "They can read, but not write posts and comments.", "l", is_timed=True),
    Choice("limit_links", "Limit: no links", "They can write, but not post links.", "k", is_timed=True),
    Choice("limit_media", "Limit: no media", "They can write, but not post pictures and videos.", "v", is_timed=True),
    Choice("silence", "Silence", "Only their followers find what they write.", "s", is_timed=True),
    Choice(
        "demand_password", "Demand a new password", "Logged out everywhere until they set one with a mailed key.", "n"
    ),
    Choice("ban", "Ban", "They cannot log in, and everything of theirs is hidden.", "b", is_timed=True),
)
# Decisions that fit only some kinds of targets.
_FITS = {"mark_sensitive": ("post",), "hide": ("post", "comment"), "remove": ("post", "comment"), "lock": ("post",)}


def choices_for(target_type: str, *, figures: Mapping[str, str], has_case: bool = True) -> list[Choice]:
    """The decisions about a target, with what each would affect; without a case there is nothing to dismiss."""
    fitting = [one for one in CHOICES if target_type in _FITS.get(one.name, ("user", "post", "comment"))]
    offered = [one for one in fitting if has_case or one.name != "dismiss"]
    return [replace(one, figures=figures.get(one.name, "")) for one in offered]


class DecisionForm(forms.Form):
    """The form fields beside the decision."""

    reason = forms.CharField(required=False, max_length=LONGEST_REASON)
    note = forms.CharField(required=False, max_length=LONGEST_REASON)
    rule = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    template = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    days = forms.IntegerField(required=False, min_value=1, max_value=3650)

    def __init__(self, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self._rules, self._templates = queries.present_rules(), queries.reason_templates()
        self.fields["rule"].choices = _choices(self._rules)  # type: ignore[attr-defined]
        self.fields["template"].choices = _choices(self._templates)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The form's values, with the text and rule of the template where the moderator gave none."""
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
    """The submitted decision; raises a Problem if the form has errors."""
    if not form.is_valid():
        raise Problem("; ".join(f"{field}: {errors[0]}" for field, errors in form.errors.items()))
    values = form.cleaned_data
    return Act(
        decision=name,
        target=target,
        moderator_id=moderator_id,
        reason=values["reason"] or actions.default_reason(name),
        note=values["note"],
        rule_id=values["rule"],
        days=values["days"],
        case_id=case_id,
    )


def decide(case: Case, name: str, *, moderator_id: int, form: DecisionForm) -> str:
    """Executes a decision, or proposes it where two people must decide; returns a message.

    Raises a Problem if it is refused.
    """
    if case.author_id is None or case.target_id is None:
        actions.carry_out_for_case(case, decision=name, moderator_id=moderator_id, reason=actions.default_reason(name))
        return DECIDED
    target = Target(case.target_type, case.target_id, case.author_id)
    return carry_out_or_propose(act_of(form, name, target=target, moderator_id=moderator_id, case_id=case.id))


def carry_out_or_propose(act: Act) -> str:
    """Executes a decision; one about an administrator is proposed. Returns a message for the moderator."""
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
