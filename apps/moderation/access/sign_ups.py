"""Blocks of sign-ups, by e-mail domain and network address."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from apps.moderation.models import Block
from apps.moderation.queries import blocks_in_force
from socialapp.core.errors import Invalid
from socialapp.core.text.domains import domain_spellings, fold_domains

_MAPPED_PREFIX = 96  # RFC 4291, 2.5.5.2


def is_sign_up_refused(*, email_domain: str, address: str) -> bool:
    """Whether an active block covers the domain, a parent domain, or the network address. One query."""
    domains = domain_spellings(fold_domains(email_domain).rstrip("."))
    for block in blocks_in_force():
        if block.kind == Block.Kind.EMAIL_DOMAIN:
            if any(f".{domain}".endswith(f".{block.value}") for domain in domains):
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
    text = fold_domains(value).strip()
    if kind == Block.Kind.EMAIL_DOMAIN:
        domain = text.removeprefix("@").strip(".")
        if "." not in domain or any(not part for part in domain.split(".")) or "@" in domain or " " in domain:
            raise Invalid.of("value", "invalid", "A domain must look like example.org.")
        return domain
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise Invalid.of("value", "invalid", "A range must look like 192.0.2.0/24 or 2001:db8::/32.") from None
    network = _unmapped(network)
    if network.prefixlen < (8 if network.version == 4 else 16):
        raise Invalid.of("value", "too_wide", "This range is too wide.")
    return str(network)


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """A range of IPv4 addresses written as IPv6 ("::ffff:192.0.2.0/120") as what it is: addresses are compared so."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED_PREFIX:
        return network
    return IPv4Network((mapped, network.prefixlen - _MAPPED_PREFIX))
