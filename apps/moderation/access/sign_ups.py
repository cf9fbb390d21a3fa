"""Blocks of sign-ups, by e-mail domain and network address."""

from ipaddress import ip_address, ip_network

from apps.moderation.models import Block
from apps.moderation.queries import blocks_in_force
from socialapp.core.errors import Invalid
from socialapp.core.text.folding import nfkc_casefold


def is_sign_up_refused(*, email_domain: str, address: str) -> bool:
    """Whether an active block covers the domain, a parent domain, or the network address. One query."""
    domain = nfkc_casefold(email_domain).rstrip(".")
    for block in blocks_in_force():
        if block.kind == Block.Kind.EMAIL_DOMAIN:
            if domain == block.value or domain.endswith(f".{block.value}"):
                return True
        elif _is_within(address, block.value):
            return True
    return False


def _is_within(address: str, network: str) -> bool:
    try:
        single = ip_address(address)
    except ValueError:
        return False  # the address is unknown, as with a Unix socket
    mapped = getattr(single, "ipv4_mapped", None)
    return (mapped or single) in ip_network(network)


def plain_block(value: str, *, kind: str) -> str:
    """The value of a block in stored form; Invalid if it is malformed or far too broad."""
    text = nfkc_casefold(value).strip()
    if kind == Block.Kind.EMAIL_DOMAIN:
        domain = text.removeprefix("@").strip(".")
        if "." not in domain or any(not part for part in domain.split(".")) or "@" in domain or " " in domain:
            raise Invalid.of("value", "invalid", "A domain must look like example.org.")
        return domain
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise Invalid.of("value", "invalid", "A range must look like 192.0.2.0/24 or 2001:db8::/32.") from None
    if network.prefixlen < (8 if network.version == 4 else 16):
        raise Invalid.of("value", "too_wide", "This range is too wide.")
    return str(network)
