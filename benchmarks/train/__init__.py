"""The trainer beside TRL's: same pairs, same model, same machine."""
