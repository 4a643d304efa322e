"""How well voices are told apart, ours between its floors and the peer (docs/results/voice.md)."""
