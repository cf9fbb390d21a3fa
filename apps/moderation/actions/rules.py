"""Word rules and blocks: maintained by moderators, applied to everything that is written or changed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter

from django.utils import timezone

from apps.moderation.access import Document, plain_block, plain_pattern, rules_matched_by
from apps.moderation.actions.cases import open_case
from apps.moderation.actions.decisions import Decision, hold_content, write_removal
from apps.moderation.actions.log import add_entry
from apps.moderation.actions.sanctions import reset_profile_by_rule, silence_by_rule
from apps.moderation.models import Action, Block, RuleHit, SeenText, TargetType, WordRule
from apps.moderation.queries import Target
from socialapp.core.db import transactional
from socialapp.lifecycle.removal import deleted_among

_SEEN_DAYS = 30
_BATCH = 500
Effect = WordRule.Effect
_REMOVING = {Effect.REMOVE, Effect.REJECT}


@transactional("moderation")
def set_word_rule(
    *,
    moderator_id: int,
    pattern: str,
    effect: str,
    is_active: bool,
    rule_id: int | None = None,
    kind: str = WordRule.Kind.WORDS,
) -> WordRule:
    """Creates a rule, or changes the one with `rule_id`; Invalid for a malformed pattern."""
    plain = plain_pattern(pattern, kind=kind)
    values = {"kind": kind, "pattern": plain, "action": Effect(effect), "is_active": is_active}
    if rule_id is None:
        rule = WordRule.objects.create(**values)
    else:
        rule, _ = WordRule.objects.update_or_create(id=rule_id, defaults=values)
    state = "on" if is_active else "off"
    add_entry(Action.Kind.CHANGE_RULE, moderator_id=moderator_id, reason=f"{plain}: {effect}, {state}")
    return rule


@transactional("moderation")
def delete_word_rule(*, moderator_id: int, rule_id: int) -> None:
    """Deletes a rule. Idempotent."""
    rule = WordRule.objects.filter(id=rule_id).first()
    if rule is not None:
        rule.delete()
        add_entry(Action.Kind.CHANGE_RULE, moderator_id=moderator_id, reason=f"{rule.pattern}: deleted")


@transactional("moderation")
def set_block(
    *, moderator_id: int, kind: str, value: str, reason: str = "", until: datetime | None = None, block_id: int | None
) -> Block:
    """Blocks sign-ups from an e-mail domain or a range of addresses, or changes the block with `block_id`; Invalid for
    a malformed value."""
    plain = plain_block(value, kind=kind)
    values = {"kind": kind, "value": plain, "reason": reason, "until": until}
    if block_id is None:
        block = Block.objects.create(**values)
    else:
        block, _ = Block.objects.update_or_create(id=block_id, defaults=values)
    add_entry(Action.Kind.CHANGE_RULE, moderator_id=moderator_id, reason=f"sign-ups from {plain}: blocked")
    return block


@transactional("moderation")
def delete_block(*, moderator_id: int, block_id: int) -> None:
    """Ends a block. Idempotent."""
    block = Block.objects.filter(id=block_id).first()
    if block is not None:
        block.delete()
        add_entry(Action.Kind.CHANGE_RULE, moderator_id=moderator_id, reason=f"sign-ups from {block.value}: allowed")


def check_text(*, target: Target, text: str) -> None:
    """Like `check_document`, for a text alone."""
    check_document(document=Document(target, text))


@transactional("moderation")
def check_document(*, document: Document, is_held: bool = False) -> None:
    """Applies the rules to a text: the strictest match decides; all matches are recorded. Idempotent.

    The text is removed or held back, its author silenced, or a case opened; a profile is reset instead of removed,
    unless only its username matches. Does nothing if its author was erased meanwhile. A text held back since it was
    written (`is_held`) waits for review even if the rule was changed meanwhile.
    """
    target = document.target
    if deleted_among("moderation", ids=[target.author_id]):
        return
    record_text(target=target, digest=document.digest)
    rules = rules_matched_by(document)
    new = [rule for rule in rules if _record_hit(rule, target)]
    effects = {str(rule.action) for rule in rules} | ({str(Effect.HOLD)} if is_held else set())
    if effects:
        words = ", ".join(rule.pattern for rule in rules)[:200]
        _apply(effects, document, words=words, is_new=bool(new) or is_held)


def _apply(effects: set[str], document: Document, *, words: str, is_new: bool) -> None:
    target = document.target
    reason = f"word rule: {words}"
    is_removal = bool(effects & _REMOVING)
    if is_removal and target.type == TargetType.USER and _can_be_emptied(document):
        reset_profile_by_rule(user_id=target.author_id, reason=reason)
        return
    if is_removal and target.type != TargetType.USER:
        write_removal(moderator_id=None, target=target, decision=Decision(reason=reason))
        return
    open_case(target, flagged_words=words, text=document.text)
    if Effect.HOLD in effects and target.type != TargetType.USER and is_new:
        hold_content(target=target, reason=reason)
    if Effect.SILENCE in effects and is_new:
        silence_by_rule(user_id=target.author_id, reason=reason)


def _can_be_emptied(profile: Document) -> bool:
    """Whether a removing rule finds the name or bio, which a reset empties; a username is left to moderators."""
    rest = replace(profile, text=profile.text.partition("\n")[2])
    return any(rule.action in _REMOVING for rule in rules_matched_by(rest))


@transactional("moderation")
def record_texts(targets: Sequence[Target]) -> None:
    """Records that people wrote texts, for rates, repetitions and trials; not for erased people. Idempotent."""
    gone = deleted_among("moderation", ids={target.author_id for target in targets})
    seen = [
        SeenText(target_type=target.type, target_id=target.id, author_id=target.author_id)
        for target in sorted(targets, key=attrgetter("type", "id"))
        if target.author_id not in gone
    ]
    SeenText.objects.bulk_create(seen, ignore_conflicts=True)


@transactional("moderation")
def record_text(*, target: Target, digest: str = "") -> None:
    """Records that somebody wrote a text, for rates, repetitions and trials; not for profiles. Idempotent."""
    if target.type != TargetType.USER and not deleted_among("moderation", ids=[target.author_id]):
        values = {"author_id": target.author_id} | ({"digest": digest} if digest else {})
        SeenText.objects.update_or_create(target_type=target.type, target_id=target.id, defaults=values)


def _record_hit(rule: WordRule, target: Target) -> bool:
    """Whether the rule matches the target for the first time."""
    values = {"author_id": target.author_id, "effect": rule.action}
    _, made = RuleHit.objects.get_or_create(rule=rule, target_type=target.type, target_id=target.id, defaults=values)
    return made


@transactional("moderation")
def forget_old_texts() -> bool:
    """Deletes the records of texts that are older than a month, in bounded steps; returns whether there may be more."""
    old = SeenText.objects.filter(written_at__lt=timezone.now() - timedelta(days=_SEEN_DAYS))
    ids = list(old.values_list("id", flat=True)[:_BATCH])
    SeenText.objects.filter(id__in=ids).delete()
    return len(ids) == _BATCH
