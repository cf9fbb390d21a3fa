// The key of rate limits: an IPv4 address, or an IPv6 address's /64, all of which usually belongs to one customer.

const MAPPED = "00000000000000000000ffff"; // an IPv4 address as IPv6 writes it

function network(r) {
    const address = r.rawVariables.binary_remote_addr.toString("hex");
    return address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address.slice(0, 16);
}

export default { network };
