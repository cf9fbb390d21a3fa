"""The services that users provides to the other contexts."""

from datetime import datetime
from functools import partial

from apps.users import access, actions, presenters, queries
from apps.users.access import Viewer
from socialapp.contracts.bulk import Record, RecordPage, Rejected
from socialapp.contracts.drift import DriftPage
from socialapp.contracts.users import Audience, Circle, Following, ProfileDocument, ProfileSummary
from socialapp.core.errors import NotFound
from socialapp.demo.filling import TableFiller
from socialapp.lifecycle.bulk import record_page
from socialapp.lifecycle.drift import run_comparisons


class UsersService:
    """The `Users` contract."""

    def profile(self, *, user_id: int) -> ProfileSummary:
        """See `Users.profile`. One query."""
        found = self.profiles(ids=[user_id])
        if not found:
            raise NotFound("there is no such profile")
        return found[0]

    def profiles(self, *, ids: list[int]) -> list[ProfileSummary]:
        """See `Users.profiles`. One query."""
        return actions.ask_again(ids=ids, ask=lambda: queries.summaries(ids), size=len)

    def by_usernames(self, *, usernames: list[str]) -> list[ProfileSummary]:
        """See `Users.by_usernames`. One query; calls auth if a name is unknown here."""
        found = queries.summaries_by_username(usernames)
        if len(found) < len(set(usernames)) and actions.ensure_named_profiles(usernames=usernames):
            return queries.summaries_by_username(usernames)
        return found

    def audience(self, *, viewer_id: int | None, author_ids: list[int]) -> Audience:
        """See `Users.audience`. Two queries."""
        return actions.ask_again(
            ids=author_ids,
            ask=lambda: queries.audience(viewer_id=viewer_id, author_ids=author_ids),
            size=lambda found: len(found.authors),
        )

    def followers(self, *, user_id: int, after: int, limit: int) -> list[int]:
        """See `Users.followers`. One query."""
        return queries.follower_ids(user_id, after=after, limit=limit)

    def following(self, *, user_id: int) -> Following:
        """See `Users.following`. At most four queries."""
        return queries.following_of(user_id)

    def popular(self, *, ids: list[int]) -> list[int]:
        """See `Users.popular`. At most two queries."""
        return queries.popular_ids(ids)

    def circle(self, *, user_id: int) -> Circle:
        """See `Users.circle`. One query."""
        return queries.circle_of(user_id)

    def hidden_from(self, *, viewer_id: int) -> list[int]:
        """See `Users.hidden_from`. One query."""
        return self.circle(user_id=viewer_id).blocked

    def muted_by(self, *, user_ids: list[int], muted_id: int) -> list[int]:
        """See `Users.muted_by`. At most three queries."""
        return queries.muted_by(user_ids=user_ids, muted_id=muted_id)

    def willing(self, *, pairs: list[tuple[int, int]]) -> list[bool]:
        """See `Users.willing`. One query per thousand pairs, one more if somebody is silenced."""
        found = queries.willing(pairs)
        return [pair in found for pair in pairs]

    def is_private_since(self, *, user_id: int, moment: datetime) -> bool:
        """See `Users.is_private_since`. One query."""
        return queries.is_private_since(user_id=user_id, moment=moment)

    def documents(self, *, ids: list[int]) -> list[ProfileDocument]:
        """See `Users.documents`. Two queries."""
        return queries.documents(ids)

    def document_page(self, *, after: int, limit: int) -> list[ProfileDocument]:
        """See `Users.document_page`. Two queries."""
        return queries.document_page(after=after, limit=limit)

    def profile_bodies(
        self, *, viewer_id: int | None, ids: list[int], discovering: bool = False
    ) -> list[dict[str, object]]:
        """See `Users.profile_bodies`. One query."""
        viewer = Viewer(viewer_id)
        people = access.visible_profiles(ids=ids, viewer=viewer)
        if discovering:
            people = [person for person in people if access.may_be_found(person, viewer=viewer)]
        return presenters.profile_bodies(people, viewer=viewer)

    def fill_profile(
        self, *, user_id: int, full_name: str, bio: str, is_private: bool, is_discoverable: bool = True
    ) -> None:
        """See `Users.fill_profile`."""
        actions.fill_profile(
            user_id=user_id,
            full_name=full_name,
            bio=bio,
            is_private=is_private,
            is_discoverable=is_discoverable,
        )

    def follow_by_name(self, *, user_id: int, usernames: list[str]) -> list[str]:
        """See `Users.follow_by_name`."""
        return actions.follow_by_name(user_id=user_id, usernames=usernames)

    def hide(self, *, user_id: int, deactivated_at: datetime | None = None) -> None:
        """See `Users.hide`. A few queries in one transaction."""
        if deactivated_at is None:
            actions.hide_profile(user_id=user_id)
        else:
            self.deactivate(user_id=user_id, at=deactivated_at)

    def deactivate(self, *, user_id: int, at: datetime) -> None:
        """See `Users.deactivate`. A few queries in one transaction."""
        actions.set_deactivated(user_id=user_id, is_deactivated=True, at=at)


class UsersBulkTransfer:
    """The `BulkTransfer` contract: the kind "follow", and the profile's part of the kind "user"."""

    def load(self, *, kind: str, records: list[Record]) -> list[Rejected]:
        """See `BulkTransfer.load`."""
        if kind == "follow":
            follows, rejected = access.loadable_follows(records)
            actions.ensure_profiles(ids={user_id for row in follows for user_id in (row.follower_id, row.following_id)})
            return [*rejected, *actions.load_follows(follows=follows)]
        profiles, rejected = access.loadable_profiles(records)
        actions.load_profiles(profiles=profiles)
        return rejected

    def dump(self, *, kind: str, after: str, limit: int) -> RecordPage:
        """See `BulkTransfer.dump`; people are dumped by auth."""
        if kind != "follow":
            return RecordPage(records=[], next=None)
        rows = queries.follows_after(after=int(after or 0), limit=limit + 1)
        return record_page(rows, limit=limit, record=presenters.follow_record)

    def parts(self, *, kind: str, ids: list[int]) -> list[Record]:
        """See `BulkTransfer.parts`; no other context adds to follows."""
        profiles = queries.unerased_profiles(ids) if kind == "user" else []
        return [presenters.profile_part(profile) for profile in profiles]


class UsersDriftChecks:
    """The `DriftChecks` contract: counts of followers, followings and posts."""

    def verify(self, *, repair: bool, after: str, limit: int) -> DriftPage:
        """See `DriftChecks.verify`."""
        comparisons = {
            "follow_counts": partial(actions.check_follow_counts, repair=repair),
            "post_counts": partial(actions.check_post_counts, repair=repair),
            "statuses": partial(actions.check_statuses, repair=repair),
        }
        return run_comparisons(comparisons, after=after, limit=limit)


# The `PopulationTables` contract.
POPULATION = TableFiller(actions.POPULATION_TABLES)
