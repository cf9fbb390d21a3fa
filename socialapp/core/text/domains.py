"""Domain names in the form in which resolvers compare them."""

import idna


def ascii_domain(text: str) -> str:
    """The domain in lower-case ASCII, by UTS #46 (non-transitional), which also takes "。" for a dot. ValueError if it
    is invalid."""
    return idna.encode(text, uts46=True, transitional=False, std3_rules=True).decode().lower()


def domain_spellings(domain: str) -> set[str]:
    """A domain as given, in ASCII ("xn--…") and in Unicode; an invalid one only as given."""
    try:
        encoded = ascii_domain(domain)
        return {domain, encoded, idna.decode(encoded)}
    except ValueError:
        return {domain}
