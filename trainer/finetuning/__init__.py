"""Label-free fine-tuning: a bundle and some audio become the next version, with a report.

`finetune` is the whole job; `audio` reads the recordings, `crops` embeds them, and `bundle.adaptation` fits.
`measures` and `report` say whether it helped, `picture` draws it; `version` writes the new bundle. `stepped`
trains the network further, with `network` and `steps`: only these three need torch. `command` is `trainer
finetune`.
"""
