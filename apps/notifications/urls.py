"""URL routes of the notifications context, under /v1."""

from django.urls import URLPattern, path

from apps.notifications import views

urlpatterns: list[URLPattern] = [
    path("notifications", views.NotificationsView.as_view()),
    path("notifications/read", views.ReadView.as_view()),
    path("notifications/unread-count", views.UnreadCountView.as_view()),
    path("notifications/preferences", views.PreferencesView.as_view()),
    path("notifications/schedule", views.ScheduleView.as_view()),
    path("notifications/unsubscribe", views.UnsubscribeView.as_view()),
    path("notifications/<id:notification_id>", views.NotificationView.as_view()),
    path("push-subscriptions", views.PushSubscriptionsView.as_view()),
    path("push-subscriptions/key", views.PushKeyView.as_view()),
    path("push-subscriptions/<id:subscription_id>", views.PushSubscriptionView.as_view()),
]

root_urlpatterns: list[URLPattern] = [path("internal/mail/events", views.MailEventsView.as_view())]
