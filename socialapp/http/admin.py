"""The base of every context's admin.py: read-only by default, roles, links across contexts, a safe change log."""

from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.db import router, transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from socialapp.contracts.users import ProfileSummary
from socialapp.core.ids import MAX_ID
from socialapp.rpc.people import profile_summaries

M = TypeVar("M", bound=Model)
_REGULAR = {"regex", "iregex"}

admin.site.site_header = admin.site.site_title = "socialapp"
admin.site.index_title = "Administration"


def is_admin(request: HttpRequest) -> bool:
    """Whether the person at the admin site is an administrator; other staff are moderators."""
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


def is_staff(request: HttpRequest) -> bool:
    """Whether the person at the admin site is an administrator or a moderator."""
    return bool(request.user.is_active and getattr(request.user, "is_staff", False))


def remote_link(field: str, *, admin_url: str, description: str = "") -> Callable[[Model], SafeString | str]:
    """A column that links the id in `field` to another context's admin page.

    `admin_url` is the name of the page, such as "admin:users_profile_change"; if that context is not served, the
    column shows the bare id.
    """

    @admin.display(description=description or field.removesuffix("_id").replace("_", " "), ordering=field)
    def column(row: Model) -> SafeString | str:
        value = getattr(row, field)
        return link_to(admin_url, object_id=value, text=str(value)) if value is not None else "–"

    return column


class PersonColumn:
    """A column that shows the person whose id is in `field`: picture and name, linked to the page about them.

    The change list fills them in, with one call for all rows of a page. `nobody` stands for an empty field.
    """

    def __init__(self, field: str, *, description: str = "", nobody: str | Callable[[Any], str] = "–") -> None:
        self.field = self.admin_order_field = field
        self.short_description = description or field.removesuffix("_id").replace("_", " ")
        self.__name__ = f"person_in_{field}"
        self._nobody = nobody

    def __call__(self, row: Model) -> SafeString | str:
        user_id = getattr(row, self.field)
        if user_id is None:
            return self._nobody(row) if callable(self._nobody) else self._nobody
        people: dict[int, ProfileSummary] = getattr(row, "people", {})
        return person_link(user_id, person=people.get(user_id))


def person_link(user_id: int, *, person: ProfileSummary | None) -> SafeString | str:
    """A person, linked to the moderation page about them; the bare id while their name is unknown."""
    name = f"@{person.username}" if person else str(user_id)
    picture = person.profile_picture if person else ""
    img = format_html('<img src="{}" alt="" width="24" height="24" loading="lazy">', picture) if picture else ""
    face = img or name.removeprefix("@")[:1]
    text = format_html(
        '<span class="person"><span class="face" aria-hidden="true">{}</span><span>{}</span></span>', face, name
    )
    try:
        return format_html('<a href="{}">{}</a>', reverse("admin:moderation_case_about", args=["user", user_id]), text)
    except NoReverseMatch:
        return text


class PeopleList(ChangeList):
    """A page of rows with the people in them."""

    def get_results(self, request: HttpRequest) -> None:
        """The page's rows; one call if people are shown."""
        super().get_results(request)
        fields = [column.field for column in self.list_display if isinstance(column, PersonColumn)]
        if not fields:
            return
        self.result_list = rows = list(self.result_list)
        people = profile_summaries(getattr(row, field) for row in rows for field in fields)
        for row in rows:
            row.people = people


def link_to(admin_url: str, *, object_id: int, text: str) -> SafeString | str:
    """`text` as a link to the admin page of an object; plain where this process has no such page."""
    try:
        return format_html('<a href="{}">{}</a>', reverse(admin_url, args=[object_id]), text)
    except NoReverseMatch:
        return text


def act_link(kind: str, *, field: str) -> Callable[[Model], SafeString | str]:
    """A column that leads to the page for moderators' decisions about the row: a user, post or comment (`kind`) with
    the id in `field`; a dash if that page is not served, or the field is empty."""

    @admin.display(description="moderation")
    def column(row: Model) -> SafeString | str:
        value = getattr(row, field)
        try:
            url = reverse("admin:moderation_case_about", args=[kind, value]) if value is not None else ""
        except NoReverseMatch:
            url = ""
        return format_html('<a href="{}">Act on this</a>', url) if url else "–"

    return column


class ContextModelAdmin(admin.ModelAdmin[M]):
    """Shows a context's rows to administrators, read-only: changes go through the context's actions.

    Django writes its change log to the database of auth during the transaction on the row's own database, where each
    could wait for the other; here the entry is written after that transaction has committed.
    """

    is_internal = False  # whether these are internal rows, which people rarely need
    show_full_result_count = False
    list_per_page = 50

    def is_allowed(self, request: HttpRequest) -> bool:
        """Who may view these rows: administrators, unless a subclass allows moderators too."""
        return is_admin(request)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Forbids filtering by fields that the pages omit, which would reveal their values, and by regular expressions,
        on which databases fail or take long."""
        field, *rest = lookup.split("__")
        if field in (self.exclude or ()) or _REGULAR & set(rest):
            return False
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The change list that fills in people."""
        return PeopleList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The change list, titled after its rows; Django's title asks people to select something.

        400 for an action on an invalid primary key, and for a filter by a time out of range in UTC, on which Django
        fails.
        """
        if not all(map(self.can_be_key, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            raise BadRequest("what was selected is no key of a row")
        title = str(self.opts.verbose_name_plural).capitalize()
        try:
            return super().changelist_view(request, {"title": title, **(extra_context or {})})
        except OverflowError as error:
            raise BadRequest("a time in the filter is out of range") from error

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """A row's page under the row's name."""
        if context.get("original") is not None:
            named = str(context["original"])
            context.update(title=named[:1].upper() + named[1:], subtitle=None)
        return super().render_change_form(request, context, *args, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the section shows on the front page."""
        return self.is_allowed(request)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Whether rows may be viewed."""
        return self.is_allowed(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Never by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Never by hand."""
        return False

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> None:  # type: ignore[override]
        """Records an addition once it has committed."""
        self._on_commit(partial(super().log_addition, request, obj, message))

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> None:  # type: ignore[override]
        """Records a change once it has committed."""
        self._on_commit(partial(super().log_change, request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: Iterable[M]) -> None:  # type: ignore[override]
        """Records deletions once they have committed; the copies keep the ids that deleting removes from the rows."""
        kept = [copy(row) for row in queryset]
        self._on_commit(partial(super().log_deletions, request, kept))  # type: ignore[arg-type]

    def can_be_key(self, sent: str) -> bool:
        """Whether a string from a request can be a primary key; it need not be a row's."""
        try:
            key = self.opts.pk.to_python(sent)
        except ValidationError:
            return False
        return not isinstance(key, int) or abs(key) <= MAX_ID

    def _on_commit(self, write: Callable[[], object]) -> None:
        transaction.on_commit(write, using=router.db_for_write(self.model))
