"""The contract between service and trainer, which both import: what a bundle says, and how voices are scored.

`manifest`, `voice` and `generator` read bundle.json; `folders` finds bundles. `scoring`, `vectors` and
`space_map` turn embeddings into voices and scores; `bandwidth` tells recordings from narrow lines.
`adaptation` fits a bundle to recordings without labels, with `clusters`. numpy and pydantic only.
docs/architecture.md has the formats and formulas.
"""
