"""ECAPA-TDNN (Desplanques et al. 2020): the supervised peer, trained with speaker labels on the same data."""
