"""What our models are compared with: Resemblyzer as it is published, and an ECAPA-TDNN of our training."""
