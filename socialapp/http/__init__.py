"""What all REST views share: authentication, limits, problems, pagination, idempotency, ETags, schema."""
