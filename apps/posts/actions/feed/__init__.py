"""Home feeds: `store` holds them in Redis, `builder` makes, `reader` reads and `fan_out` fills them."""
