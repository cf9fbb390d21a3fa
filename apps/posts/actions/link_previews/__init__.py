"""Link previews: choosing the link of a post, and fetching the metadata of its page."""
