"""To whom a limit applies."""

import ipaddress


def household(address: str) -> str:
    """The address itself, or the /64 that one IPv6 connection has for itself."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    return str(ip.ipv4_mapped or ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))
