"""Faults that were seen once, each with its right answer. docs/security.md names them: C1, C2 and so on."""
