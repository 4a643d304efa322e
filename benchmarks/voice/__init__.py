"""How well voices are told apart, ours beside the peer (docs/results/voice.md)."""
