"""What happens when something breaks: processes killed, servers killed, hung or emptied, events lost or doubled."""
