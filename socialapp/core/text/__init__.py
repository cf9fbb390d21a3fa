"""How text is interpreted: mentions, hashtags, URLs, visible text, names, e-mail addresses, passwords and search words.

All contexts use these modules, so that they interpret a text in the same way. All of them run in linear time.
"""
