"""How fast the embedding, the service, fine-tuning and generation are (docs/performance.md)."""
