"""What text means: mentions, hashtags, URLs, visible text, names, addresses, passwords and words to search for.

Every context asks these modules, so that one text is read in one way. All of them run in linear time.
"""
