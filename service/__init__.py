"""Twofold's HTTP service. It runs model bundles with onnxruntime and never imports torch.

`app.py` puts the parts together. `api/` holds the routes, `audio/` decoding and speech detection,
`inference/` the voice models, `generation/` the generator, `speakers/` the enrolled voices, `jobs/`
fine-tuning, `stores/` SQLite and Redis, `client/` the command line's verbs.
"""

__version__ = "0.1.0"
