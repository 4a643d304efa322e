"""`trainer reproduce barlow-twins`: section 3 of Barlow Twins for speech → docs/results/barlow_twins.md."""
