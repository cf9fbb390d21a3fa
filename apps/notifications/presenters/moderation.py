"""Texts of notices about moderators' decisions, as notifications store them."""

from datetime import datetime

_SANCTIONS = {
    "warn": "A moderator has warned you",
    "silence": "A moderator has silenced your account{until}: only your followers find what you write",
    "limit": "A moderator has limited your account{until}: you may not write posts and comments",
    "limit_links": "A moderator has limited your account{until}: you may not post links",
    "limit_media": "A moderator has limited your account{until}: you may not post pictures and videos",
    "demand_password": "A moderator requires you to set a new password",
    "reset_profile": "A moderator has reset your profile",
    "unban": "Your account is no longer banned",
    "unsilence": "Your account is no longer silenced",
    "unlimit": "Your account is no longer limited",
    "unlimit_links": "You may post links again",
    "unlimit_media": "You may post pictures and videos again",
    "waive_password": "You no longer need to set a new password",
    "restore_profile": "Your profile was restored",
}
_RESTRICTIONS = {
    ("sensitive", True): "A moderator has marked your {} as sensitive",
    ("sensitive", False): "Your {} is no longer marked as sensitive",
    ("hidden", True): "A moderator has hidden your {}: nobody else sees it",
    ("hidden", False): "Your {} is no longer hidden",
    ("waiting", True): "Your {} awaits review by a moderator: until then nobody else sees it",
    ("locked", True): "A moderator has locked the comments on your {}",
    ("locked", False): "The comments on your {} are no longer locked",
}
_OUTCOMES = {
    "removed": "We removed what you reported. Thank you for your report.",
    "sanctioned": "We took action on what you reported. Thank you for your report.",
    "gone": "What you reported is no longer there. Thank you for your report.",
    "dismissed": "We reviewed what you reported and found that it follows our rules. Thank you for your report.",
}


def sanction_text(kind: str, *, until: datetime | None, reason: str, rule: str) -> str:
    """The notice of a sanction; "" for bans, which are mailed instead."""
    if kind not in _SANCTIONS:
        return ""
    limit = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
    return _SANCTIONS[kind].format(until=limit) + _why(reason, rule)


def removal_text(target_type: str, *, reason: str, rule: str) -> str:
    """The notice to the author of a removed post or comment."""
    return f"A moderator has removed your {target_type}{_why(reason, rule)}"


def restriction_text(*, kind: str, target_type: str, is_active: bool, reason: str, rule: str) -> str:
    """The notice to the author of a restricted post or comment, or of the end of a restriction."""
    return _RESTRICTIONS[kind, is_active].format(target_type) + _why(reason, rule)


def restoration_text(target_type: str) -> str:
    """The notice to the author of a restored post or comment."""
    return f"We reviewed our decision and restored your {target_type}."


def report_text(outcome: str) -> str:
    """The notice to a reporter of the outcome of the report."""
    return _OUTCOMES.get(outcome, _OUTCOMES["dismissed"])


def appeal_text(answer: str, *, is_accepted: bool) -> str:
    """The notice of the answer to an appeal."""
    return f"Your appeal was {'accepted' if is_accepted else 'rejected'}: {answer}"


def _why(reason: str, rule: str) -> str:
    """The end of a sentence: the reason, and the broken rule."""
    words = f": {reason}" if reason else "."
    return f"{words} (Rule {rule})" if rule else words
