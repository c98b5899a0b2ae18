"""Networks in virtual time: fast, but never in an instant."""
