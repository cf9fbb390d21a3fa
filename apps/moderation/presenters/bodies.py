"""API bodies of reports, actions, appeals, rules and figures."""

from apps.moderation.models import Action, Appeal, InstanceRule, Report
from apps.moderation.queries import MonthFigures


def report_body(report: Report) -> dict[str, object]:
    """The API's form of a report."""
    return {
        "id": str(report.id),
        "target_type": report.target_type,
        "target_id": str(report.target_id) if report.target_id is not None else None,
        "reason": report.reason,
        "details": report.details,
        "rule_id": str(report.rule_id) if report.rule_id is not None else None,
        "status": "resolved" if report.resolved_at else "open",
        "outcome": report.outcome or None,
        "created_at": report.created_at,
        "resolved_at": report.resolved_at,
    }


def action_body(action: Action) -> dict[str, object]:
    """The API's form of an action."""
    return {
        "id": str(action.id),
        "kind": action.kind,
        "target_type": action.target_type,
        "target_id": str(action.target_id),
        "reason": action.reason,
        "rule_id": str(action.rule_id) if action.rule_id is not None else None,
        "until": action.until,
        "created_at": action.created_at,
    }


def appeal_body(appeal: Appeal) -> dict[str, object]:
    """The API's form of an appeal."""
    return {
        "id": str(appeal.id),
        "action_id": str(appeal.action_id),
        "text": appeal.text,
        "status": appeal.status,
        "answer": appeal.answer,
        "created_at": appeal.created_at,
        "decided_at": appeal.decided_at,
    }


def rule_body(rule: InstanceRule) -> dict[str, object]:
    """The API's form of a rule of the installation."""
    return {"id": str(rule.id), "number": rule.number, "text": rule.text}


def month_body(figures: MonthFigures) -> dict[str, object]:
    """The API's form of a month's figures."""
    return {
        "month": f"{figures.month:%Y-%m}",
        "reports": figures.reports,
        "actions": figures.actions,
        "automated": figures.automated,
        "appeals": figures.appeals,
        "appeals_accepted": figures.appeals_accepted,
    }
