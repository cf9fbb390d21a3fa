"""Home feeds: `store` keeps them in Redis, `builder` builds, `reader` reads and `fan_out` fills them."""
