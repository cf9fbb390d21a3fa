"""Domain names in the form in which resolvers compare them."""

from typing import Final

import idna
import regex

from socialapp.core.text.folding import nfkc_casefold

# Letters of their own in domain names, which case folding takes for "ss" and σ. Source: UTS #46, deviation characters.
_FOLDABLE: Final = regex.compile("[^ßς]++")


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


def fold_domains(text: str) -> str:
    """A text in the form in which domain names in it are compared: without case and invisible characters."""
    return _FOLDABLE.sub(lambda found: nfkc_casefold(found[0]), text.replace("ẞ", "ß"))
