"""The rules of the installation and templates of reasons, maintained by administrators."""

from django.db.models import Max
from django.utils import timezone

from apps.moderation.actions.log import add_entry
from apps.moderation.models import Action, InstanceRule, ReasonTemplate
from socialapp.core.db import transactional
from socialapp.core.errors import Invalid, NotFound
from socialapp.core.ids import new_id


@transactional("moderation")
def set_instance_rule(*, moderator_id: int, number: int, text: str) -> InstanceRule:
    """Creates the rule with a number, or a new version of it. An identical text changes nothing."""
    words = " ".join(text.split())
    if not words or number < 1:
        raise Invalid.of("text", "blank", "A rule needs a text, and a number from 1.")
    versions = InstanceRule.objects.select_for_update().filter(number=number)
    present = versions.filter(retired_at=None).first()
    if present is not None and present.text == words:
        return present
    last = versions.aggregate(last=Max("version"))["last"] or 0
    versions.filter(retired_at=None).update(retired_at=timezone.now())
    rule = InstanceRule.objects.create(number=number, version=last + 1, text=words)
    add_entry(Action.Kind.CHANGE_RULE, moderator_id=moderator_id, rule_id=rule.id, reason=f"rule {rule}")
    return rule


@transactional("moderation")
def retire_instance_rule(*, moderator_id: int, rule_id: int) -> None:
    """Retires a rule; decisions by it keep its text. Idempotent, NotFound if there is none."""
    rule = InstanceRule.objects.select_for_update().filter(id=rule_id).first()
    if rule is None:
        raise NotFound("there is no such rule")
    if rule.retired_at is None:
        InstanceRule.objects.filter(id=rule_id).update(retired_at=timezone.now())
        add_entry(Action.Kind.CHANGE_RULE, moderator_id=moderator_id, rule_id=rule_id, reason=f"rule {rule}: retired")


@transactional("moderation")
def set_reason_template(
    *, moderator_id: int, name: str, text: str, rule_number: int | None, template_id: int | None = None
) -> ReasonTemplate:
    """Creates a template of a reason, or changes the one with the id; Invalid without a text, or for an unknown
    rule."""
    values = {"name": " ".join(name.split()), "text": text.strip(), "rule_number": rule_number}
    if not values["name"] or not values["text"]:
        raise Invalid.of("text", "blank", "A template needs a name and a text.")
    if rule_number is not None and not InstanceRule.objects.filter(number=rule_number, retired_at=None).exists():
        raise Invalid.of("rule_number", "not_found", "There is no rule with this number.")
    template, _ = ReasonTemplate.objects.update_or_create(id=template_id or new_id(), defaults=values)
    add_entry(Action.Kind.CHANGE_RULE, moderator_id=moderator_id, reason=f"template {template.name}: {template.text}")
    return template


@transactional("moderation")
def delete_reason_template(*, moderator_id: int, template_id: int) -> None:
    """Deletes a template of a reason. Idempotent."""
    template = ReasonTemplate.objects.filter(id=template_id).first()
    if template is not None:
        template.delete()
        add_entry(Action.Kind.CHANGE_RULE, moderator_id=moderator_id, reason=f"template {template.name}: deleted")
