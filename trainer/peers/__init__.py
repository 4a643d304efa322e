"""Peers that our models are compared with: Resemblyzer as published, and an ECAPA-TDNN that we train."""
