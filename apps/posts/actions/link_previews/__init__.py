"""Previews of links: which link a post has, and what the page behind it says about itself."""
