"""How moderation's rows look in the API, in the log's export and on the admin site's pages."""
