"""What is done to a bundle after its export: its graphs made anew, or its convolutions in 8 bits."""
