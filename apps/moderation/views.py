"""Views of moderation: reports and appeals. Moderators work in the admin site."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.moderation import access, actions, presenters, queries
from apps.moderation.serializers import (
    ActionBody,
    AppealBody,
    AppealInput,
    ReportBody,
    ReportInput,
    RuleBody,
    TransparencyBody,
)
from socialapp.core.errors import NotFound
from socialapp.http.idempotency import create_once, replayed
from socialapp.http.pagination import page_request, page_response
from socialapp.http.permissions import Public
from socialapp.http.schema import PAGE_PARAMETERS, page_of
from socialapp.http.views import View


class ReportsView(View):
    """`/reports`."""

    has_idempotency_key = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Reports have a stricter rate limit than other writes."""
        self.rate = "report" if request.method == "POST" else None
        super().initial(request, *args, **kwargs)

    @extend_schema(
        summary="List your reports",
        description="Your reports, newest first, with their outcomes.",
        parameters=PAGE_PARAMETERS,
        responses=page_of(ReportBody),
    )
    def get(self, request: Request) -> Response:
        """The caller's reports."""
        page = queries.own_reports(reporter_id=self.principal.id, page=page_request(request))
        return page_response(request, page=page, results=[presenters.report_body(report) for report in page.items])

    @extend_schema(
        summary="Report a user, a post or a comment",
        description="If you have an open report about the same target, that one is returned (200).",
        request=ReportInput,
        responses={201: ReportBody, 200: ReportBody},
    )
    def post(self, request: Request) -> Response:
        """Files a report."""
        values = self.read_input(ReportInput)
        if (answer := replayed(request, context="moderation")) is not None:
            return answer
        reporter_id = self.principal.id
        target = access.target_to_report(
            reporter_id=reporter_id, target_type=values["target_type"], target_id=values["target_id"]
        )

        text = access.text_of(target)

        def create() -> tuple[int, dict[str, object]]:
            report, made = actions.file_report(
                reporter_id=reporter_id,
                target=target,
                reason=values["reason"],
                details=values["details"],
                rule_id=values["rule_id"],
                text=text,
            )
            return 201 if made else 200, presenters.report_body(report)

        return create_once(request, context="moderation", create=create)


class OwnActionsView(View):
    """`/moderation/actions`."""

    @extend_schema(
        summary="List moderation actions about you",
        description="Removals, warnings and bans that you can appeal against, newest first.",
        parameters=PAGE_PARAMETERS,
        responses=page_of(ActionBody),
    )
    def get(self, request: Request) -> Response:
        """The actions about the caller."""
        page = queries.actions_against(user_id=self.principal.id, page=page_request(request))
        return page_response(request, page=page, results=[presenters.action_body(action) for action in page.items])


class RulesView(View):
    """`/moderation/rules`."""

    permission_classes = [Public]

    @extend_schema(
        summary="List the rules of this installation",
        description="Present versions, in order. A report may refer to the broken rule.",
        responses=RuleBody(many=True),
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """The rules."""
        rules = [presenters.rule_body(rule) for rule in queries.present_rules()]
        return Response(rules, headers={"Cache-Control": "public, max-age=60"})


class TransparencyView(View):
    """`/moderation/transparency`."""

    permission_classes = [Public]

    @extend_schema(
        summary="Read what moderation did, by month",
        description="The last twelve months, newest first. 404 if TRANSPARENCY_REPORT is off.",
        responses=TransparencyBody(many=True),
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """The figures."""
        if not settings.TRANSPARENCY_REPORT:
            raise NotFound("this installation does not publish figures")
        figures = [presenters.month_body(month) for month in queries.figures_by_month(months=12)]
        return Response(figures, headers={"Cache-Control": "public, max-age=3600"})


class AppealsView(View):
    """`/appeals`."""

    has_idempotency_key = True

    @extend_schema(
        summary="List your appeals",
        description="Your appeals, newest first, with the answers.",
        parameters=PAGE_PARAMETERS,
        responses=page_of(AppealBody),
    )
    def get(self, request: Request) -> Response:
        """The caller's appeals."""
        page = queries.own_appeals(user_id=self.principal.id, page=page_request(request))
        return page_response(request, page=page, results=[presenters.appeal_body(appeal) for appeal in page.items])

    @extend_schema(
        summary="Appeal against an action",
        description="Once for each action that concerns you.",
        request=AppealInput,
        responses={201: AppealBody},
    )
    def post(self, request: Request) -> Response:
        """Files an appeal."""
        values = self.read_input(AppealInput)

        def create() -> tuple[int, dict[str, object]]:
            appeal = actions.file_appeal(user_id=self.principal.id, action_id=values["action_id"], text=values["text"])
            return 201, presenters.appeal_body(appeal)

        return create_once(request, context="moderation", create=create)
