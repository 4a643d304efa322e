"""Twofold's HTTP service. It runs model bundles with onnxruntime and never imports torch.

- `app.py` puts the parts together; `runtime.py` starts and ends them
- `api/`: the HTTP routes
- `audio/`: decoding and speech detection
- `inference/`: voice models
- `generation/`: audio for a label
- `speakers/`: enrolled voices
- `jobs/`: fine-tuning
- `stores/`: SQLite and Redis
- `page/`: the playground at `/`
- `client/`: the verbs of the command line
"""

__version__ = "0.1.0"
