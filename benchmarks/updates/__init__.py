"""What a fine-tuning brings, and what becomes of enrolled voices when its model takes over."""
