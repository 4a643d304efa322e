"""Barlow Twins for speech: a ResNet on spectrograms of one second, trained without labels."""
