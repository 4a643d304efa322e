"""Label-free fine-tuning: a bundle and some audio become the next version, with a report.

`finetune` is the whole job; `audio` reads the recordings, `parent` the bundle, `adapt` trains. `measures` and
`report` say whether it helped; `version` writes the new bundle. `command` is `trainer finetune`.
"""
