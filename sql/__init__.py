"""The SQL of tsodata as files; `tsodata.queries` is the one reader. Installed as `tsodata._sql`."""
