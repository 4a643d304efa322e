"""ECAPA-TDNN (Desplanques et al. 2020), trained with speaker labels: the supervised peer on equal data."""
