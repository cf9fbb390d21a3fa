"""URL routes of the auth context, under /v1, and its key set and pages at the root."""

from django.urls import URLPattern, path

from apps.auth import views

urlpatterns: list[URLPattern] = [
    path("instance", views.InstanceView.as_view()),
    path("auth/register", views.RegisterView.as_view()),
    path("auth/captcha", views.CaptchaView.as_view()),
    path("auth/login", views.LoginView.as_view()),
    path("auth/login/passkey/options", views.PasskeyLoginOptionsView.as_view()),
    path("auth/login/passkey", views.PasskeyLoginView.as_view()),
    path("auth/refresh", views.RefreshView.as_view()),
    path("auth/logout", views.LogoutView.as_view()),
    path("auth/verify-email", views.VerifyEmailView.as_view()),
    path("auth/verify-email/resend", views.ResendVerificationView.as_view()),
    path("auth/password/forgot", views.ForgotPasswordView.as_view()),
    path("auth/password/reset", views.ResetPasswordView.as_view()),
    path("auth/password/change", views.ChangePasswordView.as_view()),
    path("auth/confirm", views.ConfirmView.as_view()),
    path("auth/confirm/code", views.ConfirmationCodeView.as_view()),
    path("auth/social", views.LinkedProvidersView.as_view()),
    path("auth/social/<slug:provider>/authorize", views.AuthorizeView.as_view()),
    path("auth/social/<slug:provider>/link", views.LinkProviderView.as_view()),
    path("auth/social/<slug:provider>", views.SocialView.as_view()),
    path("auth/totp", views.TotpView.as_view()),
    path("auth/totp/confirm", views.ConfirmTotpView.as_view()),
    path("auth/passkeys", views.PasskeysView.as_view()),
    path("auth/passkeys/options", views.PasskeyOptionsView.as_view()),
    path("auth/passkeys/<id:passkey_id>", views.PasskeyView.as_view()),
    path("auth/sessions", views.SessionsView.as_view()),
    path("auth/sessions/<id:session_id>", views.SessionView.as_view()),
    path("auth/me", views.MeView.as_view()),
    path("auth/me/export", views.ExportsView.as_view()),
    path("auth/exports/<id:export_id>", views.ExportView.as_view()),
    path("auth/exports/<id:export_id>/archive", views.ArchiveView.as_view()),
    path("auth/erasures/<id:erasure_id>", views.ErasureView.as_view()),
    path("users/<id:user_id>", views.UserView.as_view()),
]

root_urlpatterns: list[URLPattern] = [
    path(".well-known/jwks.json", views.KeySetView.as_view()),
    path("auth/verify-email", views.verify_email),
    path("auth/reset-password", views.reset_password),
    path("auth/appeal", views.appeal),
]
