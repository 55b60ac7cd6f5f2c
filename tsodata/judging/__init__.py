"""The judge: rubrics as data, prompts filled in strictly, words kept as they are, and numbers read from them later."""
