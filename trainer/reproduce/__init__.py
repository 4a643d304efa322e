"""The papers, reproduced: a folder a paper, each with one command and one page under docs/results/."""
