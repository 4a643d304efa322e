"""The recordings that decisions are measured on, and the conditions they are put into."""
