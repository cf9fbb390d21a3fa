"""What speaks to systems outside: push services and the mail server. No gateway knows a table."""
