"""The command `tso-data`; installed as `tsocli`."""
