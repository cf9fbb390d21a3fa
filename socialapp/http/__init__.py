"""The HTTP layer shared by all views: authentication, limits, problems, pagination, idempotency, ETags, schema."""
