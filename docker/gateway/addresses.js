// What limits count by: an IPv4 address, or the /64 of an IPv6 address, of which one customer has all.

const MAPPED = "00000000000000000000ffff"; // an IPv4 address as IPv6 writes it

function network(r) {
    const address = r.rawVariables.binary_remote_addr.toString("hex");
    return address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address.slice(0, 16);
}

export default { network };
